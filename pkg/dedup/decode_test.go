package dedup

import (
	"bytes"
	"testing"

	"github.com/sparrow-edge/sparrow/pkg/event"
)

// FuzzDecode feeds every decoder of stored bytes: none panics, and a state that
// is read is written back so that it reads the same.
func FuzzDecode(f *testing.F) {
	s := state{epoch: "e1", applied: event.Position{Seq: 7, Index: 3}, forgotten: -5, nextID: 9, generations: []generation{{id: 8, opened: 1, latest: -1 << 63, entries: 4}}}
	f.Add(s.append(nil))
	f.Add((&state{}).append(nil))
	f.Add(appendOriginal(nil, event.Position{Seq: 1 << 60, Index: 1<<32 - 1}, 1<<50))
	f.Add(appendFlagKey(nil, event.Position{Seq: 1, Index: 2}))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		if s, err := parseState(b); err == nil {
			written := s.append(nil)
			again, err := parseState(written)
			if err != nil || !bytes.Equal(again.append(nil), written) {
				t.Errorf("state %+v is read back as %+v, %v", s, again, err)
			}
		}
		if p, err := parsePosition(b); err == nil {
			if again, err := parsePosition(event.AppendPosition(nil, p)); err != nil || again != p {
				t.Errorf("position %s is read back as %s, %v", p, again, err)
			}
		}
		if p, err := parseFlagKey(b); err == nil && !bytes.Equal(appendFlagKey(nil, p), b) {
			t.Errorf("flag key %x is written back differently", b)
		}
		_, _ = parseOriginal(b)
	})
}
