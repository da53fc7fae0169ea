package bigquery

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
)

// state is what a commit says: the JSON of positions_log.state.
type state struct {
	Version int64 `json:"-"`
	// Events and Outcomes are the epochs that rows ahead of the marks belong to.
	Events   string                   `json:"events"`
	Outcomes string                   `json:"outcomes"`
	Marks    []position               `json:"marks"`
	Tables   map[string]streamedTable `json:"tables"` // the counted ones
}

// position is a mark.
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
	Rows   int64  `json:"rows"`  // that the stream held
	Ahead  int64  `json:"ahead"` // rows of the table that are ahead of the mark
}

func parseState(version int64, encoded string) (*state, error) {
	st := &state{Version: version}
	if err := json.Unmarshal([]byte(encoded), st); err != nil {
		return nil, fmt.Errorf("read commit %d: %w", version, err)
	}
	return st, nil
}

// marks are the state's marks as the contract gives them.
func (st *state) marks() []warehouse.StreamPosition {
	if st == nil {
		return nil
	}
	list := make([]warehouse.StreamPosition, len(st.Marks))
	for i, p := range st.Marks {
		loaded, _ := time.Parse(time.RFC3339Nano, p.Loaded)
		list[i] = warehouse.StreamPosition{Stream: warehouse.Stream(p.Stream), Epoch: p.Epoch, Next: event.Position{Seq: p.Seq, Index: p.Index}, Loaded: loaded}
	}
	return list
}

// mark is where a stream of an epoch is loaded to.
func (st *state) mark(stream warehouse.Stream, epoch string) event.Position {
	for _, p := range st.Marks {
		if p.Stream == string(stream) && p.Epoch == epoch {
			return event.Position{Seq: p.Seq, Index: p.Index}
		}
	}
	return event.Position{}
}

// advanced is a copy of the state with a mark moved.
func (st *state) advanced(m warehouse.StreamPosition, at time.Time) *state {
	next := *st
	if m.Epoch == "" {
		return &next
	}
	moved := position{string(m.Stream), m.Epoch, m.Next.Seq, m.Next.Index, stamp(at)}
	next.Marks = nil
	for _, p := range st.Marks {
		if p.Stream != moved.Stream || p.Epoch != moved.Epoch {
			next.Marks = append(next.Marks, p)
		}
	}
	next.Marks = append(next.Marks, moved)
	return &next
}
