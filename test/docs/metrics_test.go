package docs_test

import (
	"context"
	"io"
	"maps"
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sparrow-edge/sparrow/pkg/app/config"
	"github.com/sparrow-edge/sparrow/pkg/app/gateway"
	"github.com/sparrow-edge/sparrow/pkg/dedup"
	"github.com/sparrow-edge/sparrow/pkg/delivery"
	"github.com/sparrow-edge/sparrow/pkg/dispatcher"
	"github.com/sparrow-edge/sparrow/pkg/journal"
	"github.com/sparrow-edge/sparrow/pkg/lease"
	"github.com/sparrow-edge/sparrow/pkg/report"
	"github.com/sparrow-edge/sparrow/pkg/tracker"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
	"github.com/sparrow-edge/sparrow/pkg/warehouse/warehousetest"
	"github.com/sparrow-edge/sparrow/trackers"
)

// catalogue is a registerer that records what is registered, also metrics that
// have no series until something happens.
type catalogue struct {
	labels map[string][]string // by metric
}

// description is how prometheus prints a Desc.
var description = regexp.MustCompile(`fqName: "([^"]+)".*variableLabels: \{([^}]*)\}`)

// Register implements prometheus.Registerer.
func (c *catalogue) Register(collector prometheus.Collector) error {
	descriptions := make(chan *prometheus.Desc, 16)
	collector.Describe(descriptions)
	close(descriptions)
	for d := range descriptions {
		match := description.FindStringSubmatch(d.String())
		if match == nil {
			continue
		}
		c.labels[match[1]] = strings.FieldsFunc(match[2], func(r rune) bool { return r == ',' })
	}
	return nil
}

// MustRegister implements prometheus.Registerer.
func (c *catalogue) MustRegister(collectors ...prometheus.Collector) {
	for _, collector := range collectors {
		_ = c.Register(collector) // it never fails
	}
}

// Unregister implements prometheus.Registerer.
func (c *catalogue) Unregister(prometheus.Collector) bool { return false }

// Dependencies of the components. The test only creates them, so nothing here is
// ever called.
type (
	noLog        struct{ dispatcher.Journal }
	noSource     struct{ delivery.Events }
	noOutcomeLog struct{ delivery.OutcomeLog }
	noTracker    struct{ tracker.Tracker }
	noWarehouse  struct{ warehouse.Warehouse }
	noEvents     struct{ warehouse.Events }
	noOutcomes   struct{ warehouse.Outcomes }
)

// metrics are all of the gateway's, with their labels.
func metrics(t *testing.T) map[string][]string {
	t.Helper()
	c := &catalogue{labels: map[string][]string{}}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	intake := dispatcher.DefaultConfig()
	intake.Sources = []dispatcher.Source{{Name: "site", Keys: []string{"pk_docs_test"}}}
	_, err := dispatcher.New(intake, noLog{}, dispatcher.Options{Registerer: c})
	must(err)
	j, err := journal.Open(t.Context(), journal.DefaultConfig(), journal.Options{Dir: t.TempDir(), Registerer: c})
	must(err)
	t.Cleanup(func() { _ = j.Close() })
	_, err = lease.Join(nil, lease.DefaultConfig(), lease.Options{Node: "docs", Registerer: c})
	must(err)
	index, err := dedup.Open(t.TempDir(), dedup.DefaultConfig(), dedup.Options{Registerer: c})
	must(err)
	t.Cleanup(func() { _ = index.Close() })
	lane := delivery.DefaultConfig()
	lane.Name = "vendor"
	_, err = delivery.New(lane, noTracker{}, tracker.Traits{}, delivery.Deps{
		Source: noSource{}, OutcomeLog: noOutcomeLog{}, Tracer: func() delivery.Tracer { return nil }, Registerer: c,
	})
	must(err)
	_, err = warehouse.NewLoader(warehouse.DefaultConfig(), warehouse.Options{
		Open: warehousetest.Opened(noWarehouse{}), Events: noEvents{}, Outcomes: noOutcomes{}, Registerer: c,
	})
	must(err)
	_, err = report.New(report.Config{}, report.Options{Registerer: c})
	must(err)
	return c.labels
}

// scraped are the names that a running gateway shows.
func scraped(t *testing.T) []string {
	t.Helper()
	settings, err := config.Dev(trackers.All(), config.DevOptions{Listen: "127.0.0.1:0", Data: filepath.Join(t.TempDir(), "data")})
	if err != nil {
		t.Fatal(err)
	}
	g, err := gateway.Open(t.Context(), settings, gateway.Options{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- g.Run(ctx) }()
	defer func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	}()
	client := &http.Client{}
	defer client.CloseIdleConnections()
	resp, err := client.Get(g.URL() + "/metrics") // the listener is open before Run serves it
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for _, match := range regexp.MustCompile(`(?m)^# TYPE (sparrow_\S+)`).FindAllStringSubmatch(string(text), -1) {
		names[match[1]] = true
	}
	return slices.Sorted(maps.Keys(names))
}

func TestOperationsExplainsEveryMetric(t *testing.T) {
	known := metrics(t)
	p := read(t, "docs/OPERATIONS.md")
	explained := map[string]bool{}
	for _, r := range p.table(t, "Metrics") {
		name, _ := code(r[0])
		explained[name] = true
		labels, exists := known[name]
		if !exists {
			t.Errorf("%s explains %s, which does not exist", p.name, name)
			continue
		}
		want := slices.DeleteFunc(strings.Split(r[1], ", "), func(s string) bool { return s == "" })
		slices.Sort(want)
		slices.Sort(labels)
		if !slices.Equal(labels, want) {
			t.Errorf("%s has the labels %q, not %q", name, labels, want)
		}
		if len(r) != 3 || r[2] == "" {
			t.Errorf("%s: say what it means", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(known)) {
		if !explained[name] {
			t.Errorf("%s lacks %s: say what it means", p.name, name)
		}
	}
	running := scraped(t)
	if len(running) < 20 {
		t.Errorf("a running gateway shows %d metrics only: %q", len(running), running)
	}
	for _, name := range running {
		if !explained[name] {
			t.Errorf("%s lacks %s, which a running gateway shows", p.name, name)
		}
	}
}
