package bigquery

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
)

// TestSumStateKeepsItsFormat: a commit of another release says the same.
func TestSumStateKeepsItsFormat(t *testing.T) {
	const stored = `{"events":"","outcomes":"","marks":null,"tables":null,"sums":{"counted":[["2026-11-25","2026-11-27"],["2026-11-29","2026-11-29"]],"uncounted":[],` +
		`"since":"2026-11-25","lives":[{"tracker":"ga4","epoch":"e1","start":{"seq":1,"index":0},"mark":{"seq":5,"index":2},"waits":{"seq":4,"index":0}}],` +
		`"replays":[{"tracker":"ga4","epoch":"e1","first":{"seq":2,"index":0},"last":{"seq":3,"index":1}}]}}`
	c, err := parseCommit(1, stored)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := json.Marshal(c); err != nil || string(again) != stored {
		t.Errorf("%s, error %v, want %s", again, err, stored)
	}
	if n := len(c.Sums.Counted.days()); n != 4 {
		t.Errorf("%d days, want 4", n)
	}
	for _, bad := range []string{`[["x","y"]]`, `[["2026-11-25","y"]]`, `[["0001-01-01","2026-11-25"]]`, `1`} {
		var d daySet
		if json.Unmarshal([]byte(bad), &d) == nil {
			t.Errorf("%s is read as %v", bad, d)
		}
	}
}

// TestChangesOfABatchLeaveTheCommitBeforeAsItIs: and too many of them leave their day to
// be counted.
func TestChangesOfABatchLeaveTheCommitBeforeAsItIs(t *testing.T) {
	day := warehouse.Day(time.Now())
	last := &commit{Sums: &sumState{Counted: daySet{}, Uncounted: daySet{}}}
	b := &warehouse.Batch{Events: warehouse.StreamPosition{Stream: warehouse.EventsStream, Epoch: "e1", Next: event.Position{Seq: 2}}}
	b.Raw = []warehouse.RawRow{{Receipt: event.Receipt{Epoch: "e1", Position: event.Position{Seq: 1}}, Timestamp: day, Source: "shop", Event: "buy"}}
	b.Lanes = []warehouse.LaneRow{{Tracker: "ga4", Epoch: "e1", Start: event.Position{Seq: 1}, Watermark: event.Position{Seq: 1}}}
	s := sumsOf(last, b)
	s.add()
	if len(s.again) > 0 || len(s.ranges) > 0 || !s.state.Counted[day] || s.rows[sum{day: day, source: "shop", event: "buy", tracker: "ga4", outcome: "accepted"}] != 1 {
		t.Errorf("rows %v, again %v, ranges %v, counted %v", s.rows, s.again, s.ranges, s.state.Counted)
	}
	if len(last.Sums.Counted) > 0 || len(last.Sums.Lives) > 0 {
		t.Errorf("the commit before has changed: %+v", last.Sums)
	}
	s.rows[sum{day: day, event: strings.Repeat("x", longestSums)}] = 1
	if text := s.encoded(); text != "" || s.state.Counted[day] || !s.state.Uncounted[day] {
		t.Errorf("%d bytes of changes; counted %v, uncounted %v", len(text), s.state.Counted, s.state.Uncounted)
	}
}

// TestSumReasonEndsAtTheColon: as the SQL has it.
func TestSumReasonEndsAtTheColon(t *testing.T) {
	for reason, want := range map[string]string{"": "", "taken": "taken", "http: 500": "http", ":": "", strings.Repeat("é", 200): strings.Repeat("é", longestReason)} {
		if got := sumReason(reason); got != want {
			t.Errorf("%q is %q, want %q", reason, got, want)
		}
	}
}
