package faults_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/tracker/vendortest"
	"github.com/sparrow-edge/sparrow/test/harness"
)

// breakdown is what a vendor does, and what becomes of the first event there.
type breakdown struct {
	name        string
	timeout     string // of a request
	faulty      bool
	fault       vendortest.Fault
	noHandshake bool // no handshake on the first connection

	ga4, amplitude string // the outcome
}

const (
	delivered = "delivered"
	uncertain = "uncertain"
	rejected  = "rejected"
	lasting   = ""     // pending, while the fault lasts
	absent    = "none" // there is no such vendor: Amplitude's 429 means 30 seconds at least
)

// echo is an answer in which a vendor repeats the key that it was sent, and an
// e-mail address.
func echo(kind string) string {
	if kind == "amplitude" {
		return "key " + amplitudeKey + " refused, ask jane.doe@example.com"
	}
	return "key " + ga4Secret + " or " + url.QueryEscape(ga4Secret) + " refused, ask jane.doe@example.com"
}

// breakdowns are the failures to try with the vendors of a kind; target is the URL
// that the redirect names.
func breakdowns(kind, target string) []breakdown {
	answer := func(status int, body string, times int, header ...string) vendortest.Fault {
		f := vendortest.Fault{Stage: vendortest.Answer, Status: status, Body: body, Times: times}
		if len(header) == 2 {
			f.Header = http.Header{header[0]: {header[1]}}
		}
		return f
	}
	stage := func(s vendortest.Stage, times int) vendortest.Fault { return vendortest.Fault{Stage: s, Times: times} }
	return []breakdown{
		{name: "healthy", timeout: "30s", ga4: delivered, amplitude: delivered},
		{name: "error", timeout: "30s", faulty: true, fault: answer(500, "oops "+echo(kind), 1), ga4: delivered, amplitude: delivered},
		{name: "throttled", timeout: "30s", faulty: true, fault: answer(429, "", 1, "Retry-After", "3"), ga4: delivered, amplitude: absent},
		{name: "html", timeout: "30s", faulty: true, fault: answer(502, "<html>bad gateway</html>", 1), ga4: delivered, amplitude: delivered},
		{name: "silent", timeout: "2s", faulty: true, fault: stage(vendortest.HangRead, 1), ga4: uncertain, amplitude: delivered},
		{name: "late", timeout: "2s", faulty: true, fault: stage(vendortest.HangTaken, 1), ga4: uncertain, amplitude: delivered},
		{name: "lost", timeout: "30s", faulty: true, fault: stage(vendortest.ResetTaken, 1), ga4: uncertain, amplitude: delivered},
		{name: "reset", timeout: "30s", faulty: true, fault: stage(vendortest.ResetRead, 1), ga4: uncertain, amplitude: delivered},
		{name: "no-handshake", timeout: "2s", noHandshake: true, ga4: delivered, amplitude: delivered},
		{name: "refused", timeout: "30s", faulty: true, fault: answer(400, echo(kind), 0), ga4: rejected, amplitude: rejected},
		{name: "redirect", timeout: "30s", faulty: true, fault: answer(307, "", 0, "Location", target)},
		{name: "stuck", timeout: "5m", faulty: true, fault: stage(vendortest.HangRead, 0)},
	}
}

func (b breakdown) outcome(kind string) string {
	if kind == "ga4" {
		return b.ga4
	}
	return b.amplitude
}

func kinds() []string { return []string{"ga4", "amplitude"} }

// more is how many events follow the first one.
const more = 40

func post(t *testing.T, g *harness.Gateway, n int) {
	t.Helper()
	begun := time.Now()
	status, answer := g.Post(serverKey, fmt.Sprintf(
		`{"event":"counted","deviceId":"device-%[1]d","eventId":"event-%[1]d","properties":{"n":%[1]d,"note":"ask jane.doe@example.com, card 4111 1111 1111 1111"}}`, n))
	if status != http.StatusOK {
		t.Fatalf("POST: status %d: %s", status, answer)
	}
	if took := time.Since(begun); took > 10*time.Second {
		t.Errorf("the intake took %v to answer", took)
	}
}

func TestFailingVendorsLoseNothing(t *testing.T) {
	t.Parallel()
	s := newFailingVendors(t)
	s.Start()
	post(t, s.Gateway, 0)
	for _, kind := range kinds() {
		stuck := s.vendors[kind+"-stuck"]
		s.Await("a request to hang", 30*time.Second, func() bool { return stuck.faults.Met() > 0 })
	}
	for n := range more {
		post(t, s.Gateway, n+1)
	}
	t.Run("the others do not notice", s.checkHealthy)
	t.Run("each fault has its outcome", s.checkFirst)
	t.Run("Retry-After is kept", s.checkRetryAfter)
	t.Run("a redirect is not followed", s.checkRedirect)
	t.Run("a vendor that is back is caught up with", s.checkRecovery)
	t.Run("nothing shows a secret", s.checkSecrets)
	t.Run("Sentry hears of each group", s.checkSentry)
}

// checkHealthy: while vendors hang, the others have everything in seconds.
func (s *failingVendors) checkHealthy(t *testing.T) {
	for _, kind := range kinds() {
		healthy, stuck := s.vendors[kind+"-healthy"], s.vendors[kind+"-stuck"]
		harness.Await(t, kind+" to have every event", 20*time.Second, func() bool { return healthy.taken.Total() == more+1 })
		if n := stuck.taken.Total(); n != 0 {
			t.Errorf("the vendor that hangs took %d events: nothing is proved", n)
		}
	}
	if a := s.Do(http.MethodGet, "/readyz", ""); a.Status != http.StatusOK {
		t.Errorf("/readyz answers %d while vendors hang", a.Status)
	}
}

// checkFirst compares the row of the first event at each tracker, and what the
// vendor has of it.
func (s *failingVendors) checkFirst(t *testing.T) {
	decided := func() map[string]map[string]any {
		rows := map[string]map[string]any{}
		for _, row := range s.Query(`select tracker, outcome, reason, status, attempts, error from deliveries where eventId = 'event-0'`) {
			rows[row["tracker"].(string)] = row
		}
		return rows
	}
	const pending = 4 // redirect and stuck, of each kind
	harness.Await(t, "an outcome of the first event at each tracker", time.Minute, func() bool { return len(decided()) >= len(s.vendors)-pending })
	rows := decided()
	for _, kind := range kinds() {
		for _, b := range breakdowns(kind, "") {
			name, want := kind+"-"+b.name, b.outcome(kind)
			row, known := rows[name]
			switch {
			case want == absent:
			case want == lasting && known:
				t.Errorf("%s: %v, while the fault lasts", name, row)
			case want != lasting && row["outcome"] != want:
				t.Errorf("%s: %v, want %s", name, row, want)
			case want != lasting:
				b.checkRow(t, name, row)
			}
		}
	}
}

// checkRow checks what else a row says of a fault.
func (b breakdown) checkRow(t *testing.T, name string, row map[string]any) {
	t.Helper()
	attempts, status, reason := harness.Number(row, "attempts"), harness.Number(row, "status"), fmt.Sprint(row["reason"])
	switch {
	case row["outcome"] == rejected:
		if status != http.StatusBadRequest || !strings.Contains(reason, "http 400") || !strings.Contains(fmt.Sprint(row["error"]), "refused") {
			t.Errorf("%s: the row does not say what the vendor said: %v", name, row)
		}
	case row["outcome"] == uncertain:
		if reason != "sent, no answer" {
			t.Errorf("%s: the row does not say why: %v", name, row)
		}
	case b.faulty || b.noHandshake:
		if attempts < 2 {
			t.Errorf("%s: delivered at attempt %d, the first was to fail", name, attempts)
		}
	}
}

func (s *failingVendors) checkRetryAfter(t *testing.T) {
	asked := s.vendors["ga4-throttled"].requests()
	if len(asked) < 2 || asked[1].Sub(asked[0]) < 3*time.Second {
		t.Errorf("told to wait 3 s, and asked at %v", asked)
	}
}

func (s *failingVendors) checkRedirect(t *testing.T) {
	for _, name := range []string{"ga4-redirect", "amplitude-redirect"} {
		if s.vendors[name].faults.Met() == 0 {
			t.Errorf("%s was not asked: nothing is proved", name)
		}
	}
	if n := s.redirected.Load(); n != 0 {
		t.Errorf("%d requests followed a redirect", n)
	}
	if list := s.Command("trackers", "list"); strings.Count(list, "redirects are not followed; check baseURL") != 2 {
		t.Errorf("sparrow trackers list does not say what is wrong with the redirecting vendors:\n%s", list)
	}
}

// checkRecovery repairs the vendors, and compares what every tracker says with
// what its vendor has.
func (s *failingVendors) checkRecovery(t *testing.T) {
	for _, kind := range kinds() {
		s.vendors[kind+"-redirect"].faults.Clear()
		s.vendors[kind+"-stuck"].faults.Clear()
	}
	const sums = `select tracker, sum(accepted) as accepted, sum(delivered) as delivered, sum(uncertain) as uncertain, sum(rejected) as rejected,
		sum(pending) as pending, sum(unaccounted) as unaccounted from reconciliation group by tracker order by tracker`
	var rows []map[string]any
	harness.Await(t, "every tracker to have caught up", 90*time.Second, func() bool {
		rows = s.Query(sums)
		pending := 0
		for _, row := range rows {
			pending += harness.Number(row, "pending")
		}
		return len(rows) == len(s.vendors) && pending == 0
	})
	for _, row := range rows {
		name := row["tracker"].(string)
		v := s.vendors[name]
		accepted, sent, unsure := harness.Number(row, "accepted"), harness.Number(row, delivered), harness.Number(row, uncertain)
		if accepted != more+1 || harness.Number(row, "unaccounted") != 0 {
			t.Errorf("%s: the sums do not agree: %v", name, row)
		}
		if v.taken.Total() < sent || v.taken.Total() > sent+unsure {
			t.Errorf("%s took %d events; the gateway says %d delivered and %d uncertain", name, v.taken.Total(), sent, unsure)
		}
		if v.kind == "amplitude" && unsure != 0 {
			t.Errorf("%s drops repeats, so that nothing need be uncertain: %v", name, row)
		}
	}
}
