package journal

import "sync"

// recentBytes bounds what recent keeps of one stream. It is several seconds of a
// busy gateway.
const recentBytes = 8 << 20

// recent keeps the messages that an embedded server acknowledged last. Readers near
// the end of the stream take them from here: the server reads a message from its
// files for each reader again, and keeps the file's whole block in memory for that.
type recent struct {
	mu       sync.RWMutex
	messages map[uint64]stored
	order    []uint64 // of sequences, as they were added
	bytes    int
	first    uint64 // sequence of the stream's first message
}

// add keeps a message, whose data must not change afterwards.
func (c *recent) add(m stored) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.messages == nil {
		c.messages = make(map[uint64]stored)
	}
	if _, again := c.messages[m.Seq]; again {
		return
	}
	c.messages[m.Seq] = m
	c.order = append(c.order, m.Seq)
	c.bytes += len(m.Data)
	c.drop(func(uint64) bool { return c.bytes > recentBytes })
}

// trimmed forgets what is before the first message of the stream.
func (c *recent) trimmed(first uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.first = first
	c.drop(func(seq uint64) bool { return seq < first })
}

// clear forgets everything.
func (c *recent) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.drop(func(uint64) bool { return true })
}

// drop forgets the oldest messages, as long as each is unwanted.
func (c *recent) drop(unwanted func(seq uint64) bool) {
	for len(c.order) > 0 && unwanted(c.order[0]) {
		c.bytes -= len(c.messages[c.order[0]].Data)
		delete(c.messages, c.order[0])
		c.order = c.order[1:]
	}
}

func (c *recent) get(seq uint64) (stored, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	m, ok := c.messages[seq]
	return m, ok && seq >= c.first
}
