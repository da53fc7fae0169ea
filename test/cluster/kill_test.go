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

// deployment is a whole Sparrow over a cluster, under load.
type deployment struct {
	t           *testing.T
	vendors     []*vendor
	dispatchers []*harness.Gateway
	lanes       []*harness.Gateway
	loader      *harness.Gateway
	generators  []*harness.Generator
}

func build(t *testing.T) *deployment {
	_, url := startNATS(t, 3)
	d := &deployment{t: t, vendors: newVendors(t)}
	configured := files(url, 3, d.vendors)
	for i := range 2 {
		d.dispatchers = append(d.dispatchers, process(t, configured, "dispatcher"))
		d.lanes = append(d.lanes, process(t, configured, "trace"))
		d.generators = append(d.generators, generate(d.dispatchers[i], fmt.Sprint("from", i)))
	}
	d.name()
	d.loader = process(t, configured, "loader")
	// The lanes begin at now: they are there before the first event.
	d.lanes[0].Start()
	d.lanes[1].Start()
	d.loader.Start()
	d.dispatchers[0].Start()
	d.dispatchers[1].Start()
	return d
}

// name names the two processes that run lanes so that each owns two of the four,
// one at a vendor of either kind. With names that are drawn, one may own all.
func (d *deployment) name() {
	d.t.Helper()
	for n := 0; ; n++ {
		nodes := []string{fmt.Sprint("first", n), fmt.Sprint("second", n)}
		var owned []string // at the first
		for _, v := range d.vendors {
			if lease.Owner("lane-"+v.name, nodes) == nodes[0] {
				owned = append(owned, v.name)
			}
		}
		if len(owned) != 2 || strings.HasSuffix(owned[0], "ga4") == strings.HasSuffix(owned[1], "ga4") {
			continue
		}
		for i, g := range d.lanes {
			if err := os.MkdirAll(filepath.Join(g.Dir, "data"), 0o700); err != nil {
				d.t.Fatal(err)
			}
			g.Write(filepath.Join("data", "node"), nodes[i]+"\n")
		}
		return
	}
}

// load posts until stop is called.
func (d *deployment) load() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	for _, g := range d.generators {
		all.Go(func() { g.Run(ctx) })
	}
	return func() { cancel(); all.Wait() }
}

func (d *deployment) acknowledged() map[string]bool {
	all := map[string]bool{}
	for _, g := range d.generators {
		maps.Copy(all, g.Acknowledged())
	}
	return all
}

func (d *deployment) sent() map[string]bool {
	all := map[string]bool{}
	for _, g := range d.generators {
		maps.Copy(all, g.Sent())
	}
	return all
}

// progress waits until more events were acknowledged, and each vendor received more.
func (d *deployment) progress(n int) {
	d.t.Helper()
	acknowledged, taken := len(d.acknowledged()), d.taken()
	harness.Await(d.t, "the load and the lanes to go on", time.Minute, func() bool {
		for i, before := range taken {
			if d.taken()[i] <= before {
				return false
			}
		}
		return len(d.acknowledged()) > acknowledged+n
	})
}

func (d *deployment) taken() (totals []int) {
	for _, v := range d.vendors {
		totals = append(totals, v.taken.Total())
	}
	return totals
}

// sending waits until a process has something under way to a vendor that does
// not drop repeats.
func (d *deployment) sending(g *harness.Gateway) {
	d.t.Helper()
	lanes := doing(g)
	harness.Await(d.t, "a request to be under way", time.Minute, func() bool {
		for _, v := range d.vendors {
			if slices.Contains(lanes, v.name) && strings.HasSuffix(v.name, "ga4") && v.underWay.Load() > 0 {
				return true
			}
		}
		return false
	})
}

// shared waits until each of the two has two of the four lanes.
func (d *deployment) shared() {
	d.t.Helper()
	harness.Await(d.t, "the lanes to be shared out", time.Minute, func() bool {
		return len(doing(d.lanes[0])) == 2 && len(doing(d.lanes[1])) == 2
	})
}

// alone waits until a process has all lanes, within the bound that is promised: the
// TTL, a tick, and some time for a busy machine.
func (d *deployment) alone(g *harness.Gateway) {
	d.t.Helper()
	begun := time.Now()
	harness.Await(d.t, "the lanes to be taken over", time.Minute, func() bool { return len(doing(g)) == len(d.vendors) })
	if took := time.Since(begun); took > 3*leaseTTL {
		d.t.Errorf("it took %v to take lanes over, with a lease of %v", took, leaseTTL)
	}
}

// Processes that run lanes are killed under load, and frozen until their lanes were
// taken over; dispatchers and the loader are killed, too. Nothing acknowledged is
// lost, no vendor receives anything twice, and the sums agree with the vendors' own
// logs.
func TestProcessesDieUnderLoad(t *testing.T) {
	d := build(t)
	d.shared()
	stop := d.load()
	defer stop()
	d.progress(100)
	for i := range kills {
		// Who comes back gets its own two lanes: so all four are hit.
		victim, heir := d.lanes[i/2%2], d.lanes[(i/2+1)%2]
		d.sending(victim)
		victim.Kill()
		d.alone(heir)
		d.progress(50)
		if i == 1 {
			d.loader.Kill()
			d.loader.Start()
		}
		if i == 2 {
			d.dispatchers[0].Kill()
			d.dispatchers[0].Start()
		}
		victim.Start()
		d.shared()
		d.progress(50)
	}
	d.freeze()
	stop()
	d.settle()
	d.check()
}

// freeze stops a process until another has its lanes, and lets it go on while it
// still believes that they are its own.
func (d *deployment) freeze() {
	d.t.Helper()
	frozen, heir := d.lanes[0], d.lanes[1]
	d.sending(frozen)
	frozen.Signal(syscall.SIGSTOP)
	d.alone(heir)
	d.progress(50)
	frozen.Signal(syscall.SIGCONT)
	d.shared()
	if !frozen.Running() {
		d.t.Error("a process that was stopped for a while has ended")
	}
	d.progress(50)
}

// settle waits until the loader has written down that nothing is pending.
func (d *deployment) settle() {
	d.t.Helper()
	harness.Await(d.t, "everything to be delivered and written down", 3*time.Minute, func() bool {
		row := d.loader.Query(`select (select count(*) from raw where not duplicate) as n,
			(select coalesce(sum(pending), 0) from reconciliation) as pending`)[0]
		return harness.Number(row, "n") >= len(d.acknowledged()) && harness.Number(row, "pending") == 0
	})
}

func (d *deployment) check() {
	d.t.Helper()
	acknowledged, sent := d.acknowledged(), d.sent()
	first := map[string]int{}
	for _, row := range d.loader.Query(`select eventId, count(*) as n from raw where not duplicate group by all`) {
		first[row["eventId"].(string)] = harness.Number(row, "n")
	}
	for id := range acknowledged {
		if first[id] != 1 {
			d.t.Errorf("acknowledged, and %d times in raw: %s", first[id], id)
		}
	}
	d.loader.VerifySums()
	sums := map[string]map[string]any{}
	for _, row := range d.loader.Query(`select tracker, sum(accepted) as accepted, sum(delivered) as delivered, sum(uncertain) as uncertain,
		sum(rejected) + sum(expired) + sum(filtered) as other, sum(unaccounted) as unaccounted from reconciliation group by tracker`) {
		sums[row["tracker"].(string)] = row
	}
	d.t.Logf("%d events acknowledged, %d tried", len(acknowledged), len(sent))
	unsure := 0
	for _, v := range d.vendors {
		d.checkVendor(v, sums[v.name], sent, len(first))
		unsure += harness.Number(sums[v.name], "uncertain")
	}
	if unsure == 0 {
		d.t.Error("nothing is uncertain although processes died while they were sending: the test proves nothing")
	}
}

// checkVendor compares a vendor's own log with the generators and the sums.
func (d *deployment) checkVendor(v *vendor, sums map[string]any, sent map[string]bool, accepted int) {
	d.t.Helper()
	seen := map[string]bool{}
	for _, entry := range v.taken.Entries() {
		var body struct {
			Params          struct{ ID string } `json:"params"`           // GA4
			EventProperties struct{ ID string } `json:"event_properties"` // Amplitude
		}
		if err := json.Unmarshal(entry.Data, &body); err != nil {
			d.t.Fatal(err)
		}
		id := body.Params.ID + body.EventProperties.ID
		if seen[id] || !sent[id] {
			d.t.Errorf("%s: taken twice, or never sent: %s", v.name, id)
		}
		seen[id] = true
	}
	delivered, uncertain := harness.Number(sums, "delivered"), harness.Number(sums, "uncertain")
	d.t.Logf("%s took %d: %v", v.name, len(seen), sums)
	if harness.Number(sums, "accepted") != accepted || harness.Number(sums, "unaccounted") != 0 || harness.Number(sums, "other") != 0 {
		d.t.Errorf("%s: the sums do not agree with the %d events in raw: %v", v.name, accepted, sums)
	}
	if strings.HasSuffix(v.name, "amplitude") && uncertain > 0 {
		d.t.Errorf("%s drops repeats, so nothing should be uncertain: %v", v.name, sums)
	}
	if len(seen) < delivered || len(seen) > delivered+uncertain {
		d.t.Errorf("%s took %d events; the gateway says %d delivered and %d uncertain", v.name, len(seen), delivered, uncertain)
	}
}
