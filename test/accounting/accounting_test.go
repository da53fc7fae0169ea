// Package accounting_test runs the real binary against vendors that fail, with
// malformed bodies, duplicates and events outside the plan. It compares the output
// of `sparrow reconcile` with independent counts: of what was sent, and of what the
// vendors' own logs have.
package accounting_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/tracker/vendortest"
	"github.com/sparrow-edge/sparrow/test/harness"
	"github.com/sparrow-edge/sparrow/trackers/amplitude/amplitudetest"
	"github.com/sparrow-edge/sparrow/trackers/ga4/ga4test"
	"github.com/sparrow-edge/sparrow/trackers/heap/heaptest"
)

func TestMain(m *testing.M) { harness.Main(m) }

const key = "pk_accounting"

const config = `environment: test
listen: "{{listen}}"
data: data
journal: { maxBytes: 256MiB, minFree: 0B }
sources: [{ name: site, keys: [pk_accounting] }]
trackers:
  - { kind: ga4, measurementId: G-TEST123456, apiSecret: test-api-secret, baseURL: "%s", timeout: 2s }
  - { kind: amplitude, apiKey: test-api-key, baseURL: "%s", timeout: 2s }
  - { kind: heap, appId: "1234567890", baseURL: "%s", timeout: 2s }
`

const trackingPlan = `events:
  pageview:
    properties: { pathname: string }
  purchase product:
    properties: { category: string, note: string }
  consented:
    properties: { n: integer }
    consent: [analytics]
  amplitude only:
    properties: { n: integer }
    trackers: [amplitude]
`

// kind is one kind of request: its body, the expected answer, and the expected
// outcome at each tracker.
type kind struct {
	name   string
	body   string // %[1]s the event id, %[2]d a running number
	status int
	ga4    string
	amp    string
	heap   string
	repeat bool // sent twice: the second is a duplicate
}

var kinds = []kind{
	{"known user", `{"event":"pageview","deviceId":"device-%[2]d","userId":"user-%[2]d","eventId":"%[1]s","properties":{"pathname":"/a"}}`, 200, "delivered", "delivered", "delivered", false},
	{"anonymous", `{"event":"purchase product","deviceId":"device-%[2]d","eventId":"%[1]s","properties":{"category":"billing","note":"write to jane.doe@example.com"}}`, 200, "delivered", "delivered", "filtered", false},
	{"outside the plan", `{"event":"surprise","deviceId":"device-%[2]d","userId":"user-%[2]d","eventId":"%[1]s"}`, 200, "filtered", "filtered", "filtered", false},
	{"without consent", `{"event":"consented","deviceId":"device-%[2]d","userId":"user-%[2]d","eventId":"%[1]s","properties":{"n":1}}`, 200, "filtered", "filtered", "filtered", false},
	{"with consent", `{"event":"consented","deviceId":"device-%[2]d","userId":"user-%[2]d","eventId":"%[1]s","properties":{"n":1},"context":{"consent":{"analytics":true}}}`, 200, "delivered", "delivered", "delivered", false},
	{"routed to one", `{"event":"amplitude only","deviceId":"device-%[2]d","userId":"user-%[2]d","eventId":"%[1]s","properties":{"n":1}}`, 200, "filtered", "delivered", "filtered", false},
	{"sent twice", `{"event":"pageview","deviceId":"device-%[2]d","userId":"user-%[2]d","eventId":"%[1]s","properties":{"pathname":"/b"}}`, 200, "delivered", "delivered", "delivered", true},
	{"invalid", `{"event":"pageview","userId":"user-%[2]d","eventId":"%[1]s"}`, 200, "rejected", "rejected", "rejected", false},
	{"malformed", `{"event":"pageview","deviceId":"device-%[2]d","eventId":"%[1]s"`, 400, "rejected", "rejected", "rejected", false},
}

// each is how many requests of every kind are sent.
const each = 120

func TestTheSumsAgreeWithIndependentWitnesses(t *testing.T) {
	google, amplitude, heap := ga4test.New(ga4test.Options{}), amplitudetest.New(amplitudetest.Options{}), heaptest.New(heaptest.Options{})
	g := harness.New(t, map[string]string{
		"sparrow.yaml": fmt.Sprintf(config, serve(t, google), serve(t, amplitude), serve(t, heap)),
		"plan.yaml":    trackingPlan,
	}, "serve")
	// Heap is down for a while, Amplitude throttles, answers HTML and hangs, GA4
	// drops connections before it reads: all of it must be made good.
	heap.Faults.Order(vendortest.Fault{Stage: vendortest.Answer, Status: 503, Times: 3}, vendortest.Fault{Stage: vendortest.ResetRead, Times: 1})
	amplitude.Faults.Order(
		vendortest.Fault{Stage: vendortest.Answer, Status: 429, Header: http.Header{"Retry-After": {"1"}}, Times: 1},
		vendortest.Fault{Stage: vendortest.Answer, Status: 502, Body: "<html>bad gateway</html>", Times: 1},
		vendortest.Fault{Stage: vendortest.HangTaken, Times: 1})
	google.Faults.Order(vendortest.Fault{Stage: vendortest.Answer, Status: 500, Times: 2})
	g.Start()

	want := map[string]map[string]int{"ga4": {}, "amplitude": {}, "heap": {}}
	for n := range each {
		for _, k := range kinds {
			send(t, g, k, n, want)
		}
	}
	settle(t, g, len(want))

	g.VerifySums()
	got := reconciled(t, g)
	for tracker, outcomes := range want {
		for outcome, n := range outcomes {
			if got[tracker][outcome] != n {
				t.Errorf("%s: %d events %s; sent were %d of them", tracker, got[tracker][outcome], outcome, n)
			}
		}
		if got[tracker]["unaccounted"] != 0 {
			t.Errorf("%s: %d events unaccounted for", tracker, got[tracker]["unaccounted"])
		}
	}
	for tracker, log := range map[string]*vendortest.Log{"ga4": google.Taken, "amplitude": amplitude.Taken, "heap": heap.Taken} {
		if log.Total() != want[tracker]["delivered"] {
			t.Errorf("%s took %d events; %d were to be delivered", tracker, log.Total(), want[tracker]["delivered"])
		}
		for _, e := range log.Entries() {
			if strings.Contains(string(e.Data), "jane.doe") {
				t.Fatalf("%s was sent an e-mail address: %s", tracker, e.Data)
			}
		}
	}
	checkLeaks(t, g)
	checkReasons(t, g)
}

func serve(t *testing.T, h http.Handler) string {
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	t.Cleanup(s.CloseClientConnections) // before Close: a request may hang
	return s.URL
}

func send(t *testing.T, g *harness.Gateway, k kind, n int, want map[string]map[string]int) {
	t.Helper()
	id := strings.ReplaceAll(k.name, " ", "-") + fmt.Sprint("-", n)
	times := 1
	if k.repeat {
		times = 2
	}
	for range times {
		status, answer := g.Post(key, fmt.Sprintf(k.body, id, n))
		if status != k.status {
			t.Fatalf("%s: status %d: %s", k.name, status, answer)
		}
	}
	for tracker, outcome := range map[string]string{"ga4": k.ga4, "amplitude": k.amp, "heap": k.heap} {
		want[tracker]["accepted"]++
		want[tracker]["duplicate"] += times - 1
		want[tracker][outcome]++
	}
}

func settle(t *testing.T, g *harness.Gateway, trackers int) {
	accepted := trackers * each * len(kinds)
	defer func() {
		if t.Failed() {
			t.Logf("reconciliation:\n%s\ntrackers:\n%s", g.Command("reconcile"), g.Command("trackers", "list"))
		}
	}()
	g.Await("every event to have an outcome", 2*time.Minute, func() bool {
		rows := g.Query(`select coalesce(sum(accepted), 0) as accepted, coalesce(sum(pending), 0) as pending from reconciliation`)
		return harness.Number(rows[0], "accepted") == accepted && harness.Number(rows[0], "pending") == 0
	})
}

// reconciled sums up what `sparrow reconcile` prints, by tracker.
func reconciled(t *testing.T, g *harness.Gateway) map[string]map[string]int {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(g.Command("reconcile", "--since", "48h", "--format", "json")))
	d.UseNumber()
	var rows []map[string]any
	if err := d.Decode(&rows); err != nil {
		t.Fatal(err)
	}
	sums := map[string]map[string]int{}
	for _, row := range rows {
		tracker := row["tracker"].(string)
		if sums[tracker] == nil {
			sums[tracker] = map[string]int{}
		}
		for _, column := range []string{"accepted", "duplicate", "delivered", "filtered", "rejected", "expired", "uncertain", "pending", "unaccounted"} {
			sums[tracker][column] += harness.Number(row, column)
		}
	}
	return sums
}

// checkLeaks checks the leak report: each event with an address counts once.
func checkLeaks(t *testing.T, g *harness.Gateway) {
	t.Helper()
	for _, row := range g.Query(`select tracker, event, property, kind, sum(count) as n from leaks group by all order by tracker`) {
		if row["kind"] != "email" || row["event"] != "purchase product" || harness.Number(row, "n") != each {
			t.Errorf("leak report: %v; sent were %d events with an e-mail address in note", row, each)
		}
	}
}

// checkReasons checks that `sparrow events` shows why events were filtered.
func checkReasons(t *testing.T, g *harness.Gateway) {
	t.Helper()
	for id, want := range map[string]string{
		"outside-the-plan-7": "event not in plan",
		"without-consent-7":  "consent: analytics",
		"anonymous-7":        "anonymous",
		"invalid-7":          "deviceId: required",
		"routed-to-one-7":    "not routed to tracker",
		"known-user-7":       "delivered",
	} {
		if out := g.Command("events", id); !strings.Contains(out, want) {
			t.Errorf("sparrow events %s does not say %q:\n%s", id, want, out)
		}
	}
}
