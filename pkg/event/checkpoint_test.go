package event_test

import (
	"errors"
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
		Start: position(1, 0), Watermark: position(1<<40, 7), Closed: true,
		Deliveries: []event.Delivery{
			{Position: position(2, 1), EventID: "a", Outcome: event.Delivered, Reason: "validated", Status: 204, Attempts: 1, Time: at, Latency: 12 * time.Millisecond, Day: day},
			{Position: position(2, 2), EventID: "b", Outcome: event.Rejected, Reason: "retries exhausted", Status: 500, Error: "<html>", Attempts: 9, Time: at, Day: day.AddDate(0, 0, -1)},
		},
		Filtered: []event.FilteredCount{{Day: day, Source: "dashboard", Event: "e", Reason: "event not in plan", Count: 1 << 40}},
		Leaks:    []event.Leak{{Day: day, Source: "dashboard", Event: "e", Property: "properties.note", Kind: "email", Count: 2}},
		Parked:   []event.Parked{{Position: position(3, 0), Due: at.Add(time.Minute), Since: at, Attempts: 2}},
		Intents:  []event.Position{position(4, 0), position(4, 1)},
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
