package dispatcher_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/go-chi/chi/v5"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/sparrow-edge/sparrow/pkg/dispatcher"
	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/fault"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	siteKey   = "pk_test_site"
	serverKey = "sk_test_server"
	site      = "https://dash.example.com"
)

const purchase = `{"event":"purchase product","deviceId":"desktop1","userId":"michelle1","properties":{"category":"billing","productName":"workers"}}`

// testConfig has a source for a site and one for servers.
func testConfig() dispatcher.Config {
	c := dispatcher.DefaultConfig()
	c.Sources = []dispatcher.Source{
		{Name: "dashboard", Keys: []string{siteKey, "pk_test_rotated"}, Origins: []string{site, "https://*.shop.example.com", "http://localhost:3000"}},
		{Name: "server", Keys: []string{serverKey}},
	}
	return c
}

// memoryLog is a Log that keeps copies of what it is given. Its fault, when set,
// is asked before each append.
type memoryLog struct {
	mu      sync.Mutex
	records []event.Record
	appends int
	fault   func(context.Context) error
	unready error
}

func (l *memoryLog) Append(ctx context.Context, records [][]byte) (event.Position, error) {
	l.mu.Lock()
	fail := l.fault
	l.mu.Unlock()
	if fail != nil {
		if err := fail(ctx); err != nil {
			return event.Position{}, err
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.appends++
	for i, b := range records {
		r := event.Record{Receipt: event.Receipt{Epoch: "test", Position: event.Position{Seq: uint64(l.appends), Index: uint32(i)}}}
		if err := r.UnmarshalBinary(bytes.Clone(b)); err != nil {
			return event.Position{}, err
		}
		l.records = append(l.records, r)
	}
	return event.Position{Seq: uint64(l.appends)}, nil
}

func (l *memoryLog) Ready(context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.unready
}

func (l *memoryLog) set(f func(*memoryLog)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f(l)
}

// all returns what was appended so far.
func (l *memoryLog) all() []event.Record {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.records)
}

// incidents is an observer that keeps what it is told.
type incidents struct {
	mu   sync.Mutex
	seen []fault.Incident
}

func (o *incidents) Report(i fault.Incident) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.seen = append(o.seen, i)
}

func (o *incidents) all() []fault.Incident {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.seen)
}

// gateway is a dispatcher behind a real socket.
type gateway struct {
	*httptest.Server
	log        *memoryLog
	incidents  *incidents
	dispatcher *dispatcher.Dispatcher
	registry   *prometheus.Registry
}

func newGateway(t testing.TB, c dispatcher.Config) *gateway {
	t.Helper()
	g := &gateway{log: &memoryLog{}, incidents: &incidents{}, registry: prometheus.NewRegistry()}
	d, err := dispatcher.New(c, g.log, dispatcher.Options{Reporter: g.incidents, Registerer: g.registry})
	if err != nil {
		t.Fatal(err)
	}
	g.dispatcher = d
	r := chi.NewRouter()
	d.Mount(r, "/s")
	g.Server = httptest.NewServer(r)
	t.Cleanup(g.Close)
	return g
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte

	Accepted *int   `json:"accepted"`
	Error    string `json:"error"`
	Code     string `json:"code"`
	Invalid  []struct {
		Index int    `json:"index"`
		Error string `json:"error"`
	} `json:"invalid"`
}

// option changes a request before it is sent.
type option func(*http.Request)

func header(name, value string) option {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

func method(name string) option { return func(r *http.Request) { r.Method = name } }

func path(p string) option {
	return func(r *http.Request) { r.URL.Path, r.URL.RawQuery, _ = strings.Cut(p, "?") }
}

// post sends a body to /v1/events with the site's key, unless options differ.
func (g *gateway) post(t testing.TB, body string, options ...option) answer {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, g.URL, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.URL.Path, r.URL.RawQuery = "/v1/events", "key="+siteKey
	r.Header.Set("Content-Type", "application/json")
	for _, o := range options {
		o(r)
	}
	resp, err := g.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	return read(t, resp)
}

func read(t testing.TB, resp *http.Response) answer {
	t.Helper()
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := answer{status: resp.StatusCode, header: resp.Header, body: body}
	if len(body) > 0 {
		if err := json.Unmarshal(body, &a); err != nil {
			t.Fatalf("answer %q is not JSON: %v", body, err)
		}
	}
	return a
}

func zipped(t testing.TB, s string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.WriteString(w, s); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// metric sums the samples of a counter or gauge whose labels hold all of the
// given name, value pairs.
func (g *gateway) metric(t testing.TB, name string, labels ...string) float64 {
	t.Helper()
	families, err := g.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, family := range families {
		if family.GetName() != name {
			continue
		}
		for _, m := range family.GetMetric() {
			has := map[string]string{}
			for _, l := range m.GetLabel() {
				has[l.GetName()] = l.GetValue()
			}
			matches := true
			for i := 0; i < len(labels); i += 2 {
				matches = matches && has[labels[i]] == labels[i+1]
			}
			if matches {
				sum += m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
			}
		}
	}
	return sum
}
