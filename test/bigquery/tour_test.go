package bigquery_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/test/harness"
	"github.com/sparrow-edge/sparrow/trackers/amplitude/amplitudetest"
)

const (
	example = `{"event":"purchase product","deviceId":"desktop1","userId":"michelle1","properties":{"category":"billing","productName":"workers"}}`

	purchases = "select * from raw_normalized where event = 'purchase product'"

	purchasePlan = `events:
  purchase product:
    properties: { category: string, productName: string, coupon: string }
`
)

// TestEveryWarehouseCommandOnBigQuery: every command that has to do with the warehouse, against BigQuery's
// SQL, with the gateway running and without.
func TestEveryWarehouseCommandOnBigQuery(t *testing.T) {
	t.Parallel()
	vendor := httptest.NewServer(amplitudetest.New(amplitudetest.Options{}))
	t.Cleanup(vendor.Close)
	sentry := harness.NewSentry(t)
	g := harness.New(t, map[string]string{
		"sparrow.yaml": strings.Replace(fmt.Sprintf(config, emulator(t), sentry.DSN, vendor.URL), "retention: 0s, timeout: 2s", "timeout: 30s, inFlight: 1", 1),
		"plan.yaml":    purchasePlan,
	}, "serve")
	if out := g.Command("warehouse", "check"); strings.Count(out, "ok  ") != 9 {
		t.Errorf("sparrow warehouse check:\n%s", out)
	}
	g.Start()
	tail := g.Tail(t, func() {
		if status, answer := g.Post(key, example); status != http.StatusOK {
			t.Fatalf("POST: %d %s", status, answer)
		}
	}, "--format", "json")
	if out := tail.Output(); !strings.Contains(out, "purchase product") {
		t.Errorf("sparrow tail shows %s", out)
	}
	g.Await("the event in BigQuery", time.Minute, func() bool {
		out, err := g.TryCommand("query", "--format", "json", purchases)
		return err == nil && strings.Contains(out, "desktop1") && strings.Contains(out, "workers") // the plan's views, too
	})
	t.Run("the five columns come back", func(t *testing.T) { checkColumns(t, g) })
	g.Await("the event at the vendor, in the books", time.Minute, func() bool {
		row := strings.Split(lastLine(g.Command("reconcile", "--since", "24h", "--format", "csv")), ",")
		return len(row) > 6 && row[2] == "purchase product" && row[4] != "0" && row[4] == row[6] // accepted, delivered
	})
	t.Run("the way of an event", func(t *testing.T) { checkWay(t, g) })
	t.Run("sums", func(t *testing.T) { checkSums(t, g) })
	t.Run("views", func(t *testing.T) { checkViews(t, g) })
	t.Run("only one SELECT", func(t *testing.T) { checkReadOnly(t, g) })
	g.Stop(time.Minute)
	t.Run("without a gateway", func(t *testing.T) {
		checkColumns(t, g)
		checkWay(t, g)
		checkSums(t, g)
		checkReadOnly(t, g)
		if out := g.Command("reconcile", "--since", "24h"); !strings.Contains(out, "purchase product") {
			t.Errorf("sparrow reconcile:\n%s", out)
		}
		if out, err := g.TryCommand("views", "apply"); err == nil || !strings.Contains(out, "no gateway is running") {
			t.Errorf("sparrow views apply without a gateway: %v: %s", err, out)
		}
	})
	if events := sentry.Events(t); len(events) != 0 {
		t.Errorf("Sentry was told of %d incidents, the first: %+v", len(events), events[0])
	}
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}

func checkColumns(t *testing.T, g *harness.Gateway) {
	t.Helper()
	rows := g.Query(purchases)
	if len(rows) == 0 {
		t.Fatal("there is no purchase in raw_normalized")
	}
	for column, want := range map[string]string{"event": "purchase product", "deviceId": "desktop1", "userId": "michelle1", "category": "billing", "productName": "workers"} {
		if got := rows[0][column]; got != want {
			t.Errorf("%s = %v, want %s", column, got, want)
		}
	}
	if got := g.Query("select data from raw limit 1")[0]["data"]; got != example {
		t.Errorf("raw.data = %v, want the bytes as sent: %s", got, example)
	}
}

func checkWay(t *testing.T, g *harness.Gateway) {
	t.Helper()
	id := fmt.Sprint(g.Query("select eventId from raw limit 1")[0]["eventId"])
	way := g.Command("events", id, "--request")
	for _, part := range []string{"purchase product", "amplitude    delivered  (status 200", `"category":"billing"`} {
		if !strings.Contains(way, part) {
			t.Errorf("sparrow events does not show %q:\n%s", part, way)
		}
	}
}

// checkSums: the sums agree with the rows, day by day, and no day is without sums.
func checkSums(t *testing.T, g *harness.Gateway) {
	t.Helper()
	if out := g.Command("reconcile", "--since", "24h", "--verify"); !strings.Contains(out, "no differences in 1 days") {
		t.Errorf("sparrow reconcile --verify: %s", out)
	}
	if out := g.Command("warehouse", "count", "--dry-run"); !strings.Contains(out, "0 days, 0 bytes: to count") {
		t.Errorf("sparrow warehouse count --dry-run: %s", out)
	}
}

// TestPlanCheckKnowsBigQuerysLimits: a plan whose view is too long is refused before
// it is used, and BigQuery is not asked.
func TestPlanCheckKnowsBigQuerysLimits(t *testing.T) {
	t.Parallel()
	const nowhere = `insecure: true, endpoint: "http://127.0.0.1:1", storageEndpoint: "127.0.0.1:1"`
	plan := func(properties int) string {
		var list []string
		for i := range properties {
			list = append(list, fmt.Sprintf("property%d: string", i))
		}
		return "events:\n  purchase product:\n    properties: { " + strings.Join(list, ", ") + " }\n"
	}
	g := harness.New(t, map[string]string{"sparrow.yaml": fmt.Sprintf(config, nowhere, "", "http://127.0.0.1:1"), "plan.yaml": plan(900)}, "serve")
	if out := g.Command("plan", "check"); !strings.Contains(out, "900 columns") {
		t.Errorf("sparrow plan check of 900 properties: %s", out)
	}
	g.Write("plan.yaml", plan(1900))
	if out, err := g.TryCommand("plan", "check"); exit(err) != 2 || !strings.Contains(out, "1900 columns of properties") || !strings.Contains(out, "BigQuery takes 256000") {
		t.Errorf("sparrow plan check of 1,900 properties: %v: %s", err, out)
	}
}

// checkViews: views come from the plan, in both dialects; a column comes with the
// plan, and leaves when it is dropped.
func checkViews(t *testing.T, g *harness.Gateway) {
	if out := g.Command("views", "print"); !strings.Contains(out, "`test.sparrow.raw_normalized`") || !strings.Contains(out, "json_value(") {
		t.Errorf("sparrow views print is not in BigQuery's SQL:\n%s", out)
	}
	if out := g.Command("views", "print", "--dialect", "duckdb"); strings.Contains(out, "`") || !strings.Contains(out, `"productName"`) {
		t.Errorf("sparrow views print --dialect duckdb is not in DuckDB's SQL:\n%s", out)
	}
	if out, err := g.TryCommand("views", "print", "--dialect", "oracle"); exit(err) != 2 || !strings.Contains(out, "duckdb or bigquery") {
		t.Errorf("sparrow views print --dialect oracle: %v: %s", err, out)
	}
	if out := g.Command("views", "apply"); !strings.Contains(out, "the views agree with the plan") {
		t.Errorf("sparrow views apply: %s", out)
	}
	g.Write("plan.yaml", strings.Replace(purchasePlan, "coupon: string", "price: number", 1))
	g.Await("the new column", time.Minute, func() bool {
		out, err := g.TryCommand("query", "--format", "csv", "select * from raw_normalized limit 1")
		return err == nil && strings.Contains(out, ",price") && strings.Contains(out, ",coupon")
	})
	if out := g.Command("views", "apply"); !strings.Contains(out, "kept, though no longer in the plan (--drop drops them): coupon") {
		t.Errorf("sparrow views apply: %s", out)
	}
	if out := g.Command("views", "apply", "--drop"); !strings.Contains(out, "dropped: coupon") {
		t.Errorf("sparrow views apply --drop: %s", out)
	}
}

func checkReadOnly(t *testing.T, g *harness.Gateway) {
	t.Helper()
	for _, sql := range []string{
		"delete from raw where true", "drop table raw", "create table mine as select 1 as a", "select 1 as a; drop table raw",
		"begin drop table raw; end", "call nothing()", "export data options (uri = 'gs://mine/*') as select * from raw",
	} {
		if out, err := g.TryCommand("query", sql); exit(err) != 1 || !strings.Contains(out, "only one SELECT is allowed") {
			t.Errorf("%s: %v: %s", sql, err, out)
		}
	}
	if out, err := g.TryCommand("query", "select nothing from raw"); exit(err) != 1 || !strings.Contains(out, "nothing") {
		t.Errorf("a column that is not there: %v: %s", err, out)
	}
}
