package trace

import (
	"sync"
	"unsafe"

	"github.com/sparrow-edge/sparrow/pkg/event"
)

// recent keeps the reductions of the records that were traced last. The lanes read
// the same records within a short time, and most of what Trace does is the same for
// each tracker. It does not change any result.
type recent struct {
	mu         sync.Mutex
	reductions map[event.Receipt]*reduction
	order      []kept // the oldest first
	bytes      int
}

type kept struct {
	receipt event.Receipt
	bytes   int
}

// The bounds of recent. Several windows of a lane are in it at a time: 4,096 ordinary
// events are 5 MiB. maxRecentBytes is for clients that send what takes much memory,
// such as long lists of numbers.
const (
	maxRecent      = 4096
	maxRecentBytes = 32 << 20
)

// find returns nil for a record that is not there.
func (c *recent) find(receipt event.Receipt) *reduction {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.reductions[receipt]
}

// add keeps a reduction, and forgets the oldest. A record that is not of the journal
// has no receipt, and is not kept.
func (c *recent) add(rec *event.Record, r *reduction) {
	if rec.Receipt.Epoch == "" {
		return
	}
	bytes := r.size()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.reductions == nil {
		c.reductions = make(map[event.Receipt]*reduction, maxRecent)
	}
	if _, again := c.reductions[rec.Receipt]; again { // another lane was as fast
		return
	}
	c.reductions[rec.Receipt] = r
	c.order = append(c.order, kept{rec.Receipt, bytes})
	c.bytes += bytes
	for len(c.order) > maxRecent || c.bytes > maxRecentBytes {
		oldest := c.order[0]
		c.order = c.order[1:]
		c.bytes -= oldest.bytes
		delete(c.reductions, oldest.receipt)
	}
}

// size is about how much memory a reduction takes.
func (r *reduction) size() int {
	e := &r.event
	bytes := int(unsafe.Sizeof(*r)) + sizeOf(e.Properties) + sizeOf(e.UserProperties)
	for _, text := range [...]string{e.EventID, e.DeviceID, e.UserID, e.Page.URL, e.Page.Path, e.Page.Referrer, e.Page.Title, e.Locale, e.SessionID, e.UserAgent} {
		bytes += len(text)
	}
	for purpose := range e.Consent {
		bytes += 2*len(purpose) + int(unsafe.Sizeof(purpose))
	}
	return bytes
}

func sizeOf(list []event.Property) int {
	bytes := cap(list) * int(unsafe.Sizeof(event.Property{}))
	for i := range list {
		bytes += len(list[i].Name) + sizeOfValue(&list[i].Value)
	}
	return bytes
}

func sizeOfValue(v *event.Value) int {
	bytes := len(v.Text) + cap(v.Items)*int(unsafe.Sizeof(*v)) + sizeOf(v.Fields)
	for i := range v.Items {
		bytes += sizeOfValue(&v.Items[i])
	}
	return bytes
}
