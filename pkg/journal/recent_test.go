package journal

import (
	"testing"
)

func TestRecentKeepsTheLastMessagesWithinItsBound(t *testing.T) {
	var c recent
	const size, messages = 1 << 20, 40
	for seq := uint64(1); seq <= messages; seq++ {
		c.add(stored{Seq: seq ^ 1, Data: make([]byte, size)}) // lanes are acknowledged in any order
		if c.bytes > recentBytes || c.bytes != size*len(c.messages) || len(c.order) != len(c.messages) {
			t.Fatalf("after %d messages: %d bytes in %d messages, %d in order", seq, c.bytes, len(c.messages), len(c.order))
		}
	}
	kept := func() (list []uint64) {
		for seq := range uint64(2 * messages) {
			if m, ok := c.get(seq); ok {
				if m.Seq != seq {
					t.Errorf("message %d under %d", m.Seq, seq)
				}
				list = append(list, seq)
			}
		}
		return list
	}
	if list := kept(); len(list) != recentBytes/size || list[len(list)-1] != messages+1-messages%2 && list[len(list)-1] != messages {
		t.Errorf("kept: %v", list)
	}
	c.trimmed(messages - 2)
	for _, seq := range kept() {
		if seq < messages-2 {
			t.Errorf("message %d is there after the stream was trimmed to %d", seq, messages-2)
		}
	}
	c.add(stored{Seq: messages, Data: make([]byte, size)}) // a repetition
	c.clear()
	if list := kept(); len(list) > 0 || c.bytes != 0 {
		t.Errorf("after clear: %v, %d bytes", list, c.bytes)
	}
}
