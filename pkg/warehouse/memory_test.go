package warehouse_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/fault"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
)

// memory is a warehouse that keeps everything in memory and fails when told to.
type memory struct {
	mu         sync.Mutex
	marks      []warehouse.StreamPosition
	raw        []warehouse.RawRow
	deliveries []warehouse.DeliveryRow
	names      map[string]bool
	plans      []string
	expired    []time.Time
	compacted  int   // times
	batches    []int // raw rows of each batch
	loads      int   // attempts
	broken     []string

	fail   func() error                            // of every call, before anything is done
	after  func() error                            // of Load, after it stored the batch
	refuse func(warehouse.RawRow) string           // why a row can never be stored
	typing func(warehouse.RawRow) warehouse.Typing // that is possible of a row
	views  func([]warehouse.Column) error          // of ApplyViews
}

func newMemory() *memory {
	nothing := func() error { return nil }
	return &memory{
		names: map[string]bool{}, fail: nothing, after: nothing,
		refuse: func(warehouse.RawRow) string { return "" }, typing: func(warehouse.RawRow) warehouse.Typing { return warehouse.TypedFully }, views: func([]warehouse.Column) error { return nil },
	}
}

func (m *memory) Load(_ context.Context, batch *warehouse.Batch) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.loads++
	if err := m.fail(); err != nil {
		return err
	}
	var bad []warehouse.RowError
	for i, r := range batch.Raw {
		if reason := m.refuse(r); reason != "" && r.Refused == "" {
			bad = append(bad, warehouse.RowError{Row: i, Reason: reason})
		} else if typing := m.typing(r); typing > r.Typing {
			bad = append(bad, warehouse.RowError{Row: i, Reason: "Conversion Error", Typing: typing})
		}
	}
	if bad != nil {
		return &warehouse.RowsError{Rows: bad}
	}
	rest := batch.After(m.marks)
	m.batches = append(m.batches, len(rest.Raw))
	m.raw = append(m.raw, rest.Raw...)
	for _, n := range rest.Names {
		m.names[n.Source+" "+n.Event] = true
	}
	m.set(rest.Events)
	for _, d := range rest.Deliveries {
		if next := m.next(warehouse.EventsStream, d.Epoch); !d.Position.Before(next) {
			m.broken = append(m.broken, fmt.Sprintf("delivery of %s %s before its event; events end at %s", d.Epoch, d.Position, next))
		}
	}
	m.deliveries = append(m.deliveries, rest.Deliveries...)
	m.set(rest.Outcomes)
	return m.after()
}

func (m *memory) set(mark warehouse.StreamPosition) {
	if mark.Epoch == "" {
		return
	}
	m.marks = slices.DeleteFunc(m.marks, func(o warehouse.StreamPosition) bool { return o.Stream == mark.Stream && o.Epoch == mark.Epoch })
	m.marks = append(m.marks, mark)
}

func (m *memory) next(stream warehouse.Stream, epoch string) event.Position {
	for _, mark := range m.marks {
		if mark.Stream == stream && mark.Epoch == epoch {
			return mark.Next
		}
	}
	return event.Position{}
}

func (m *memory) Prepare(context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.fail()
}

func (m *memory) Positions(context.Context) ([]warehouse.StreamPosition, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.marks), m.fail()
}

func (m *memory) Names(context.Context, time.Time, string) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return nil, m.fail()
}

func (m *memory) SavePlan(_ context.Context, version, _ string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.fail(); err != nil {
		return err
	}
	m.plans = append(m.plans, version)
	return nil
}

func (m *memory) ApplyViews(_ context.Context, columns []warehouse.Column, _ bool) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.views(columns)
}

func (m *memory) Query(context.Context, string, warehouse.Limits, ...any) (*warehouse.Result, error) {
	return nil, errors.New("memory answers no queries")
}

func (m *memory) Expire(_ context.Context, before time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.expired = append(m.expired, before)
	return m.fail()
}

func (m *memory) Compact(context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.compacted++
	return m.fail()
}

func (m *memory) Close() error { return nil }

// with runs do while nothing else uses the memory.
func (m *memory) with(do func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	do()
}

// incidents keeps what an observer is told.
type incidents struct {
	mu   sync.Mutex
	list []fault.Incident
}

func (i *incidents) Report(incident fault.Incident) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.list = append(i.list, incident)
}

// of returns those of a class.
func (i *incidents) of(class string) []fault.Incident {
	i.mu.Lock()
	defer i.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(i.list), func(in fault.Incident) bool { return in.Class != class })
}
