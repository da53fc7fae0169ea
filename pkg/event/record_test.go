package event_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sparrow-edge/sparrow/pkg/event"
)

// at is a time of the precision that records keep.
var at = time.Date(2026, 1, 31, 12, 0, 0, 123456000, time.UTC)

func fullRecord() event.Record {
	return event.Record{
		ReceivedAt: at, Source: "dashboard", EventID: "0197a2b4-5c6d-7e8f-9a0b-1c2d3e4f5a6b",
		Data: []byte("{\"event\":\"e\",\"deviceId\":\"\xff\"}"),
		Context: event.Context{
			IP: "198.51.100.0", UserAgent: "agent", Origin: "https://a.example", Referrer: "https://a.example/x", RequestID: "req",
			SentAt: at.Add(-time.Minute), Purpose: "prefetch", Malformed: "not JSON", Invalid: "event: required", Encoding: "base64",
		},
	}
}

func TestRecordRoundTrip(t *testing.T) {
	for name, want := range map[string]event.Record{
		"full":       fullRecord(),
		"formatted":  {ReceivedAt: at, Data: []byte("1"), Context: event.Context{Format: "segment/track", Encoding: "base64"}},
		"least":      {ReceivedAt: at, Data: []byte("1")},
		"before1970": {ReceivedAt: time.Date(1901, 2, 3, 0, 0, 0, 1000, time.UTC), Data: []byte{}},
	} {
		t.Run(name, func(t *testing.T) {
			b, err := want.AppendBinary([]byte("before"))
			if err != nil {
				t.Fatal(err)
			}
			b, found := bytes.CutPrefix(b, []byte("before"))
			if !found {
				t.Fatal("what stood before was changed")
			}
			var got event.Record
			if err := got.UnmarshalBinary(b); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("want -, got +\n%s", diff)
			}
		})
	}
}

func TestRecordKeepsReceipt(t *testing.T) {
	b, _ := (&event.Record{Data: []byte("1")}).AppendBinary(nil)
	got := event.Record{Receipt: event.Receipt{Epoch: "e", Position: event.Position{Seq: 3}}, Duplicate: true}
	if err := got.UnmarshalBinary(b); err != nil {
		t.Fatal(err)
	}
	if got.Receipt.String() != "e-3-0" || !got.Duplicate {
		t.Errorf("receipt %v, duplicate %v", got.Receipt, got.Duplicate)
	}
}

// A record of Sparrow's own format is encoded as releases that know no other do.
func TestRecordVersions(t *testing.T) {
	own, foreign := event.Record{Data: []byte("1")}, event.Record{Data: []byte("1"), Context: event.Context{Format: "segment"}}
	for version, r := range map[byte]*event.Record{1: &own, 2: &foreign} {
		if b, _ := r.AppendBinary(nil); b[0] != version {
			t.Errorf("format %q: version %d, want %d", r.Context.Format, b[0], version)
		}
	}
	b, _ := own.AppendBinary(nil)
	if err := foreign.UnmarshalBinary(b); err != nil || foreign.Context.Format != "" {
		t.Errorf("decoded over another record: format %q, error %v", foreign.Context.Format, err)
	}
}

// TestRecordRefusesDamage cuts and lengthens an encoding: all of it is needed
// and nothing else.
func TestRecordRefusesDamage(t *testing.T) {
	full := fullRecord()
	whole, _ := full.AppendBinary(nil)
	for n := range whole {
		if err := new(event.Record).UnmarshalBinary(whole[:n]); !errors.Is(err, event.ErrCorrupt) {
			t.Fatalf("cut to %d bytes: error %v", n, err)
		}
	}
	if err := new(event.Record).UnmarshalBinary(append(bytes.Clone(whole), 0)); !errors.Is(err, event.ErrCorrupt) {
		t.Errorf("a byte more: error %v", err)
	}
	whole[0]++
	if err := new(event.Record).UnmarshalBinary(whole); !errors.Is(err, event.ErrCorrupt) {
		t.Errorf("another version: error %v", err)
	}
}

func TestRecordUsable(t *testing.T) {
	for want, r := range map[bool]event.Record{true: {}, false: {Context: event.Context{Invalid: "event: required"}}} {
		if r.Usable() != want {
			t.Errorf("%+v: usable %v", r, !want)
		}
	}
	if r := (event.Record{Context: event.Context{Malformed: "not JSON"}}); r.Usable() {
		t.Error("a malformed record is usable")
	}
}

// TestContextJSON checks the form that becomes raw.context: what is absent
// takes no room.
func TestContextJSON(t *testing.T) {
	for want, c := range map[string]event.Context{
		`{}`: {},
		`{"ip":"198.51.100.0","sentAt":"2026-01-31T12:00:00.123456Z"}`: {IP: "198.51.100.0", SentAt: at},
	} {
		if got, err := json.Marshal(c); err != nil || string(got) != want {
			t.Errorf("%s, error %v; want %s", got, err, want)
		}
	}
}

func FuzzRecord(f *testing.F) {
	full := fullRecord()
	b, _ := full.AppendBinary(nil)
	f.Add(b)
	f.Add([]byte{1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0})
	f.Add([]byte{1, 2, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		var first, second event.Record
		if err := first.UnmarshalBinary(b); err != nil {
			if !errors.Is(err, event.ErrCorrupt) {
				t.Fatalf("error %v", err)
			}
			return
		}
		again, _ := first.AppendBinary(nil)
		if err := second.UnmarshalBinary(again); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(first, second); diff != "" {
			t.Errorf("first -, second +\n%s", diff)
		}
	})
}
