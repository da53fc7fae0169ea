package report_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/sparrow-edge/sparrow/pkg/fault"
	"github.com/sparrow-edge/sparrow/pkg/report"
	"github.com/sparrow-edge/sparrow/pkg/secret"
)

// ended is a context that is over.
func ended(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

func small(class string) fault.Incident {
	return fault.Incident{Component: "lane", Class: class, Err: errors.New("broken pipe")}
}

// series are the values of a counter, by their labels' values.
func series(t *testing.T, registry *prometheus.Registry, name string) map[string]float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]float64{}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			if family.GetName() != name {
				continue
			}
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, l.GetValue())
			}
			values[strings.Join(labels, "/")] = m.GetCounter().GetValue()
		}
	}
	return values
}

func TestDeadSentryGoesToTheLog(t *testing.T) {
	dsn := "http://0123456789abcdef@127.0.0.1:1/42" // nobody listens on port 1
	var out bytes.Buffer
	registry := prometheus.NewPedanticRegistry()
	r, stop := start(t, report.Config{DSN: secret.Value(dsn)}, report.Options{Logger: slog.New(slog.NewJSONHandler(&out, nil)), Registerer: registry})
	for range 3 {
		r.Report(small("timeout"))
	}
	stop()
	if n := strings.Count(out.String(), `"msg":"incident"`); n != 3 {
		t.Errorf("%d incidents in the log, want 3:\n%s", n, out.String())
	}
	if n := strings.Count(out.String(), `"msg":"sentry state changed"`); n != 1 {
		t.Errorf("the outage is told %d times, want once", n)
	}
	if strings.Contains(out.String(), "0123456789abcdef") {
		t.Error("the DSN's key is in the log")
	}
	if diff := cmp.Diff(map[string]float64{"failed": 3}, series(t, registry, "sparrow_report_records_total")); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
}

// hanging never answers, until the request is given up.
type hanging struct{ tried chan struct{} }

func (h hanging) RoundTrip(req *http.Request) (*http.Response, error) {
	h.tried <- struct{}{}
	<-req.Context().Done()
	return nil, req.Context().Err()
}

func TestHangingSentryDelaysNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		sentry := hanging{make(chan struct{}, 100)}
		r, stop := start(t, report.Config{DSN: fakeDSN}, report.Options{Transport: sentry, Logger: slog.New(slog.NewJSONHandler(&out, nil))})
		begin := time.Now()
		for range 500 {
			r.Report(small("timeout"))
			r.Report(small("http 500"))
		}
		if d := time.Since(begin); d != 0 {
			t.Errorf("Report took %s", d)
		}
		<-sentry.tried
		begin = time.Now()
		stop()
		if d := time.Since(begin); d > 6*time.Second {
			t.Errorf("stopping took %s, want at most about five seconds", d)
		}
		if full, sums := strings.Count(out.String(), `"msg":"incident"`), strings.Count(out.String(), `"msg":"incidents summary"`); full != 20 || sums != 2 {
			t.Errorf("%d incidents and %d summaries in the log, want 20 and 2", full, sums)
		}
	})
}

func TestSentryComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sentry := &flaky{fakeSentry: newFakeSentry(), away: true}
		r, stop := start(t, report.Config{DSN: fakeDSN}, report.Options{Transport: sentry})
		r.Report(small("first"))
		synctest.Wait()
		sentry.away = false
		time.Sleep(2 * time.Second)
		r.Report(small("second"))
		stop()
		events := sentry.seen(t)
		if len(events) != 1 || events[0].Tags["class"] != "second" {
			t.Errorf("events %+v, want the second alone", events)
		}
	})
}

type flaky struct {
	*fakeSentry
	away bool
}

func (f *flaky) RoundTrip(req *http.Request) (*http.Response, error) {
	if f.away {
		return nil, errors.New("connection refused")
	}
	return f.fakeSentry.RoundTrip(req)
}

func TestSentryAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		answer   http.HandlerFunc
		requests int
		results  map[string]float64
	}{
		"429": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "60")
			w.WriteHeader(http.StatusTooManyRequests)
		}, 1, map[string]float64{"limited": 3}},
		"200 with a limit": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Sentry-Rate-Limits", "60:error:organization")
		}, 1, map[string]float64{"sent": 1, "limited": 2}},
		"500": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }, 1, map[string]float64{"refused": 3}},
		"a redirect": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(http.StatusTemporaryRedirect)
		}, 1, map[string]float64{"refused": 3}},
	} {
		t.Run(name, func(t *testing.T) {
			sentry := newFakeSentry()
			registry := prometheus.NewPedanticRegistry()
			var out bytes.Buffer
			r, stop := start(t, report.Config{DSN: secret.Value(sentry.serve(t, c.answer))}, report.Options{Registerer: registry, Logger: slog.New(slog.NewJSONHandler(&out, nil))})
			for range 3 {
				r.Report(small("timeout"))
			}
			stop()
			sentry.seen(t)
			if sentry.requests != c.requests {
				t.Errorf("%d requests, want %d", sentry.requests, c.requests)
			}
			if diff := cmp.Diff(c.results, series(t, registry, "sparrow_report_records_total")); diff != "" {
				t.Errorf("records (-want +got):\n%s", diff)
			}
			if n, want := strings.Count(out.String(), `"msg":"incident"`), 3-int(c.results["sent"]); n != want {
				t.Errorf("%d incidents in the log, want the %d that Sentry did not take", n, want)
			}
		})
	}
}
