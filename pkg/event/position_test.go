package event_test

import (
	"math"
	"slices"
	"testing"

	"github.com/sparrow-edge/sparrow/pkg/event"
)

func TestPositionOrder(t *testing.T) {
	ordered := []event.Position{{}, {Seq: 0, Index: 1}, {Seq: 1}, {Seq: 1, Index: 1}, {Seq: 1, Index: math.MaxUint32}, {Seq: 2}, {Seq: math.MaxUint64}}
	for i, p := range ordered {
		for j, q := range ordered {
			if p.Before(q) != (i < j) || (p.Compare(q) == 0) != (i == j) || p.Compare(q) != -q.Compare(p) {
				t.Errorf("%v and %v: before %v, compare %d", p, q, p.Before(q), p.Compare(q))
			}
		}
	}
	shuffled := slices.Clone(ordered)
	slices.Reverse(shuffled)
	slices.SortFunc(shuffled, event.Position.Compare)
	if !slices.Equal(ordered, shuffled) {
		t.Errorf("sorted %v", shuffled)
	}
	if p := (event.Position{Seq: 5, Index: 2}); !p.Before(p.Next()) || !p.Next().Before(event.Position{Seq: 6}) || p.Next().String() != "5-3" {
		t.Errorf("after %v is %v", p, p.Next())
	}
}

func TestParseReceipt(t *testing.T) {
	for s, want := range map[string]event.Receipt{
		"e1-7-3":                            {Epoch: "e1", Position: event.Position{Seq: 7, Index: 3}},
		"x-18446744073709551615-4294967295": {Epoch: "x", Position: event.Position{Seq: math.MaxUint64, Index: math.MaxUint32}},
	} {
		if got, err := event.ParseReceipt(s); err != nil || got != want || got.String() != s {
			t.Errorf("%s is %v, error %v", s, got, err)
		}
	}
	for _, bad := range []string{"", "e1", "e1-7", "-7-3", "e1-7-3-1", "e1-x-3", "e1-7-x", "e1--3", "e1-7-4294967296", "e1-18446744073709551616-0"} {
		if got, err := event.ParseReceipt(bad); err == nil {
			t.Errorf("%q was parsed as %v", bad, got)
		}
	}
}

func FuzzParseReceipt(f *testing.F) {
	for _, s := range []string{"e1-7-3", "e1-07-3", "--", "é-1-1", "e-+1-1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := event.ParseReceipt(s)
		if err != nil {
			return
		}
		again, err := event.ParseReceipt(r.String())
		if err != nil || again != r {
			t.Fatalf("%q is %v, and again %v, error %v", s, r, again, err)
		}
	})
}
