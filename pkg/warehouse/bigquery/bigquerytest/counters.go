package bigquerytest

import (
	"maps"
	"sync"

	"google.golang.org/grpc/codes"
)

// Counts is what a server has done so far.
type Counts struct {
	Calls       map[Method]int     // answered or broken off, whatever came of them
	Failed      map[Method]int     // of these, with an error
	Codes       map[codes.Code]int // what calls ended with; of REST the HTTP status
	Rows        int64              // appended, held back ones included
	Connections int                // AppendRows connections that were opened
	Open        int                // that are open
	MostOpen    int                // that were open at once
	InFlight    int                // the most appends that waited for their answer at once
	Tokens      int                // that were issued
}

// counters counts for one server.
type counters struct {
	mu      sync.Mutex
	counts  Counts
	pending int
}

func newCounters() *counters {
	return &counters{counts: Counts{Calls: map[Method]int{}, Failed: map[Method]int{}, Codes: map[codes.Code]int{}}}
}

func (c *counters) call(m Method, code codes.Code) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts.Calls[m]++
	c.counts.Codes[code]++
	if code != codes.OK {
		c.counts.Failed[m]++
	}
}

func (c *counters) connection(change int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts.Open += change
	if change > 0 {
		c.counts.Connections++
		c.counts.MostOpen = max(c.counts.MostOpen, c.counts.Open)
	}
}

func (c *counters) appended(rows int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts.Rows += int64(rows)
}

func (c *counters) waiting() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pending++
	c.counts.InFlight = max(c.counts.InFlight, c.pending)
}

func (c *counters) answered() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pending--
}

func (c *counters) token() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.counts.Tokens++
}

func (c *counters) snapshot() Counts {
	c.mu.Lock()
	defer c.mu.Unlock()
	counts := c.counts
	counts.Calls, counts.Failed, counts.Codes = maps.Clone(c.counts.Calls), maps.Clone(c.counts.Failed), maps.Clone(c.counts.Codes)
	return counts
}
