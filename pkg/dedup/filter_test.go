package dedup

import (
	"fmt"
	"testing"
)

func TestFilter(t *testing.T) {
	const entries = 100_000
	f := newFilter(entries)
	var h hasher
	for n := range entries {
		d := h.sum("shop", fmt.Sprintf("id-%d", n))
		f.add(&d)
	}
	wrong := 0
	for n := range entries {
		if d := h.sum("shop", fmt.Sprintf("id-%d", n)); !f.has(&d) {
			t.Fatalf("id-%d was added and is denied", n)
		}
		if d := h.sum("shop", fmt.Sprintf("new-%d", n)); f.has(&d) {
			wrong++
		}
	}
	if wrong > entries/50 {
		t.Errorf("%d of %d new ids pass the filter, want about one in a hundred", wrong, entries)
	}
}
