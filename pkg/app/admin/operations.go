package admin

import (
	"context"
	"errors"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/trail"
)

// ErrNotFound is returned, wrapped, for an event or a tracker that is not there.
var ErrNotFound = errors.New("not found")

// ErrBadRequest is returned, wrapped, for what the caller can correct: a query
// that does not parse, a limit that is exceeded.
var ErrBadRequest = errors.New("bad request")

// BadRequest marks an error as one that the caller can correct. The text stays.
func BadRequest(err error) error { return marked{err, ErrBadRequest} }

// NotFound marks an error as that of something that does not exist. The text stays.
func NotFound(err error) error { return marked{err, ErrNotFound} }

// marked is an error of a kind that both sides of the socket know.
type marked struct{ err, kind error }

func (m marked) Error() string   { return m.err.Error() }
func (m marked) Unwrap() []error { return []error{m.err, m.kind} }

// Questions are what can be asked of what is stored, also when no gateway runs.
type Questions interface {
	// Query runs one read-only SQL statement, under the warehouse's limits of
	// time, memory and rows.
	Query(ctx context.Context, sql string, maxRows int) (*Table, error)
	// Event returns the trails of the events with this event id or receipt:
	// several when a duplicate was sent.
	Event(ctx context.Context, id string, withRequest bool) ([]trail.Trail, error)
	// Reconcile returns the reconciliation of the days since a time.
	Reconcile(ctx context.Context, since time.Time) (*Table, error)
	// Verify counts the sums of the days since a time again, from the rows.
	Verify(ctx context.Context, since time.Time) (Verification, error)
	// UncountedDays returns the days since a time that have rows and no sums.
	UncountedDays(ctx context.Context, since time.Time) ([]UncountedDay, error)
	// CountDay counts the sums of a day from its rows, which are kept from then on.
	CountDay(ctx context.Context, day time.Time) (UncountedDay, error)
}

// Operations is what a running gateway can be asked to do.
type Operations interface {
	Questions
	// Tail calls emit for every event as it is accepted, until ctx ends or emit
	// returns an error.
	Tail(ctx context.Context, filter TailFilter, emit func(TailEvent) error) error
	// Trackers returns the state of every lane.
	Trackers(ctx context.Context) ([]TrackerStatus, error)
	// RemoveTracker closes a tracker that is no longer configured: what still
	// waits for it becomes expired.
	RemoveTracker(ctx context.Context, name string) (Removal, error)
	// ApplyViews brings the warehouse's views in line with the plan; columns
	// that are no longer in the plan leave only with drop.
	ApplyViews(ctx context.Context, drop bool) (ViewChange, error)
}

// Table is the result of a query. A value is nil, a bool, a json.Number or a
// string; times are RFC 3339, everything else is text.
type Table struct {
	Columns []Column `json:"columns"`
	Rows    [][]any  `json:"rows"`
}

// Verification says whether the sums that the reconciliation reads agree with the
// rows. A warehouse that keeps no sums counts the rows each time: there is nothing
// to verify.
type Verification struct {
	KeepsSums   bool  `json:"keepsSums"`
	Days        int   `json:"days"`        // that were counted again
	Differences Table `json:"differences"` // a row for each sum that is wrong
}

// UncountedDay is a day that has rows and no sums.
type UncountedDay struct {
	Day   string `json:"day"`             // 2026-11-28
	Bytes int64  `json:"bytes,omitempty"` // that counting it would read
}

// Column is a column of a Table.
type Column struct {
	Name string `json:"name"`
	Type string `json:"type"` // the warehouse's name for it
}

// TailFilter keeps a tail to one source or event name; "" keeps all.
type TailFilter struct {
	Source, Event string
}

// TailEvent is an event as it was accepted.
type TailEvent struct {
	ReceivedAt time.Time `json:"receivedAt"`
	Receipt    string    `json:"receipt"`
	EventID    string    `json:"eventId"`
	Source     string    `json:"source"`
	Event      string    `json:"event,omitempty"`
	DeviceID   string    `json:"deviceId,omitempty"`
	UserID     string    `json:"userId,omitempty"`
	Note       string    `json:"note,omitempty"` // duplicate, malformed: ..., invalid: ...
	Data       string    `json:"data"`           // as sent; base64 when it is not UTF-8
}

// TrackerStatus is the state of one lane.
type TrackerStatus struct {
	Name       string            `json:"name"`
	Kind       string            `json:"kind"`
	Mode       string            `json:"mode"`
	State      string            `json:"state"` // running, waiting: why, removed from the configuration, closed
	Position   string            `json:"position"`
	Backlog    uint64            `json:"backlog"` // records between its cursor and the journal's end
	Parked     int               `json:"parked"`
	LagSeconds float64           `json:"lagSeconds"`
	Outcomes   map[string]uint64 `json:"outcomes"` // since this process started
}

// Removal says what closing a tracker did.
type Removal struct {
	Tracker string `json:"tracker"`
	Expired uint64 `json:"expired"` // events that were still waiting
}

// ViewChange says what applying the views did.
type ViewChange struct {
	Added   []string `json:"added"`
	Dropped []string `json:"dropped"`
	Kept    []string `json:"kept"` // no longer in the plan, kept until --drop
}
