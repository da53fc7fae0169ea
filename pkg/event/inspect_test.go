package event_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/sparrow-edge/sparrow/pkg/event"
)

// cases reads the event contract's test cases, by name.
func cases(t testing.TB, kind string) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "..", "api", "testdata", kind, "*.json"))
	if err != nil || len(files) < 20 {
		t.Fatalf("found %d %s cases: %v", len(files), kind, err)
	}
	found := map[string][]byte{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		found[strings.TrimSuffix(file, ".json")] = data
	}
	return found
}

func TestInspectAccepts(t *testing.T) {
	for name, data := range cases(t, "accepted") {
		t.Run(filepath.Base(name), func(t *testing.T) {
			got, err := event.Inspect(data)
			if err != nil {
				t.Fatal(err)
			}
			var want struct{ EventID string }
			if err := json.Unmarshal(data, &want); err != nil && !strings.Contains(name, "huge-numbers") {
				t.Fatal(err)
			}
			if got != want.EventID {
				t.Errorf("eventId %q, want %q", got, want.EventID)
			}
		})
	}
}

func TestInspectRefuses(t *testing.T) {
	for name, data := range cases(t, "refused") {
		t.Run(filepath.Base(name), func(t *testing.T) {
			want, err := os.ReadFile(name + ".txt")
			if err != nil {
				t.Fatal(err)
			}
			_, err = event.Inspect(data)
			if err == nil || err.Error() != strings.TrimSpace(string(want)) {
				t.Fatalf("error %v, want %s", err, want)
			}
			if _, malformed := errors.AsType[*event.SyntaxError](err); malformed {
				t.Error("a case of the contract is not JSON")
			}
		})
	}
}

// TestInspectFindsID checks that a broken rule does not hide the event's id,
// wherever it stands.
func TestInspectFindsID(t *testing.T) {
	for data, want := range map[string]string{
		`{"eventId":"a","event":7}`:                  "a",
		`{"event":7,"eventId":"a"}`:                  "a",
		`{"properties":{"x":1,"x":2},"eventId":"a"}`: "a",
		`{"x":` + strings.Repeat("[", 500) + strings.Repeat("]", 500) + `,"eventId":"a"}`: "a",
		`{"eventId":"a","eventId":"b"}`:                             "a",
		`{"eventId":""}`:                                            "",
		`{"properties":{"eventId":"inner"}}`:                        "",
		`[{"eventId":"inner"}]`:                                     "",
		"{\"eventId\":\"\xff\",\"event\":\"e\",\"deviceId\":\"d\"}": "",
		"{\"eventId\":\"a\",\"event\":\"e\",\"deviceId\":\"d\",\"properties\":{\"a\":\"\xff\"}}": "a",
	} {
		got, err := event.Inspect([]byte(data))
		if err == nil || got != want {
			t.Errorf("%.60s: id %q, error %v; want id %q and an error", data, got, err, want)
		}
	}
}

// TestInspectCutsNames checks that a fault's text stays short and printable.
func TestInspectCutsNames(t *testing.T) {
	name := strings.Repeat("n", 50_000)
	_, err := event.Inspect([]byte(`{"` + name + `":{"\u001b[2J` + name + `":{"":[{"a":1,"a":2}]}}}`))
	if err == nil || len(err.Error()) > 400 || strings.ContainsRune(err.Error(), 0x1b) {
		t.Errorf("error of %d bytes: %.200v", len(err.Error()), err)
	}
}

// TestInspectIsLinear gives many names to one object; it takes milliseconds, or
// minutes if the search for repeated names were quadratic.
func TestInspectIsLinear(t *testing.T) {
	var b bytes.Buffer
	b.WriteString(`{"event":"e","deviceId":"d","properties":{`)
	for i := range 300_000 {
		b.WriteString(`"` + strings.Repeat("k", 8) + string(rune('a'+i%26)) + strconv.Itoa(i) + `":0,`)
	}
	b.WriteString(`"last":1,"last":2}}`)
	if _, err := event.Inspect(b.Bytes()); err == nil || err.Error() != "properties.last: duplicate name" {
		t.Errorf("error %v", err)
	}
}

// TestInspectAllocates checks the promise of the hot path: an ordinary event
// costs its id, one without costs nothing.
func TestInspectAllocates(t *testing.T) {
	for _, test := range []struct {
		data []byte
		most float64
	}{{typical, 1}, {[]byte(`{"event":"e","deviceId":"d","userId":"u","properties":{"a":[1,{"b":"c"}]}}`), 0}} {
		if got := testing.AllocsPerRun(100, func() { _, _ = event.Inspect(test.data) }); got > test.most {
			t.Errorf("%v allocations, want at most %v", got, test.most)
		}
	}
}

// FuzzInspect compares with encoding/json: what Inspect calls a syntax error is
// one, what it accepts holds the contract.
func FuzzInspect(f *testing.F) {
	for _, kind := range []string{"accepted", "refused"} {
		for _, data := range cases(f, kind) {
			f.Add(data)
		}
	}
	f.Add([]byte(`{"a":tru}`))
	f.Add([]byte(`{"a":01,"b":-,"c":1.e5,"d":"\x"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		eventID, err := event.Inspect(data)
		_, malformed := errors.AsType[*event.SyntaxError](err)
		if valid := json.Valid(data); valid == malformed && !deeplyNested(data) {
			t.Fatalf("valid JSON: %v, error %v", valid, err)
		}
		if n := utf8.RuneCountInString(eventID); n > event.MaxEventID || !utf8.ValidString(eventID) {
			t.Fatalf("eventId %q", eventID)
		}
		if err != nil {
			if len(err.Error()) > 1200 || !utf8.ValidString(err.Error()) {
				t.Fatalf("error of %d bytes: %v", len(err.Error()), err)
			}
			return
		}
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(data, &fields); err != nil {
			t.Fatalf("accepted, but: %v", err)
		}
		var name, device string
		if json.Unmarshal(fields["event"], &name) != nil || json.Unmarshal(fields["deviceId"], &device) != nil || name == "" || device == "" {
			t.Fatalf("accepted without event or deviceId: %s", data)
		}
		if utf8.RuneCountInString(name) > event.MaxName || utf8.RuneCountInString(device) > event.MaxID || strings.ContainsRune(name+device, 0) {
			t.Fatalf("accepted event %q, deviceId %q", name, device)
		}
	})
}

// deeplyNested reports whether data may be beyond encoding/json's own bound.
func deeplyNested(data []byte) bool {
	return bytes.Count(data, []byte("["))+bytes.Count(data, []byte("{")) > 9000
}

var typical = []byte(`{"event":"purchase product","deviceId":"0197a2b4-5c6d-7e8f-9a0b-1c2d3e4f5a6b","userId":"michelle1","eventId":"0197a2b4-5c6d-7e8f-9a0b-1c2d3e4f5a6c","timestamp":"2026-01-31T12:00:00.123Z","properties":{"category":"billing","productName":"workers","price":12.50,"quantity":3},"context":{"page":{"url":"https://dash.example.com/billing","path":"/billing","referrer":"","title":"Billing"},"locale":"en-GB","screen":{"width":1920,"height":1080}}}`)

func BenchmarkInspect(b *testing.B) {
	b.SetBytes(int64(len(typical)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := event.Inspect(typical); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkScannerSkip(b *testing.B) {
	b.SetBytes(int64(len(typical)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := skip(typical); err != nil {
			b.Fatal(err)
		}
	}
}
