package event_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/sparrow-edge/sparrow/pkg/event"
)

func TestSkipValue(t *testing.T) {
	for _, test := range []struct {
		data string
		end  int    // after the value
		want string // the error
	}{
		{`{}x`, 2, ""},
		{`{"a":[1,2,{"b":null}],"c":"}"} ,`, 30, ""},
		{`[ ]`, 3, ""},
		{`-0.5e+10,`, 8, ""},
		{`"\ud800\"" `, 10, ""},
		{"\"\xff\"", 3, ""},
		{`true]`, 4, ""},
		{`00`, 1, ""},
		{``, 0, "not JSON: unexpected end: expected a value at byte 0"},
		{`nul`, 0, "not JSON: expected a value at byte 0"},
		{`[1,]`, 0, "not JSON: expected a value at byte 3"},
		{`[1 2]`, 0, "not JSON: expected a comma or a closing bracket at byte 3"},
		{`{"a" 1}`, 0, "not JSON: expected a colon at byte 5"},
		{`{"a":1,}`, 0, "not JSON: expected a name in quotes at byte 7"},
		{`{a:1}`, 0, "not JSON: expected a name in quotes at byte 1"},
		{`{"a":1]`, 0, "not JSON: expected a comma or a closing brace at byte 6"},
		{`[`, 0, "not JSON: unexpected end: expected a value at byte 1"},
		{`[1`, 0, "not JSON: unexpected end: expected a comma or a closing bracket at byte 2"},
		{`"abc`, 0, "not JSON: unexpected end: unfinished string at byte 4"},
		{"\"a\nb\"", 0, "not JSON: control character in a string at byte 2"},
		{`"\x"`, 0, "not JSON: bad escape in a string at byte 1"},
		{`"\u12g4"`, 0, "not JSON: bad escape in a string at byte 1"},
		{`-`, 0, "not JSON: unexpected end: expected a digit at byte 1"},
		{`1.x`, 0, "not JSON: expected a digit at byte 2"},
		{`1e`, 0, "not JSON: unexpected end: expected a digit at byte 2"},
		{"\xef\xbb\xbf{}", 0, "not JSON: expected a value at byte 0"},
	} {
		end, err := event.SkipValue([]byte(test.data), 0)
		switch {
		case test.want == "" && (err != nil || end != test.end):
			t.Errorf("%q: end %d, error %v; want %d", test.data, end, err, test.end)
		case test.want != "" && (err == nil || err.Error() != test.want):
			t.Errorf("%q: error %v, want %s", test.data, err, test.want)
		}
	}
}

// TestSkipValueAtAnyDepth nests a million levels, arrays and objects in turn.
func TestSkipValueAtAnyDepth(t *testing.T) {
	const levels = 500_000
	whole := strings.Repeat(`[{"a":`, levels) + "1" + strings.Repeat("}]", levels)
	if end, err := event.SkipValue([]byte(whole), 0); err != nil || end != len(whole) {
		t.Errorf("end %d of %d, error %v", end, len(whole), err)
	}
	crossed := strings.Repeat(`[{"a":`, 40) + "1" + strings.Repeat("]}", 40)
	if _, err := event.SkipValue([]byte(crossed), 0); err == nil {
		t.Error("brackets that cross were taken")
	}
}

func FuzzSkipValue(f *testing.F) {
	for _, seed := range []string{`{"a":[1,2,{"b":null}]}`, `[[],{},[{}]]`, `-1.5e-7`, `"\u00e9\n"`, `[1,]`, `{"a"}`, strings.Repeat("[", 70) + strings.Repeat("]", 70)} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		start := event.SkipSpace(data, 0)
		end, err := event.SkipValue(data, start)
		if err != nil {
			if fault, ok := errors.AsType[*event.SyntaxError](err); !ok || fault.Offset < 0 || fault.Offset > len(data) {
				t.Fatalf("error %#v", err)
			}
			if json.Valid(data) {
				t.Fatalf("valid JSON, error %v", err)
			}
			return
		}
		if !deeplyNested(data) && !json.Valid(data[start:end]) {
			t.Fatalf("%q is no JSON value", data[start:end])
		}
		if whole := event.SkipSpace(data, end) == len(data); !deeplyNested(data) && whole != json.Valid(data) {
			t.Fatalf("took %d of %d bytes", end, len(data))
		}
	})
}
