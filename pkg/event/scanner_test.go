package event_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/sparrow-edge/sparrow/pkg/event"
)

// skip returns where the first value of data ends.
func skip(data []byte) (end int, err error) {
	s := event.NewScanner(data)
	s.Skip()
	return s.Offset(), s.Err()
}

func TestScannerSkip(t *testing.T) {
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
		end, err := skip([]byte(test.data))
		switch {
		case test.want == "" && (err != nil || end != test.end):
			t.Errorf("%q: end %d, error %v; want %d", test.data, end, err, test.end)
		case test.want != "" && (err == nil || err.Error() != test.want):
			t.Errorf("%q: error %v, want %s", test.data, err, test.want)
		}
	}
}

// TestScannerSkipsAnyDepth nests a million levels, arrays and objects in turn.
func TestScannerSkipsAnyDepth(t *testing.T) {
	const levels = 500_000
	whole := strings.Repeat(`[{"a":`, levels) + "1" + strings.Repeat("}]", levels)
	if end, err := skip([]byte(whole)); err != nil || end != len(whole) {
		t.Errorf("end %d of %d, error %v", end, len(whole), err)
	}
	crossed := strings.Repeat(`[{"a":`, 40) + "1" + strings.Repeat("]}", 40)
	if _, err := skip([]byte(crossed)); err == nil {
		t.Error("brackets that cross were taken")
	}
}

// TestScannerYieldsWhatStandsInTheText walks over a text with each method.
func TestScannerYieldsWhatStandsInTheText(t *testing.T) {
	data := []byte(` { "list" : [ 1, "two", [] ] , "\u0061":{} }x`)
	s := event.NewScanner(data)
	var got []string
	for name := range s.Members {
		got = append(got, fmt.Sprintf("%s %v", data[name.Start:name.End], name.Escaped))
		if s.Peek() != '[' {
			s.Skip()
			continue
		}
		for i := range s.Elements {
			start := s.Offset()
			s.Skip()
			got = append(got, fmt.Sprintf("%d %s", i, data[start:s.Offset()]))
		}
	}
	if want := []string{`"list" false`, `0 1`, `1 "two"`, `2 []`, `"\u0061" true`}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if err := s.End("more"); err == nil || err.Error() != fmt.Sprintf("not JSON: more at byte %d", len(data)-1) {
		t.Errorf("error %v", err)
	}
	for range s.Members {
		t.Error("a text that ended with an error goes on")
	}
}

func FuzzScannerSkip(f *testing.F) {
	for _, seed := range []string{`{"a":[1,2,{"b":null}]}`, `[[],{},[{}]]`, `-1.5e-7`, `"\u00e9\n"`, `[1,]`, `{"a"}`, strings.Repeat("[", 70) + strings.Repeat("]", 70)} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s := event.NewScanner(data)
		start := s.Offset()
		s.Skip()
		end, err := s.Offset(), s.Err()
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
		if whole := s.End("more") == nil; !deeplyNested(data) && whole != json.Valid(data) {
			t.Fatalf("took %d of %d bytes", end, len(data))
		}
	})
}
