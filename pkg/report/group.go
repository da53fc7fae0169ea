package report

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/fault"
)

const (
	// perMinute is how many incidents of a group are reported in full in a minute.
	perMinute = 10
	// maxGroups bounds the groups that are told apart.
	maxGroups = 256
	// other is the name of the group, and of the label values, beyond a bound.
	other = "(other)"
)

// key is what makes incidents alike.
type key struct{ component, tracker, class string }

func keyOf(i fault.Incident) key {
	return key{short(i.Component), short(i.Tracker), short(i.Class)}
}

func short(s string) string { return s[:min(len(s), maxValue)] }

func (k key) fingerprint() []string { return []string{k.component, k.tracker, k.class} }

// group is incidents of one kind.
type group struct {
	key key // never changes
	minute
}

// minute counts the incidents of a group in the current minute.
type minute struct {
	count    uint64
	admitted int    // to be reported in full
	withheld uint64 // not reported in full
	first    mark
	last     mark
}

type mark struct {
	receipt string
	time    time.Time
}

// groups tells incidents apart and decides which are reported in full. It is
// safe for concurrent use.
type groups struct {
	mu    sync.Mutex
	byKey map[key]*group
}

// admit counts an incident and says in which group, and whether it is to be
// reported in full.
func (g *groups) admit(i fault.Incident) (group key, full bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	in := g.find(keyOf(i))
	now := mark{time: i.Time}
	if in.count == 0 {
		in.first, in.last = now, now
	}
	in.count++
	in.last.time = i.Time
	if n := len(i.Receipts); n > 0 {
		in.last.receipt = short(i.Receipts[n-1])
		if in.first.receipt == "" {
			in.first.receipt = short(i.Receipts[0])
		}
	}
	if in.admitted >= perMinute {
		in.withheld++
		return in.key, false
	}
	in.admitted++
	return in.key, true
}

func (g *groups) find(k key) *group {
	if in, ok := g.byKey[k]; ok {
		return in
	}
	if len(g.byKey) >= maxGroups {
		k = key{component: other, class: other}
		if in, ok := g.byKey[k]; ok {
			return in
		}
	}
	in := &group{key: k}
	g.byKey[k] = in
	return in
}

// withhold takes back an admission: the incident found no room in the queue, so
// the group's summary has to speak for it.
func (g *groups) withhold(group key) {
	g.mu.Lock()
	defer g.mu.Unlock()
	in := g.find(group)
	in.withheld++
	in.count = max(in.count, in.withheld) // a minute may have ended in between
}

// roll ends a minute. It offers a summary of every group of which something was
// withheld; where push has no room for it, the counts go on into the next
// minute. Groups that were silent for the whole minute are forgotten.
func (g *groups) roll(push func(*record) bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, in := range g.ordered() {
		in.admitted = 0
		switch {
		case in.count == 0:
			delete(g.byKey, in.key)
		case in.withheld == 0 || push(in.summarise()):
			in.minute = minute{}
		}
	}
}

func (g *groups) ordered() []*group {
	list := make([]*group, 0, len(g.byKey))
	for _, in := range g.byKey {
		list = append(list, in)
	}
	slices.SortFunc(list, func(a, b *group) int {
		return cmp.Or(cmp.Compare(a.key.component, b.key.component), cmp.Compare(a.key.tracker, b.key.tracker), cmp.Compare(a.key.class, b.key.class))
	})
	return list
}

func (in *group) summarise() *record {
	return &record{
		group: in.key, fingerprint: in.key.fingerprint(), time: in.last.time,
		message: "more incidents of this kind than are reported in full",
		summary: &summary{
			count: in.count, shown: in.count - min(in.withheld, in.count),
			firstReceipt: in.first.receipt, lastReceipt: in.last.receipt, firstTime: in.first.time, lastTime: in.last.time,
		},
	}
}
