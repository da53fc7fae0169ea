package lease

import "slices"

// peer is another member that shares work.
type peer struct {
	wants []string // what it is ready to do
	holds int      // how much of it it does
}

// picture is what a member goes by when it decides what to take and what to
// give up of the work that is shared out.
type picture struct {
	wants []string // what it is ready to do, sorted
	holds []string // what it does and is not giving up, sorted
	free  []string // of wants: what nobody does, sorted
	late  []string // of free: what nobody has done for too long
	peers []peer   // the other members that are alive
}

// share is how much of the work is this member's part: at least and at most.
func (p picture) share() (least, most int) {
	processes := 1
	for _, other := range p.peers {
		if slices.ContainsFunc(p.wants, func(name string) bool { return slices.Contains(other.wants, name) }) {
			processes++
		}
	}
	n := len(p.wants)
	return n / processes, (n + processes - 1) / processes
}

// room is how much of the free work this member may take as its part.
func (p picture) room() int {
	_, most := p.share()
	return max(0, most-len(p.holds))
}

// must reports whether this member takes a free piece of work beyond its part:
// nobody else is ready to do it, or those who are do not.
func (p picture) must(name string) bool {
	return slices.Contains(p.late, name) || !p.wanted(name)
}

func (p picture) wanted(name string) bool {
	return slices.ContainsFunc(p.peers, func(other peer) bool { return slices.Contains(other.wants, name) })
}

// surplus is what this member gives up, for others who are ready to do it: the
// last by name of what is beyond its part, and one more when another has less
// than its own part and nothing is free.
func (p picture) surplus() []string {
	least, most := p.share()
	n := len(p.holds) - most
	starved := slices.ContainsFunc(p.peers, func(other peer) bool { return other.holds < least })
	if n <= 0 && len(p.holds) > least && len(p.free) == 0 && starved {
		n = 1
	}
	var give []string
	for i := len(p.holds) - 1; i >= 0 && len(give) < n; i-- {
		if p.wanted(p.holds[i]) {
			give = append(give, p.holds[i])
		}
	}
	return give
}
