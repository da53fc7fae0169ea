package lease_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/sparrow-edge/sparrow/pkg/lease"
)

// TestShare: what a process may take, and what it gives up.
func TestShare(t *testing.T) {
	const all = "a b c d e"
	with := func(holds ...int) (peers []lease.Peer) {
		for _, n := range holds {
			peers = append(peers, lease.NewPeer(all, n))
		}
		return peers
	}
	for name, test := range map[string]struct {
		wants, holds, free, late string
		peers                    []lease.Peer
		take, give               string
	}{
		"alone takes all":                     {wants: all, free: all, take: all},
		"a part of what is free":              {wants: all, free: all, peers: with(0), take: "a b c"},
		"the other has its part":              {wants: all, free: "d e", peers: with(3), take: "d e"},
		"gives up what is beyond its part":    {wants: all, holds: all, peers: with(0), give: "e d"},
		"keeps its part":                      {wants: all, holds: "a b c", peers: with(2)},
		"one more for a process that starves": {wants: all, holds: "a b", peers: with(2, 1, 0), give: "b"},
		"none while something is free":        {wants: all, holds: "a b", free: "c", peers: with(2, 0, 0)},
		"nobody else is ready to do it":       {wants: "a b", holds: "a", free: "b", peers: []lease.Peer{lease.NewPeer("a", 0)}, take: "b"},
		"gives up only what others do":        {wants: "a b", holds: "a b", peers: []lease.Peer{lease.NewPeer("a", 0)}, give: "a"},
		"others do other things":              {wants: "a b", free: "a b", peers: []lease.Peer{lease.NewPeer("x y", 2)}, take: "a b"},
		"the others do not do it":             {wants: "a b", holds: "a", free: "b", late: "b", peers: []lease.Peer{lease.NewPeer("a b", 0)}, take: "b"},
		"more processes than work":            {wants: "a", peers: []lease.Peer{lease.NewPeer("a", 1), lease.NewPeer("a", 0)}},
		"no work":                             {peers: with(1)},
	} {
		t.Run(name, func(t *testing.T) {
			take, give := lease.Decide(strings.Fields(test.wants), strings.Fields(test.holds), strings.Fields(test.free), strings.Fields(test.late), test.peers)
			if !slices.Equal(take, strings.Fields(test.take)) || !slices.Equal(give, strings.Fields(test.give)) {
				t.Errorf("takes %v and gives up %v, want %q and %q", take, give, test.take, test.give)
			}
		})
	}
}
