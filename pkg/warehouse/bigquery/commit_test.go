package bigquery

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
)

// TestAdvancedMovesOnePosition: of one stream and epoch, in a copy.
func TestAdvancedMovesOnePosition(t *testing.T) {
	at := time.Date(2026, 11, 28, 10, 0, 0, 0, time.UTC)
	move := func(c *commit, stream warehouse.Stream, epoch string, seq uint64) *commit {
		return c.advanced(warehouse.StreamPosition{Stream: stream, Epoch: epoch, Next: event.Position{Seq: seq}}, at)
	}
	first := move(move(&commit{}, warehouse.EventsStream, "e1", 5), warehouse.OutcomesStream, "e1", 3)
	second := move(move(first, warehouse.EventsStream, "e1", 9), warehouse.EventsStream, "e2", 1)
	for _, c := range []struct {
		of     *commit
		stream warehouse.Stream
		epoch  string
		want   uint64
	}{
		{first, warehouse.EventsStream, "e1", 5}, {first, warehouse.OutcomesStream, "e1", 3}, {first, warehouse.EventsStream, "e2", 0},
		{second, warehouse.EventsStream, "e1", 9}, {second, warehouse.OutcomesStream, "e1", 3}, {second, warehouse.EventsStream, "e2", 1},
	} {
		if got := c.of.position(c.stream, c.epoch).Seq; got != c.want {
			t.Errorf("%s of %s: %d, want %d", c.stream, c.epoch, got, c.want)
		}
	}
	if move(first, warehouse.EventsStream, "", 7); len(first.Positions) != 2 {
		t.Errorf("the commit itself has changed: %v", first.Positions)
	}
}

// TestCommitKeepsItsFormat: earlier and later releases read each other's commits.
func TestCommitKeepsItsFormat(t *testing.T) {
	const stored = `{"events":"e1","outcomes":"e2","marks":[{"stream":"events","epoch":"e1","seq":5,"idx":1,"loaded":"2026-11-28T10:00:00Z"}],"tables":{"raw":{"stream":"s","rows":3,"ahead":2}}}`
	c, err := parseCommit(7, stored)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := json.Marshal(c); err != nil || string(again) != stored || c.Version != 7 {
		t.Errorf("version %d: %s, error %v", c.Version, again, err)
	}
	if list := c.positions(); len(list) != 1 || list[0].Next != (event.Position{Seq: 5, Index: 1}) || list[0].Loaded.Hour() != 10 {
		t.Errorf("positions %v", list)
	}
	if _, err := parseCommit(8, "{"); err == nil {
		t.Error("half a commit is read")
	}
}

// TestLogsDescriptionNamesItsStream: and a description without one names none.
func TestLogsDescriptionNamesItsStream(t *testing.T) {
	for text, want := range map[string]struct {
		stream string
		base   int64
	}{
		positionsTable.description + " Written through Cs_1-x@42.": {"Cs_1-x", 42},
		positionsTable.description:                                 {},
		"Written through x@99999999999999999999.":                  {},
	} {
		if stream, base := parseDescription(text); stream != want.stream || base != want.base {
			t.Errorf("%q: %s@%d, want %s@%d", text, stream, base, want.stream, want.base)
		}
	}
}
