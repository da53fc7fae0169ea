// Package validation_test runs the real binary against a Google that answers 204 to
// everything, as the real one does, and knows rules that nobody else does: only its
// validation endpoint tells.
package validation_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/sparrow-edge/sparrow/test/harness"
	"github.com/sparrow-edge/sparrow/trackers/ga4/ga4test"
)

func TestMain(m *testing.M) { harness.Main(m) }

const config = `environment: test
listen: "{{listen}}"
data: data
journal: { maxBytes: 256MiB, minFree: 0B }
sources: [{ name: site, keys: [pk_validation] }]
sentry: { dsn: "%s" }
trackers:
  - { kind: ga4, name: checked, measurementId: G-TEST123456, apiSecret: test-api-secret, baseURL: "%s", validate: 1 }
  - { kind: ga4, name: trusted, measurementId: G-TEST123456, apiSecret: test-api-secret, baseURL: "%s" }
`

const plan = `events:
  sound: {}
  only google knows: {}
  nobody answers: {}
`

// google is the strict stand-in with a rule of Google's own: its validation endpoint
// finds fault with one name, and is away for another.
type google struct{ *ga4test.Server }

func (g google) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.HasPrefix(r.URL.Path, "/debug/") {
		g.Server.ServeHTTP(w, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client is gone
	}
	switch {
	case strings.Contains(string(body), `"only_google_knows"`):
		message := ga4test.Message{FieldPath: "events[0].name", Description: "Event at index: [0] has invalid name [only_google_knows].", ValidationCode: "NAME_INVALID"}
		_ = json.NewEncoder(w).Encode(map[string]any{"validationMessages": []ga4test.Message{message}}) // the client may be gone
	case strings.Contains(string(body), `"nobody_answers"`):
		w.WriteHeader(http.StatusServiceUnavailable)
	default:
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		g.Server.ServeHTTP(w, r)
	}
}

// sent are the events, by name, and how many of each.
func sent() map[string]int {
	return map[string]int{"sound": 2, "only google knows": 3, "nobody answers": 1}
}

func TestGooglesOwnValidatorDecides(t *testing.T) {
	checked, trusted, sentry := google{ga4test.New(ga4test.Options{})}, google{ga4test.New(ga4test.Options{})}, harness.NewSentry(t)
	g := harness.New(t, map[string]string{
		"sparrow.yaml": fmt.Sprintf(config, sentry.DSN, serve(t, checked), serve(t, trusted)), "plan.yaml": plan,
	}, "serve")
	g.Start()
	total := 0
	for name, n := range sent() {
		for i := range n {
			total++
			id := strings.ReplaceAll(fmt.Sprint(name, i), " ", "-")
			if status, answer := g.Post("pk_validation", fmt.Sprintf(`{"event":%q,"deviceId":"device-%d","eventId":%q}`, name, total, id)); status != http.StatusOK {
				t.Fatalf("status %d: %s", status, answer)
			}
		}
	}
	g.Await("a row for each event and tracker", time.Minute, func() bool {
		return harness.Number(g.Query("select count(*) as n from deliveries")[0], "n") == 2*total
	})

	checkOutcomes(t, g)
	if n := checked.Taken.Total(); n != 3 || checked.Violations.Total() != 0 {
		t.Errorf("the checked tracker's Google took %d events, want 3; %v", n, checked.Violations.First())
	}
	if n := trusted.Taken.Total(); n != total {
		t.Errorf("the other's took %d events, want %d", n, total)
	}
	checkMetric(t, g)
	g.Await("Sentry to hear of it", 30*time.Second, func() bool { return len(incidents(t, sentry)) > 0 })
	checkSentry(t, sentry)
	checkRequests(t, g)
}

func serve(t *testing.T, h http.Handler) string {
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

// checkOutcomes wants the rule as the reason, and of what was delivered whether it
// was validated.
func checkOutcomes(t *testing.T, g *harness.Gateway) {
	t.Helper()
	want := map[string]string{
		"checked sound": "2 delivered: validated", "checked nobody": "1 delivered: unvalidated",
		"checked only":  "3 rejected: validation: NAME_INVALID in events",
		"trusted sound": "2 delivered: unvalidated", "trusted nobody": "1 delivered: unvalidated", "trusted only": "3 delivered: unvalidated",
	}
	got := map[string]string{}
	for _, row := range g.Query(`select tracker, regexp_extract(eventId, '^[a-z]+') as event, outcome, reason, count(*) as n
		from deliveries group by all order by all`) {
		key := fmt.Sprintf("%v %v", row["tracker"], row["event"])
		got[key] += fmt.Sprintf("%v %v: %v", row["n"], row["outcome"], row["reason"])
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("deliveries (- want, + got):\n%s", diff)
	}
}

func checkMetric(t *testing.T, g *harness.Gateway) {
	t.Helper()
	metrics := g.Do(http.MethodGet, "/metrics", "").Body
	for _, line := range []string{
		`sparrow_delivery_before_total{result="refused",tracker="checked"} 3`,
		`sparrow_delivery_before_total{result="passed",tracker="checked"} 3`,
		`sparrow_delivery_outcomes_total{outcome="rejected",tracker="checked"} 3`,
	} {
		if !strings.Contains(metrics, line+"\n") {
			t.Errorf("no metric %s", line)
		}
	}
}

// incidents are what Sentry heard of Google's validator.
func incidents(t *testing.T, sentry *harness.Sentry) []harness.SentryEvent {
	t.Helper()
	return slices.DeleteFunc(sentry.Events(t), func(e harness.SentryEvent) bool { return !strings.Contains(e.Group(), "validation") })
}

// checkSentry wants one issue, whatever the number of events, with the rule and the
// request, and without the secret.
func checkSentry(t *testing.T, sentry *harness.Sentry) {
	t.Helper()
	groups := map[string]bool{}
	for _, e := range incidents(t, sentry) {
		groups[e.Group()] = true
		text := fmt.Sprint(e.Message, e.Exception)
		if !strings.Contains(text, "NAME_INVALID") || !strings.Contains(e.Request.URL, "/debug/mp/collect") || !strings.Contains(e.Request.Data, "only_google_knows") {
			t.Errorf("the incident %q says %s of %s %s", e.Group(), text, e.Request.URL, e.Request.Data)
		}
	}
	if len(groups) != 1 {
		t.Errorf("%d issues: %v", len(groups), groups)
	}
	if strings.Contains(sentry.Raw(), "test-api-secret") {
		t.Error("Sentry was told the secret")
	}
}

// checkRequests wants both requests shown: the validation's and the event's own.
func checkRequests(t *testing.T, g *harness.Gateway) {
	t.Helper()
	text := g.Command("events", "sound0", "--request")
	if strings.Count(text, "/debug/mp/collect") != 1 || strings.Count(text, "/mp/collect") != 3 {
		t.Errorf("not every request is shown:\n%s", text)
	}
	var ways []struct {
		Hops []struct {
			Tracker  string
			Requests []struct{ URL, Body string }
		}
	}
	if err := json.Unmarshal([]byte(g.Command("events", "sound0", "--request", "--format", "json")), &ways); err != nil || len(ways) != 1 {
		t.Fatalf("%v: %v", ways, err)
	}
	for _, hop := range ways[0].Hops {
		var paths []string
		for _, r := range hop.Requests {
			_, path, _ := strings.Cut(strings.TrimPrefix(r.URL, "http://"), "/")
			paths = append(paths, strings.TrimSuffix(strings.Split(path, "?")[0], "/"))
			if r.Body != hop.Requests[0].Body {
				t.Errorf("%s: what is validated is not what is sent: %s", hop.Tracker, r.Body)
			}
		}
		want := map[string][]string{"checked": {"debug/mp/collect", "mp/collect"}, "trusted": {"mp/collect"}}[hop.Tracker]
		if !slices.Equal(paths, want) {
			t.Errorf("%s: requests to %q, want %q", hop.Tracker, paths, want)
		}
	}
}
