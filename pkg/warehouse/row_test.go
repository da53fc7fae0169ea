package warehouse_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
)

func TestRawRowName(t *testing.T) {
	for _, tt := range []struct {
		name, data string
		context    event.Context
		want       string
		usable     bool
	}{
		{"plain", `{"event":"buy","deviceId":"d"}`, event.Context{}, "buy", true},
		{"last member", `{"properties":{"event":"no"},"event":"buy"}`, event.Context{}, "buy", true},
		{"escapes", `{"\u0065vent":"b\u0075y \ud83d\ude00 \ud83d"}`, event.Context{}, "buy 😀 \uFFFD", true},
		{"malformed", `{"event":"buy"`, event.Context{Malformed: "unexpected end"}, "(malformed)", false},
		{"no device", `{"event":"buy"}`, event.Context{Invalid: "deviceId: required"}, "buy", false},
		{"no name", `{}`, event.Context{Invalid: "event: required"}, "(invalid)", false},
		{"a number", `{"event":1}`, event.Context{Invalid: "event: must be a string"}, "(invalid)", false},
		{"empty", `{"event":""}`, event.Context{Invalid: "event: must not be empty"}, "(invalid)", false},
		{"NUL", `{"event":"a\u0000"}`, event.Context{Invalid: "event: NUL character"}, "(invalid)", false},
		{"too long", `{"event":"` + strings.Repeat("é", 201) + `"}`, event.Context{Invalid: "event: longer"}, "(invalid)", false},
		{"longest", `{"event":"` + strings.Repeat("é", 200) + `"}`, event.Context{}, strings.Repeat("é", 200), true},
		{"an array", `[{"event":"buy"}]`, event.Context{Invalid: "must be a JSON object"}, "(invalid)", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			row, err := warehouse.NewRawRow(&event.Record{Data: []byte(tt.data), Context: tt.context})
			if err != nil {
				t.Fatal(err)
			}
			if row.Event != tt.want || row.Usable != tt.usable || row.Data != tt.data {
				t.Errorf("name %q, usable %t, data %q", row.Event, row.Usable, row.Data)
			}
		})
	}
}

// FuzzRawRow: a row is text that any warehouse takes, keeps the client's bytes,
// and has a name wherever the event contract finds one.
func FuzzRawRow(f *testing.F) {
	for _, seed := range []string{`{"event":"a","deviceId":"d"}`, `{"event":"\ud83d","deviceId":"d"}`, "\xff", "", `{"event":{"event":"x"}}`, `{"event":"a","\u0065vent":"b"}`} {
		f.Add([]byte(seed), "id", "source")
	}
	f.Fuzz(func(t *testing.T, data []byte, id, source string) {
		r := event.Record{Data: data, EventID: id, Source: source, ReceivedAt: time.Now(), Context: event.Context{UserAgent: id}}
		if _, err := event.Inspect(data); err != nil {
			r.Context.Invalid = "broken"
		}
		row, err := warehouse.NewRawRow(&r)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range []string{row.EventID, row.Data, row.Source, row.Context, row.Event} {
			if !utf8.ValidString(s) {
				t.Errorf("%q is not UTF-8", s)
			}
		}
		var context event.Context
		if err := json.Unmarshal([]byte(row.Context), &context); err != nil {
			t.Fatalf("context %s: %v", row.Context, err)
		}
		kept := []byte(row.Data)
		if context.Encoding == "base64" {
			if kept, err = base64.StdEncoding.DecodeString(row.Data); err != nil {
				t.Fatal(err)
			}
		}
		if string(kept) != string(data) {
			t.Errorf("kept %q, sent %q", kept, data)
		}
		if r.Context.Invalid == "" && (row.Event == event.NameInvalid || !row.Usable) {
			t.Errorf("a sound event is called %s, usable %t", row.Event, row.Usable)
		}
	})
}

func TestCheckpointRowsAreUTF8(t *testing.T) {
	var b warehouse.Batch
	b.AddCheckpoint(7, &event.Checkpoint{Tracker: "ga4", Deliveries: []event.Delivery{
		{EventID: "a\xff", Source: "s\xff", Event: "e\xff", Reason: "r\xff", Error: "x\xff"},
	}})
	if d := b.Deliveries[0]; d.EventID != "a\uFFFD" || d.Source != "s\uFFFD" || d.Event != "e\uFFFD" || d.Reason != "r\uFFFD" || d.Error != "x\uFFFD" {
		t.Errorf("row %+v", d)
	}
}
