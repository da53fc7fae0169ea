package event_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sparrow-edge/sparrow/pkg/event"
)

var day = time.Date(2026, 1, 31, 0, 0, 0, 0, time.UTC)

func fullCheckpoint() event.Checkpoint {
	position := func(seq uint64, index uint32) event.Position { return event.Position{Seq: seq, Index: index} }
	return event.Checkpoint{
		Tracker: "ga4", Epoch: "e1", Run: 3, Plan: "p7", Release: "v1.2.3", Time: at,
		Start: position(1, 0), Watermark: position(1<<40, 7), Removed: true,
		Deliveries: []event.Delivery{
			{Position: position(2, 1), EventID: "a", Source: "dashboard", Event: "e", Outcome: event.Delivered, Reason: "validated", Status: 204, Attempts: 1, Time: at, Latency: 12 * time.Millisecond, Day: day},
			{Position: position(2, 2), EventID: "b", Source: "dashboard", Event: "(invalid)", Outcome: event.Rejected, Reason: "retries exhausted", Status: 500, Error: "<html>", Attempts: 9, Time: at, Day: day.AddDate(0, 0, -1)},
		},
		Filtered: []event.FilteredCount{{Day: day, Source: "dashboard", Event: "e", Reason: "event not in plan", Count: 1 << 40}},
		Leaks:    []event.Leak{{Day: day, Source: "dashboard", Event: "e", Property: "properties.note", Kind: "email", Count: 2}},
		Parked:   []event.Parked{{Position: position(3, 0), Due: at.Add(time.Minute), Since: at, Attempts: 2}},
		Intents:  []event.Position{position(4, 0), position(4, 1)},
	}
}

// version1 is what releases before the names wrote of fullCheckpoint.
const version1 = "" +
	"0103676134026531030270370676312e322e3380c9d8c4baeba406010080808080802007010202010161010976616c696461746564cc01000180c9d8" +
	"c4baeba406c0bb0188c0020202016203117265747269657320657868617573746564f403063c68746d6c3e0980c9d8c4baeba4060086c0020188c002" +
	"0964617368626f6172640165116576656e74206e6f7420696e20706c616e8080808080200188c0020964617368626f61726401650f70726f70657274" +
	"6965732e6e6f746505656d61696c0201030080e5f4fdbaeba40680c9d8c4baeba40602020400040100"

func decodeHex(t testing.TB, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestCheckpointOfVersion1(t *testing.T) {
	want := fullCheckpoint()
	for i := range want.Deliveries {
		want.Deliveries[i].Source, want.Deliveries[i].Event = "", ""
	}
	var got event.Checkpoint
	if err := got.UnmarshalBinary(decodeHex(t, version1)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("want -, got +\n%s", diff)
	}
}

// TestCheckpointWritesNamesOnce: a long name costs its length once and an index
// for each delivery.
func TestCheckpointWritesNamesOnce(t *testing.T) {
	name := strings.Repeat("n", 500)
	size := func(deliveries int) int {
		c := event.Checkpoint{Deliveries: make([]event.Delivery, deliveries)}
		for i := range c.Deliveries {
			c.Deliveries[i].Source, c.Deliveries[i].Event = "dashboard", name
		}
		b, _ := c.AppendBinary(nil)
		return len(b)
	}
	if one, ten := size(1), size(10); ten-one > 9*30 {
		t.Errorf("%d bytes for one delivery, %d for ten", one, ten)
	}
}

func TestCheckpointRefusesUnknownNames(t *testing.T) {
	c := event.Checkpoint{Deliveries: []event.Delivery{{Source: "s", Event: "e"}}}
	b, _ := c.AppendBinary(nil)
	at := bytes.LastIndex(b, []byte{1, 2, 0}) // the source, the event and the outcome
	b[at+1] = 3
	if err := new(event.Checkpoint).UnmarshalBinary(b); !errors.Is(err, event.ErrCorrupt) {
		t.Errorf("error %v", err)
	}
}

func TestCheckpointRoundTrip(t *testing.T) {
	for name, want := range map[string]event.Checkpoint{"full": fullCheckpoint(), "empty": {}} {
		t.Run(name, func(t *testing.T) {
			b, err := want.AppendBinary(nil)
			if err != nil {
				t.Fatal(err)
			}
			got := fullCheckpoint() // all of it is overwritten
			if err := got.UnmarshalBinary(b); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("want -, got +\n%s", diff)
			}
		})
	}
}

func TestCheckpointRefusesDamage(t *testing.T) {
	full := fullCheckpoint()
	whole, _ := full.AppendBinary(nil)
	for n := range whole {
		if err := new(event.Checkpoint).UnmarshalBinary(whole[:n]); !errors.Is(err, event.ErrCorrupt) {
			t.Fatalf("cut to %d bytes: error %v", n, err)
		}
	}
	if err := new(event.Checkpoint).UnmarshalBinary(append(whole, 0)); !errors.Is(err, event.ErrCorrupt) {
		t.Errorf("a byte more: error %v", err)
	}
}

// TestCheckpointRefusesHugeCounts checks that a damaged count reserves no memory
// beyond the input's size.
func TestCheckpointRefusesHugeCounts(t *testing.T) {
	b, _ := new(event.Checkpoint).AppendBinary(nil)
	b = append(b[:len(b)-5], 0xff, 0xff, 0xff, 0xff, 0x7f)
	if got := testing.AllocsPerRun(10, func() { _ = new(event.Checkpoint).UnmarshalBinary(b) }); got > 20 {
		t.Errorf("%v allocations", got)
	}
	if err := new(event.Checkpoint).UnmarshalBinary(b); !errors.Is(err, event.ErrCorrupt) {
		t.Errorf("error %v", err)
	}
}

func FuzzCheckpoint(f *testing.F) {
	full := fullCheckpoint()
	b, _ := full.AppendBinary(nil)
	f.Add(b)
	b, _ = new(event.Checkpoint).AppendBinary(nil)
	f.Add(b)
	f.Add(decodeHex(f, version1))
	f.Fuzz(func(t *testing.T, b []byte) {
		var first, second event.Checkpoint
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

func TestOutcomeWords(t *testing.T) {
	words := map[event.Outcome]string{
		event.Pending: "pending", event.Delivered: "delivered", event.Filtered: "filtered",
		event.Rejected: "rejected", event.Expired: "expired", event.Uncertain: "uncertain",
	}
	for outcome, word := range words {
		if outcome.String() != word {
			t.Errorf("%d is %q, want %q", outcome, outcome, word)
		}
		if got, err := event.ParseOutcome(word); err != nil || got != outcome {
			t.Errorf("parsed %q as %v, error %v", word, got, err)
		}
	}
	if got := event.Outcome(200).String(); got != "outcome(200)" {
		t.Errorf("an unknown outcome is %q", got)
	}
	for _, bad := range []string{"", "Delivered", "outcome(200)"} {
		if _, err := event.ParseOutcome(bad); err == nil {
			t.Errorf("%q was parsed", bad)
		}
	}
}
