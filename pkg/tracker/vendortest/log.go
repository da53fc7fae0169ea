package vendortest

import (
	"encoding/json"
	"io"
	"slices"
	"sync"
)

// Entry is one event that a fake took, in the vendor's form.
type Entry struct {
	Key    string          `json:"key,omitempty"` // by which the vendor drops repeats; "" if it does not
	Name   string          `json:"name"`
	Device string          `json:"device,omitempty"`
	User   string          `json:"user,omitempty"`
	Data   json.RawMessage `json:"data"` // the event as it came
}

// keepEntries bounds a Log's memory. Older entries are only counted, and written to
// the writer if there is one.
const keepEntries = 1 << 18

// Log is the events that a fake took, oldest first.
type Log struct {
	mu      sync.Mutex
	out     io.Writer
	err     error
	entries []Entry
	total   int
}

// NewLog makes a log. Each entry is also written to out as a line of JSON,
// unless out is nil.
func NewLog(out io.Writer) *Log { return &Log{out: out} }

// Add logs events.
func (l *Log) Add(entries ...Entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.total += len(entries)
	l.entries = append(l.entries, entries...)
	if over := len(l.entries) - keepEntries; over > 0 {
		l.entries = slices.Delete(l.entries, 0, over)
	}
	if l.out == nil || l.err != nil {
		return
	}
	for _, e := range entries {
		line, err := json.Marshal(e)
		if err == nil {
			_, err = l.out.Write(append(line, '\n'))
		}
		if l.err = err; err != nil {
			return
		}
	}
}

// Total is how many events were logged.
func (l *Log) Total() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.total
}

// Entries is a copy of the last 262,144 entries.
func (l *Log) Entries() []Entry {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.entries)
}

// Err is why writing to the log's file stopped, if it did.
func (l *Log) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}
