package report

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/fault"
)

const (
	// perMinute is how many incidents of a group are reported in full each minute.
	perMinute = 10
	// maxGroups bounds the number of groups. Incidents of further ones share one.
	maxGroups = 256
	// other names that shared group, and the label values beyond their bound.
	other = "(other)"
)

// key is what incidents are grouped by.
type key struct{ component, tracker, class string }

func keyOf(i fault.Incident) key {
	return key{short(i.Component), short(i.Tracker), short(i.Class)}
}

func short(s string) string { return s[:min(len(s), maxValue)] }

func (k key) fingerprint() []string { return []string{k.component, k.tracker, k.class} }

// group counts the incidents of one key in the current minute.
type group struct {
	count       uint64
	sampled     int    // to be reported in full
	suppressed  uint64 // not reported in full
	first, last occurrence
}

// occurrence is one incident of a group, as its summary shows it.
type occurrence struct {
	receipt string
	time    time.Time
}

// groups counts incidents by key and decides which are reported in full. It is
// safe for concurrent use.
type groups struct {
	mu    sync.Mutex
	byKey map[key]*group
}

// sample counts an incident. It returns the key of its group, and whether to report
// the incident in full.
func (g *groups) sample(i fault.Incident) (k key, full bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	k, in := g.find(keyOf(i))
	if in.count == 0 {
		in.first.time = i.Time
	}
	in.count++
	in.last.time = i.Time
	if n := len(i.Receipts); n > 0 {
		in.last.receipt = short(i.Receipts[n-1])
		if in.first.receipt == "" {
			in.first.receipt = short(i.Receipts[0])
		}
	}
	if in.sampled >= perMinute {
		in.suppressed++
		return k, false
	}
	in.sampled++
	return k, true
}

// find returns the group of a key, or the shared one if there are too many.
func (g *groups) find(k key) (key, *group) {
	if g.byKey[k] == nil && len(g.byKey) >= maxGroups {
		k = key{component: other, class: other}
	}
	if g.byKey[k] == nil {
		g.byKey[k] = &group{}
	}
	return k, g.byKey[k]
}

// suppress undoes a sample: the queue was full, so the incident is only counted in
// the group's summary.
func (g *groups) suppress(k key) {
	g.mu.Lock()
	defer g.mu.Unlock()
	_, in := g.find(k)
	in.suppressed++
	in.count = max(in.count, in.suppressed) // a minute may have ended in between
}

// roll ends a minute. It pushes a summary of every group with suppressed incidents.
// If push returns false, the counts continue into the next minute. Groups without
// an incident in the whole minute are forgotten.
func (g *groups) roll(push func(*payload) bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	keys := slices.SortedFunc(maps.Keys(g.byKey), func(a, b key) int { return slices.Compare(a.fingerprint(), b.fingerprint()) })
	for _, k := range keys {
		in := g.byKey[k]
		in.sampled = 0
		switch {
		case in.count == 0:
			delete(g.byKey, k)
		case in.suppressed == 0 || push(in.summarize(k)):
			*in = group{}
		}
	}
}

func (in *group) summarize(k key) *payload {
	return &payload{
		group: k, fingerprint: k.fingerprint(), time: in.last.time,
		message: "more incidents of this kind than are reported in full",
		summary: &summary{count: in.count, shown: in.count - min(in.suppressed, in.count), first: in.first, last: in.last},
	}
}
