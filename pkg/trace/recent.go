package trace

import (
	"sync"

	"github.com/sparrow-edge/sparrow/pkg/event"
)

// recent keeps the reductions of the records that were traced last. The lanes read
// the same records within a short time, and most of what Trace does is the same for
// each tracker. It does not change any result.
type recent struct {
	mu         sync.Mutex
	reductions map[event.Receipt]*reduction
	order      []event.Receipt // a ring: in the order they were added
	next       int             // in order: the oldest, once the ring is full
}

// The bounds of recent: several windows of a lane, of ordinary records. Together they
// keep it below 64 MiB whatever clients send; 4,096 events of 400 bytes are 5 MB.
const (
	maxRecent     = 4096
	maxRecentData = 8 << 10 // of one record
)

// find returns nil for a record that is not there.
func (c *recent) find(receipt event.Receipt) *reduction {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.reductions[receipt]
}

// add keeps a reduction in the place of the oldest. A record that is not of the
// journal has no receipt, and is not kept.
func (c *recent) add(rec *event.Record, r *reduction) {
	if rec.Receipt.Epoch == "" || len(rec.Event()) > maxRecentData {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.reductions == nil {
		c.reductions = make(map[event.Receipt]*reduction, maxRecent)
	}
	if _, again := c.reductions[rec.Receipt]; again { // another lane was as fast
		return
	}
	if len(c.order) < maxRecent {
		c.order = append(c.order, rec.Receipt)
	} else {
		delete(c.reductions, c.order[c.next])
		c.order[c.next] = rec.Receipt
		c.next = (c.next + 1) % maxRecent
	}
	c.reductions[rec.Receipt] = r
}
