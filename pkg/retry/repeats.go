package retry

import (
	"sync"
	"time"
)

// RepeatPeriod is how often a message that repeats is logged.
const RepeatPeriod = time.Minute

// Repeats bounds how often a message is logged that may come thousands of times a
// second. The zero value is ready, and safe for concurrent use. It remembers every
// kind of message for good, so kinds must be few: format strings, not texts.
type Repeats struct {
	mu    sync.Mutex
	kinds map[string]repeat
}

type repeat struct {
	logged time.Time
	since  int // messages since then
}

// Due reports whether a message of this kind should be logged now: the first, and
// then one each RepeatPeriod. before is how many came since the last that was due.
func (r *Repeats) Due(kind string) (before int, due bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.kinds == nil {
		r.kinds = make(map[string]repeat)
	}
	now := time.Now()
	last, found := r.kinds[kind]
	if due = !found || now.Sub(last.logged) >= RepeatPeriod; due {
		before, last = last.since, repeat{logged: now}
	} else {
		last.since++
	}
	r.kinds[kind] = last
	return before, due
}
