package bigquery

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
)

// commit is one row of positions_log. It is never changed; its JSON is the column
// state; Version and Changes are columns of their own.
type commit struct {
	Version int64 `json:"-"`
	// Events and Outcomes are the epochs of the rows ahead of the positions.
	Events    string                   `json:"events"`
	Outcomes  string                   `json:"outcomes"`
	Positions []position               `json:"marks"`
	Tables    map[string]streamedTable `json:"tables"` // the counted ones
	// Sums is nil in a commit of a release that kept none.
	Sums *sumState `json:"sums,omitempty"`
	// Changes are the changes of the sums since the commit before, as JSON: the
	// column sums.
	Changes string `json:"-"`
}

// position is how far a stream of an epoch is loaded.
type position struct {
	Stream string `json:"stream"`
	Epoch  string `json:"epoch"`
	Seq    uint64 `json:"seq"`
	Index  uint32 `json:"idx"`
	Loaded string `json:"loaded"`
}

// streamedTable says how a counted table is written.
type streamedTable struct {
	Stream string `json:"stream"`
	Rows   int64  `json:"rows"`  // in the stream at the time of the commit
	Ahead  int64  `json:"ahead"` // rows of the table that are ahead of the position
}

func parseCommit(version int64, encoded string) (*commit, error) {
	c := &commit{Version: version}
	if err := json.Unmarshal([]byte(encoded), c); err != nil {
		return nil, fmt.Errorf("read commit %d: %w", version, err)
	}
	return c, nil
}

// positions are the positions in the form of the warehouse's contract.
func (c *commit) positions() []warehouse.StreamPosition {
	list := make([]warehouse.StreamPosition, len(c.Positions))
	for i, p := range c.Positions {
		loaded, _ := time.Parse(time.RFC3339Nano, p.Loaded)
		list[i] = warehouse.StreamPosition{Stream: warehouse.Stream(p.Stream), Epoch: p.Epoch, Next: event.Position{Seq: p.Seq, Index: p.Index}, Loaded: loaded}
	}
	return list
}

// position is how far a stream of an epoch is loaded.
func (c *commit) position(stream warehouse.Stream, epoch string) event.Position {
	for _, p := range c.Positions {
		if p.Stream == string(stream) && p.Epoch == epoch {
			return event.Position{Seq: p.Seq, Index: p.Index}
		}
	}
	return event.Position{}
}

// latestEvents is the epoch whose events were loaded last, "" for none.
func (c *commit) latestEvents() (epoch string) {
	for _, p := range c.Positions { // in the order in which they were moved
		if p.Stream == string(warehouse.EventsStream) {
			epoch = p.Epoch
		}
	}
	return epoch
}

// advanced is a copy of the commit with one position moved, which is then the
// last of the list.
func (c *commit) advanced(to warehouse.StreamPosition, at time.Time) *commit {
	next := *c
	if to.Epoch == "" {
		return &next
	}
	moved := position{string(to.Stream), to.Epoch, to.Next.Seq, to.Next.Index, stamp(at)}
	next.Positions = append(slices.DeleteFunc(slices.Clone(c.Positions), func(p position) bool {
		return p.Stream == moved.Stream && p.Epoch == moved.Epoch
	}), moved)
	return &next
}
