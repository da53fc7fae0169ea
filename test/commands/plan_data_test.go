package commands_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/test/harness"
)

const comparedConfig = `environment: test
listen: "{{listen}}"
data: data
journal: { maxBytes: 256MiB, minFree: 0B }
sources: [{ name: backend, keys: [sk_backend_0123456789] }]
trackers: []
`

const comparedPlan = `events:
  bought:
    properties:
      price: number
      count: integer
      at: timestamp
      name: string
      gift: boolean
      cart: { type: object }
      tags: { type: array, of: string }
      anything: any
      absent: string
  viewed:
    properties: { price: number }
`

// TestPlanAgainstData: the share of values that do not fit, and what the plan does
// not list, without any value, while the gateway runs and when it does not.
func TestPlanAgainstData(t *testing.T) {
	g := harness.New(t, map[string]string{"sparrow.yaml": comparedConfig, "plan.yaml": comparedPlan}, "serve")
	g.Start()
	var events []string
	for i := range 1000 {
		properties := map[string]any{
			"price": 1.5, "count": 3, "at": "2026-11-20T10:00:00.5+01:00", "name": "n", "gift": true, "cart": map[string]any{"a": 1},
			"tags": []string{"x"}, "anything": []any{1, "x", nil}[i%3], "absent": nil,
		}
		switch {
		case i < 32:
			properties["price"] = "secret-value"
		case i < 40:
			properties["count"], properties["at"] = 1.5, "2026-11-20"
		case i < 41:
			properties["gift"], properties["cart"], properties["tags"], properties["name"] = "true", []int{1}, "x", 17
		case i < 51:
			properties["colour"] = "secret-value"
		}
		event, err := json.Marshal(map[string]any{"event": "bought", "deviceId": "d", "eventId": fmt.Sprint("id", i), "properties": properties})
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, string(event))
	}
	events = append(events,
		`{"event":"viewed","deviceId":"d","properties":{"price":1,"\u001b[2Jhostile":"\ud83d"}}`,
		`{"event":"viewed","deviceId":"d","properties":{"price":{"amount":1}}}`,
		`{"event":"unplanned","deviceId":"d","properties":{"price":"secret-value","other":1}}`)
	for _, part := range [][]string{events[:500], events[500:]} {
		if status, answer := g.Post("sk_backend_0123456789", "["+strings.Join(part, ",")+"]"); status != http.StatusOK {
			t.Fatalf("POST: %d %s", status, answer)
		}
	}
	g.Await("the events in the warehouse", time.Minute, func() bool {
		return harness.Number(g.Query("select count(*) as n from raw")[0], "n") == len(events)
	})

	check := func(when string) {
		t.Helper()
		code, out, errOut := run(t, g.Dir, "plan", "check", "--against-data")
		if code != 1 || !strings.Contains(errOut, "values of another type than the plan's: 8:") {
			t.Errorf("%s: exit code %d: %s", when, code, errOut)
		}
		for _, want := range []string{
			"plan.yaml: ok", "bought price number 1000 3.2% text\n", "bought count integer 1000 0.8% number\n", "bought at timestamp 1000 0.8% text\n",
			"bought gift boolean 1000 0.1% text\n", "bought cart object 1000 0.1% array\n", "bought tags array 1000 0.1% text\n",
			"bought name string 1000 0.1% integer\n", "bought colour 10 not in the plan\n", "viewed price number 2 50.0% object\n", "hostile 1 not in the plan\n", "1003 events of 7 days were read\n",
		} {
			if !strings.Contains(strings.Join(strings.Fields(out), " ")+"\n", strings.TrimSuffix(want, "\n")) {
				t.Errorf("%s: %q is missing:\n%s", when, want, out)
			}
		}
		for _, bad := range []string{"secret-value", "unplanned", "absent", "anything", "\x1b"} {
			if strings.Contains(out+errOut, bad) {
				t.Errorf("%s: %q is printed:\n%s", when, bad, out)
			}
		}
	}
	check("running")

	// A plan that the gateway does not use yet is compared as it stands in the file.
	code, out, errOut := run(t, g.Dir, "plan", "check", "--against-data", "--max-events", "10", "--format", "json")
	var rows []map[string]any
	if err := json.Unmarshal([]byte(out), &rows); err != nil || code != 1 || len(rows) == 0 {
		t.Errorf("json: exit code %d, %v: %s%s", code, err, out, errOut)
	}
	g.Write("plan.yaml", "events:\n  viewed:\n    properties: { price: any }\n")
	code, out, errOut = run(t, g.Dir, "plan", "check", "--against-data", "--days", "1")
	if code != 0 || errOut != "" || !strings.Contains(out, "not in the plan") || strings.Contains(out, "bought") {
		t.Errorf("another plan: exit code %d: %s%s", code, out, errOut)
	}
	g.Write("plan.yaml", comparedPlan)
	g.Stop(time.Minute)
	check("stopped")
}
