// Package crash_test kills the real binary with SIGKILL, again and again, under
// load, and then asks two witnesses that are not the gateway whether anything
// was lost or sent twice: the generator's acknowledged ids, and the vendors' own
// logs.
package crash_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/test/harness"
	"github.com/sparrow-edge/sparrow/trackers/amplitude/amplitudetest"
	"github.com/sparrow-edge/sparrow/trackers/ga4/ga4test"
)

func TestMain(m *testing.M) { harness.Main(m) }

const (
	kills = 12
	key   = "pk_crash_test"
)

const config = `environment: test
listen: "{{listen}}"
data: data
journal: { maxBytes: 512MiB, minFree: 0B }
sources: [{ name: site, keys: [pk_crash_test] }]
trackers:
  - { kind: ga4, measurementId: G-TEST123456, apiSecret: test-api-secret, baseURL: "%s" }
  - { kind: amplitude, apiKey: test-api-key, baseURL: "%s" }
`

const trackingPlan = `events:
  counted:
    properties: { n: integer, id: string }
`

func TestSIGKILLUnderLoadLosesAndDoublesNothing(t *testing.T) {
	google, amplitude := ga4test.New(ga4test.Options{}), amplitudetest.New(amplitudetest.Options{})
	googleServer, amplitudeServer := httptest.NewServer(google), httptest.NewServer(amplitude)
	t.Cleanup(googleServer.Close)
	t.Cleanup(amplitudeServer.Close)

	g := harness.New(t, map[string]string{
		"sparrow.yaml": fmt.Sprintf(config, googleServer.URL, amplitudeServer.URL),
		"plan.yaml":    trackingPlan,
	}, "serve")
	g.Start()
	generator := &harness.Generator{URL: g.URL, Key: key, Prefix: "crash", Workers: 8, Body: func(id string, n int) string {
		return fmt.Sprintf(`{"event":"counted","deviceId":"device-%d","eventId":"%s","properties":{"n":%d,"id":"%s"}}`, n%50, id, n, id)
	}}
	load, stop := context.WithCancel(context.Background())
	defer stop()
	done := make(chan struct{})
	go func() {
		defer close(done)
		generator.Run(load)
	}()
	for i := range kills {
		before := len(generator.Acknowledged())
		g.Await("the load to go on", time.Minute, func() bool { return len(generator.Acknowledged()) > before+100+37*i })
		g.Kill()
		g.Start()
	}
	stop()
	<-done
	settle(g)

	acknowledged, sent := generator.Acknowledged(), generator.Sent()
	t.Logf("%d events acknowledged, %d tried, over %d SIGKILLs", len(acknowledged), len(sent), kills)
	checkRaw(t, g, acknowledged, sent)
	checkVendor(t, "ga4", ids(t, google.Taken.Entries()), sent)
	checkVendor(t, "amplitude", ids(t, amplitude.Taken.Entries()), sent)
	checkReconciliation(t, g, map[string]int{"ga4": google.Taken.Total(), "amplitude": amplitude.Taken.Total()})
	if v := google.Violations.First(); len(v) > 0 {
		t.Errorf("GA4 would have refused what it was sent: %v", v)
	}
}

// settle waits until every lane has reached the journal's end and the loader
// has written down all of it.
func settle(g *harness.Gateway) {
	g.Await("the lanes and the loader to catch up", 3*time.Minute, func() bool {
		rows := g.Query(`select
			(select count(*) from reconciliation) as n, (select coalesce(sum(pending), 0) from reconciliation) as pending`)
		if harness.Number(rows[0], "n") == 0 || harness.Number(rows[0], "pending") != 0 {
			return false
		}
		return strings.Count(g.Command("trackers", "list", "--format", "csv"), ",0,0,") == 2
	})
}

func checkRaw(t *testing.T, g *harness.Gateway, acknowledged, sent map[string]bool) {
	t.Helper()
	first, rows := map[string]int{}, 0
	for _, row := range g.Query(`select eventId, duplicate, count(*) as n from raw group by all`) {
		id, n := row["eventId"].(string), harness.Number(row, "n")
		rows += n
		if !sent[id] {
			t.Errorf("raw holds an event that was never sent: %s", id)
		}
		if row["duplicate"] == false {
			first[id] += n
		}
	}
	for id := range acknowledged {
		if first[id] == 0 {
			t.Errorf("acknowledged, and not in raw: %s", id)
		}
	}
	for id, n := range first {
		if n > 1 {
			t.Errorf("%d rows of raw not marked as duplicates: %s", n, id)
		}
	}
	t.Logf("raw: %d rows, %d of them marked as duplicates", rows, rows-len(first))
}

// checkVendor checks a vendor's own log: nothing twice, nothing that was never sent.
func checkVendor(t *testing.T, name string, taken []string, sent map[string]bool) {
	t.Helper()
	seen := map[string]bool{}
	for _, id := range taken {
		if seen[id] {
			t.Errorf("%s took an event twice: %s", name, id)
		}
		if !sent[id] {
			t.Errorf("%s took an event that was never sent: %s", name, id)
		}
		seen[id] = true
	}
}

// checkReconciliation holds what the gateway says against the vendors' own logs.
func checkReconciliation(t *testing.T, g *harness.Gateway, taken map[string]int) {
	t.Helper()
	g.VerifySums()
	for _, row := range g.Query(`select tracker, sum(accepted) as accepted, sum(delivered) as delivered, sum(uncertain) as uncertain,
		sum(rejected) + sum(expired) + sum(filtered) as other, sum(unaccounted) as unaccounted from reconciliation group by tracker order by tracker`) {
		t.Logf("reconciliation: %v", row)
		name := fmt.Sprint(row["tracker"])
		if harness.Number(row, "unaccounted") != 0 || harness.Number(row, "other") != 0 {
			t.Errorf("%s: the sums do not agree: %v", name, row)
		}
		delivered, uncertain := harness.Number(row, "delivered"), harness.Number(row, "uncertain")
		if taken[name] < delivered || taken[name] > delivered+uncertain {
			t.Errorf("%s took %d events; the gateway says %d delivered and %d uncertain", name, taken[name], delivered, uncertain)
		}
	}
}

// ids reads our id out of what a vendor took.
func ids(t *testing.T, entries []harness.Entry) []string {
	t.Helper()
	var list []string
	for _, e := range entries {
		var body struct {
			Params          struct{ ID string } `json:"params"`           // GA4
			EventProperties struct{ ID string } `json:"event_properties"` // Amplitude
		}
		if err := json.Unmarshal(e.Data, &body); err != nil {
			t.Fatalf("read what the vendor took: %v", err)
		}
		list = append(list, body.Params.ID+body.EventProperties.ID)
	}
	return list
}
