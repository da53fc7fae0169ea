package faults_test

import (
	"context"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/tracker/vendortest"
	"github.com/sparrow-edge/sparrow/test/harness"
)

const quietConfig = `environment: test
listen: "{{listen}}"
data: data
drain: 3s
journal: { maxBytes: 256MiB, minFree: 0B }
sources: [{ name: backend, keys: [` + serverKey + `] }]
trackers:
%s`

const identifiedPlan = `events:
  counted:
    properties: { n: integer, id: string }
`

// startLoad posts events from several connections until the returned function
// is called.
func startLoad(g *harness.Gateway, prefix string) (generator *harness.Generator, stop func()) {
	generator = &harness.Generator{URL: g.URL, Key: serverKey, Prefix: prefix, Workers: 4, Body: func(id string, n int) string {
		return fmt.Sprintf(`{"event":"counted","deviceId":"device-%d","eventId":"%s","properties":{"n":%d,"id":"%s"}}`, n%40, id, n, id)
	}}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		generator.Run(ctx)
	}()
	return generator, func() {
		cancel()
		<-done
	}
}

func TestSIGTERMUnderLoad(t *testing.T) {
	t.Parallel()
	google, amplitude := newVendor("ga4"), newVendor("amplitude")
	g := harness.New(t, map[string]string{
		"sparrow.yaml": fmt.Sprintf(quietConfig,
			trackerEntry("ga4", "ga4", serve(t, google).URL)+trackerEntry("amplitude", "amplitude", serve(t, amplitude).URL)),
		"plan.yaml": identifiedPlan,
	}, "serve")
	g.Start()
	generator, stop := startLoad(g, "term")
	for round := range 3 {
		before := len(generator.Acknowledged())
		g.Await("the load to go on", time.Minute, func() bool { return len(generator.Acknowledged()) > before+200 })
		begun := time.Now()
		g.Signal(syscall.SIGTERM)
		if code := g.Ended(time.Minute); code != 0 {
			t.Fatalf("round %d: exit code %d after SIGTERM", round, code)
		}
		// 3 s each for requests, lanes and loader, as far as they need them; and a
		// slow machine.
		if took := time.Since(begun); took > 20*time.Second {
			t.Errorf("round %d: it took %v to stop, drain is 3s", round, took)
		}
		g.Start()
	}
	stop()
	acknowledged := generator.Acknowledged()
	awaitSums(t, g, 2)

	kept := map[string]bool{}
	for _, row := range g.Query(`select eventId from raw where not duplicate`) {
		if id := row["eventId"].(string); kept[id] {
			t.Errorf("two rows of raw are not marked as duplicates: %s", id)
		} else {
			kept[id] = true
		}
	}
	for id := range acknowledged {
		if !kept[id] {
			t.Errorf("acknowledged, and not in raw: %s", id)
		}
	}
	for _, v := range []*vendor{google, amplitude} {
		seen := map[string]bool{}
		for _, e := range v.taken.Entries() {
			id := idOf(t, e)
			if seen[id] {
				t.Errorf("%s took an event twice: %s", v.kind, id)
			}
			seen[id] = true
		}
		// An orderly end leaves nothing in doubt.
		if len(seen) != len(kept) {
			t.Errorf("%s took %d events of %d", v.kind, len(seen), len(kept))
		}
	}
	if log := g.Log(); strings.Contains(log, `"level":"ERROR"`) {
		t.Errorf("stopping and starting is told as an error:\n%s", linesWith(log, `"level":"ERROR"`))
	}
}

// TestSIGTERMWhileEveryVendorHangs: the bound holds for all lanes together, not
// for one after the other.
func TestSIGTERMWhileEveryVendorHangs(t *testing.T) {
	t.Parallel()
	var trackers strings.Builder
	var vendors []*vendor
	for i := range 6 {
		v := newVendor(kinds()[i%2])
		v.faults.Order(vendortest.Fault{Stage: vendortest.HangTaken})
		trackers.WriteString(trackerEntry(v.kind, fmt.Sprintf("%s-%d", v.kind, i), serve(t, v).URL, "timeout: 5m"))
		vendors = append(vendors, v)
	}
	g := harness.New(t, map[string]string{"sparrow.yaml": fmt.Sprintf(quietConfig, trackers.String()), "plan.yaml": identifiedPlan}, "serve")
	g.Start()
	postCounted(t, g, "hang", 1)
	g.Await("every vendor to hang", time.Minute, func() bool {
		for _, v := range vendors {
			if v.faults.Met() == 0 {
				return false
			}
		}
		return true
	})
	begun := time.Now()
	g.Signal(syscall.SIGTERM)
	if code := g.Ended(time.Minute); code != 0 {
		t.Errorf("exit code %d after SIGTERM", code)
	}
	// Six lanes of 3 s one after the other would be 18 s.
	if took := time.Since(begun); took > 12*time.Second {
		t.Errorf("it took %v to stop while six vendors hang, drain is 3s", took)
	}

	g.Start()
	for _, v := range vendors {
		v.faults.Clear()
	}
	awaitSums(t, g, len(vendors))
	for _, row := range g.Query(`select tracker, outcome, reason from deliveries order by tracker`) {
		want := delivered
		if strings.HasPrefix(row["tracker"].(string), "ga4") {
			want = uncertain
		}
		if row["outcome"] != want {
			t.Errorf("cut off by the end of the process: %v, want %s", row, want)
		}
	}
	for _, v := range vendors {
		if n := v.taken.Total(); n != 1 {
			t.Errorf("%s took the event %d times", v.kind, n)
		}
	}
}

func TestSecondSIGTERMEndsAtOnce(t *testing.T) {
	t.Parallel()
	v := newVendor("amplitude")
	v.faults.Order(vendortest.Fault{Stage: vendortest.HangRead})
	config := strings.Replace(quietConfig, "drain: 3s", "drain: 5m", 1)
	g := harness.New(t, map[string]string{
		"sparrow.yaml": fmt.Sprintf(config, trackerEntry("amplitude", "amplitude", serve(t, v).URL, "timeout: 5m")),
		"plan.yaml":    identifiedPlan,
	}, "serve")
	g.Start()
	postCounted(t, g, "twice", 1)
	g.Await("the vendor to hang", time.Minute, func() bool { return v.faults.Met() > 0 })
	g.Signal(syscall.SIGTERM)
	g.Await("the gateway to be stopping", time.Minute, func() bool { return strings.Contains(g.Log(), `"msg":"stopping"`) })
	if !g.Running() {
		t.Fatal("it did not wait for the request under way: nothing is proved")
	}
	g.Signal(syscall.SIGTERM)
	if code := g.Ended(10 * time.Second); code == 0 {
		t.Error("exit code 0, though it was cut short")
	}
}
