package dispatcher_test

import (
	"errors"
	"net/http"
	"testing"
)

func TestHealth(t *testing.T) {
	g := newGateway(t, testConfig())
	get := func(p, m string) answer { return g.post(t, "", method(m), path(p)) }
	want := func(step, p, m string, status int) {
		t.Helper()
		a := get(p, m)
		if a.status != status || a.header.Get("X-Request-Id") == "" {
			t.Errorf("%s: %s %s answered %d %s, want %d", step, m, p, a.status, a.body, status)
		}
		if status == http.StatusServiceUnavailable && a.header.Get("Retry-After") == "" {
			t.Errorf("%s: no Retry-After", step)
		}
		if status == http.StatusMethodNotAllowed && a.header.Get("Allow") != "GET, HEAD" {
			t.Errorf("%s: Allow %q", step, a.header.Get("Allow"))
		}
	}
	want("at first", "/healthz", http.MethodGet, 200)
	want("at first", "/healthz", http.MethodHead, 200)
	want("at first", "/readyz", http.MethodGet, 200)
	want("at first", "/readyz", http.MethodPost, 405)
	g.log.set(func(l *memoryLog) { l.unready = errors.New("path /var/lib/secret") })
	want("away", "/healthz", http.MethodGet, 200)
	want("away", "/readyz", http.MethodGet, 503)
	g.log.set(func(l *memoryLog) { l.unready = nil })
	want("back", "/readyz", http.MethodGet, 200)
	g.dispatcher.Drain()
	want("draining", "/healthz", http.MethodGet, 200)
	want("draining", "/readyz", http.MethodGet, 503)
}

func TestMetrics(t *testing.T) {
	g := newGateway(t, testConfig())
	g.post(t, "["+purchase+",1]")
	g.post(t, "{")
	g.post(t, purchase, path("/v1/events?key="+serverKey))
	g.post(t, purchase, path("/v1/events?key=pk_test_other"))
	for _, test := range []struct {
		want   float64
		name   string
		labels []string
	}{
		{1, "requests_total", []string{"source", "dashboard", "class", "2xx"}},
		{1, "requests_total", []string{"source", "dashboard", "class", "4xx"}},
		{1, "requests_total", []string{"source", "none", "class", "4xx"}},
		{1, "records_total", []string{"source", "dashboard", "kind", "valid"}},
		{1, "records_total", []string{"source", "dashboard", "kind", "invalid"}},
		{1, "records_total", []string{"source", "dashboard", "kind", "malformed"}},
		{1, "records_total", []string{"source", "server"}},
		{1, "refused_requests_total", []string{"source", "none", "reason", "key"}},
		{1, "refused_requests_total", []string{"source", "dashboard", "reason", "malformed"}},
		{float64(len(purchase)), "body_bytes_total", []string{"source", "server"}},
		{4, "request_duration_seconds", nil},
		{0, "in_flight_requests", nil},
		{0, "in_flight_bytes", nil},
	} {
		if got := g.metric(t, "sparrow_dispatcher_"+test.name, test.labels...); got != test.want {
			t.Errorf("%s%v is %v, want %v", test.name, test.labels, got, test.want)
		}
	}
}
