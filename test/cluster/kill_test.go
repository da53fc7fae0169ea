package cluster_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/lease"
	"github.com/sparrow-edge/sparrow/test/harness"
)

const kills = 4

// house is a whole Sparrow over a cluster, under load.
type house struct {
	t           *testing.T
	vendors     []*vendor
	dispatchers []*harness.Gateway
	lanes       []*harness.Gateway
	loader      *harness.Gateway
	generators  []*harness.Generator
}

func build(t *testing.T) *house {
	_, url := startNATS(t, 3)
	h := &house{t: t, vendors: newVendors(t)}
	configured := files(url, 3, h.vendors)
	for i := range 2 {
		h.dispatchers = append(h.dispatchers, process(t, configured, "dispatcher"))
		h.lanes = append(h.lanes, process(t, configured, "trace"))
		h.generators = append(h.generators, generate(h.dispatchers[i], fmt.Sprint("from", i)))
	}
	h.name()
	h.loader = process(t, configured, "loader")
	// The lanes begin at now: they are there before the first event.
	h.lanes[0].Start()
	h.lanes[1].Start()
	h.loader.Start()
	h.dispatchers[0].Start()
	h.dispatchers[1].Start()
	return h
}

// name names the two processes that run lanes so that each owns two of the four,
// one at a vendor of either kind. With names that are drawn, one may own all.
func (h *house) name() {
	h.t.Helper()
	for n := 0; ; n++ {
		nodes := []string{fmt.Sprint("first", n), fmt.Sprint("second", n)}
		var owned []string // at the first
		for _, v := range h.vendors {
			if lease.Owner("lane-"+v.name, nodes) == nodes[0] {
				owned = append(owned, v.name)
			}
		}
		if len(owned) != 2 || strings.HasSuffix(owned[0], "ga4") == strings.HasSuffix(owned[1], "ga4") {
			continue
		}
		for i, g := range h.lanes {
			if err := os.MkdirAll(filepath.Join(g.Dir, "data"), 0o700); err != nil {
				h.t.Fatal(err)
			}
			g.Write(filepath.Join("data", "node"), nodes[i]+"\n")
		}
		return
	}
}

// load posts until stop is called.
func (h *house) load() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	for _, g := range h.generators {
		all.Go(func() { g.Run(ctx) })
	}
	return func() { cancel(); all.Wait() }
}

func (h *house) acknowledged() map[string]bool {
	all := map[string]bool{}
	for _, g := range h.generators {
		maps.Copy(all, g.Acknowledged())
	}
	return all
}

func (h *house) sent() map[string]bool {
	all := map[string]bool{}
	for _, g := range h.generators {
		maps.Copy(all, g.Sent())
	}
	return all
}

// progress waits until more events were acknowledged, and each vendor took more.
func (h *house) progress(n int) {
	h.t.Helper()
	acknowledged, taken := len(h.acknowledged()), h.taken()
	harness.Await(h.t, "the load and the lanes to go on", time.Minute, func() bool {
		for i, before := range taken {
			if h.taken()[i] <= before {
				return false
			}
		}
		return len(h.acknowledged()) > acknowledged+n
	})
}

func (h *house) taken() (totals []int) {
	for _, v := range h.vendors {
		totals = append(totals, v.taken.Total())
	}
	return totals
}

// sending waits until a process has something under way to a vendor that does
// not drop repeats.
func (h *house) sending(g *harness.Gateway) {
	h.t.Helper()
	lanes := doing(g)
	harness.Await(h.t, "a request to be under way", time.Minute, func() bool {
		for _, v := range h.vendors {
			if slices.Contains(lanes, v.name) && strings.HasSuffix(v.name, "ga4") && v.underWay.Load() > 0 {
				return true
			}
		}
		return false
	})
}

// shared waits until each of the two has two of the four lanes.
func (h *house) shared() {
	h.t.Helper()
	harness.Await(h.t, "the lanes to be shared out", time.Minute, func() bool {
		return len(doing(h.lanes[0])) == 2 && len(doing(h.lanes[1])) == 2
	})
}

// alone waits until a process has all lanes, within the bound that is promised:
// the lease, a look at it, and what a busy machine takes.
func (h *house) alone(g *harness.Gateway) {
	h.t.Helper()
	begun := time.Now()
	harness.Await(h.t, "the lanes to be taken over", time.Minute, func() bool { return len(doing(g)) == len(h.vendors) })
	if took := time.Since(begun); took > 3*leaseTTL {
		h.t.Errorf("it took %v to take lanes over, with a lease of %v", took, leaseTTL)
	}
}

// Who holds lanes is killed under load, or stopped and woken after its lanes were
// taken over; dispatchers and the loader die, too. Nothing acknowledged is lost,
// nothing is taken twice, and the sums agree with the vendors' own logs.
func TestProcessesDieUnderLoad(t *testing.T) {
	h := build(t)
	h.shared()
	stop := h.load()
	defer stop()
	h.progress(100)
	for i := range kills {
		// Who comes back gets its own two lanes: so all four are hit.
		victim, heir := h.lanes[i/2%2], h.lanes[(i/2+1)%2]
		h.sending(victim)
		victim.Kill()
		h.alone(heir)
		h.progress(50)
		if i == 1 {
			h.loader.Kill()
			h.loader.Start()
		}
		if i == 2 {
			h.dispatchers[0].Kill()
			h.dispatchers[0].Start()
		}
		victim.Start()
		h.shared()
		h.progress(50)
	}
	h.sleepwalk()
	stop()
	h.settle()
	h.check()
}

// sleepwalk stops a process until another has its lanes, and lets it go on in the
// belief that they are its own.
func (h *house) sleepwalk() {
	h.t.Helper()
	sleeper, heir := h.lanes[0], h.lanes[1]
	h.sending(sleeper)
	sleeper.Signal(syscall.SIGSTOP)
	h.alone(heir)
	h.progress(50)
	sleeper.Signal(syscall.SIGCONT)
	h.shared()
	if !sleeper.Running() {
		h.t.Error("a process that was stopped for a while has ended")
	}
	h.progress(50)
}

// settle waits until the loader has written down that nothing is pending.
func (h *house) settle() {
	h.t.Helper()
	harness.Await(h.t, "everything to be delivered and written down", 3*time.Minute, func() bool {
		row := h.loader.Query(`select (select count(*) from raw where not duplicate) as n,
			(select coalesce(sum(pending), 0) from reconciliation) as pending`)[0]
		return harness.Number(row, "n") >= len(h.acknowledged()) && harness.Number(row, "pending") == 0
	})
}

func (h *house) check() {
	h.t.Helper()
	acknowledged, sent := h.acknowledged(), h.sent()
	first := map[string]int{}
	for _, row := range h.loader.Query(`select eventId, count(*) as n from raw where not duplicate group by all`) {
		first[row["eventId"].(string)] = harness.Number(row, "n")
	}
	for id := range acknowledged {
		if first[id] != 1 {
			h.t.Errorf("acknowledged, and %d times in raw: %s", first[id], id)
		}
	}
	sums := map[string]map[string]any{}
	for _, row := range h.loader.Query(`select tracker, sum(accepted) as accepted, sum(delivered) as delivered, sum(uncertain) as uncertain,
		sum(rejected) + sum(expired) + sum(filtered) as other, sum(unaccounted) as unaccounted from reconciliation group by tracker`) {
		sums[row["tracker"].(string)] = row
	}
	h.t.Logf("%d events acknowledged, %d tried", len(acknowledged), len(sent))
	unsure := 0
	for _, v := range h.vendors {
		h.checkVendor(v, sums[v.name], sent, len(first))
		unsure += harness.Number(sums[v.name], "uncertain")
	}
	if unsure == 0 {
		h.t.Error("nothing is uncertain although processes died while they were sending: nothing is proved")
	}
}

// checkVendor holds a vendor's own log against the generators and the sums.
func (h *house) checkVendor(v *vendor, sums map[string]any, sent map[string]bool, accepted int) {
	h.t.Helper()
	seen := map[string]bool{}
	for _, entry := range v.taken.Entries() {
		var body struct {
			Params          struct{ ID string } `json:"params"`           // GA4
			EventProperties struct{ ID string } `json:"event_properties"` // Amplitude
		}
		if err := json.Unmarshal(entry.Data, &body); err != nil {
			h.t.Fatal(err)
		}
		id := body.Params.ID + body.EventProperties.ID
		if seen[id] || !sent[id] {
			h.t.Errorf("%s: taken twice, or never sent: %s", v.name, id)
		}
		seen[id] = true
	}
	delivered, uncertain := harness.Number(sums, "delivered"), harness.Number(sums, "uncertain")
	h.t.Logf("%s took %d: %v", v.name, len(seen), sums)
	if harness.Number(sums, "accepted") != accepted || harness.Number(sums, "unaccounted") != 0 || harness.Number(sums, "other") != 0 {
		h.t.Errorf("%s: the sums do not agree with the %d events in raw: %v", v.name, accepted, sums)
	}
	if strings.HasSuffix(v.name, "amplitude") && uncertain > 0 {
		h.t.Errorf("%s drops repeats, so that nothing need be uncertain: %v", v.name, sums)
	}
	if len(seen) < delivered || len(seen) > delivered+uncertain {
		h.t.Errorf("%s took %d events; the gateway says %d delivered and %d uncertain", v.name, len(seen), delivered, uncertain)
	}
}
