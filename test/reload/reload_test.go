// Package reload_test changes the configuration of the running binary: trackers
// that are added, changed, removed and wrong, while events come in.
package reload_test

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/test/harness"
	"github.com/sparrow-edge/sparrow/trackers/amplitude/amplitudetest"
	"github.com/sparrow-edge/sparrow/trackers/heap/heaptest"
)

func TestMain(m *testing.M) { harness.Main(m) }

const key = "pk_reload_test"

const head = `environment: test
listen: "{{listen}}"
data: data
journal: { minFree: 0B }
sources: [{ name: site, keys: [pk_reload_test] }]
trackers:
`

// post sends n events whose ids begin with a word.
func post(t *testing.T, g *harness.Gateway, word string, n int) {
	t.Helper()
	for i := range n {
		body := fmt.Sprintf(`{"event":"seen","deviceId":"device-%d","userId":"user-%[1]d","eventId":"%s-%[1]d"}`, i, word)
		if status, answer := g.Post(key, body); status != 200 {
			t.Fatalf("POST: %d %s", status, answer)
		}
	}
}

// keys are the ids that a vendor took.
func keys(entries []harness.Entry) string {
	var list []string
	for _, e := range entries {
		list = append(list, e.Key)
	}
	return " " + strings.Join(list, " ") + " "
}

func TestTrackersAreReloaded(t *testing.T) {
	heap, amplitude := heaptest.New(heaptest.Options{}), amplitudetest.New(amplitudetest.Options{})
	heapServer, amplitudeServer := httptest.NewServer(heap), httptest.NewServer(amplitude)
	t.Cleanup(heapServer.Close)
	t.Cleanup(amplitudeServer.Close)
	heapLine := fmt.Sprintf("  - { kind: heap, appId: \"1234567890\", baseURL: %q }\n", heapServer.URL)
	amplitudeLine := fmt.Sprintf("  - { kind: amplitude, apiKey: test-api-key, baseURL: %q }\n", amplitudeServer.URL)

	g := harness.New(t, map[string]string{"sparrow.yaml": head + heapLine, "plan.yaml": "events: { seen: {} }\n"}, "serve")
	g.Start()
	reload := func(config, said string) {
		t.Helper()
		before := strings.Count(g.Log(), said)
		g.Write("sparrow.yaml", config)
		g.Signal(syscall.SIGHUP)
		g.Await("the log to say "+said, 30*time.Second, func() bool { return strings.Count(g.Log(), said) > before })
	}

	post(t, g, "first", 5)
	reload(head+heapLine+amplitudeLine, "tracker started")
	post(t, g, "second", 5)
	g.Await("both vendors to have what is theirs", time.Minute, func() bool { return heap.Taken.Total() == 10 && amplitude.Taken.Total() == 5 })
	if took := keys(amplitude.Taken.Entries()); strings.Contains(took, " first-") {
		t.Errorf("a tracker that was added took events from before:%s", took)
	}

	reload(head+strings.Replace(heapLine, "kind: heap", "kinds: heap", 1), "not reloaded")
	post(t, g, "third", 5)
	g.Await("the last good trackers to go on", time.Minute, func() bool { return heap.Taken.Total() == 15 && amplitude.Taken.Total() == 10 })

	reload(head+strings.Replace(heapLine, "kind: heap", "kind: heap, mode: dry-run", 1)+amplitudeLine, "tracker started")
	post(t, g, "fourth", 5)
	g.Await("the vendor that is still live, and the one in dry-run", time.Minute, func() bool {
		return amplitude.Taken.Total() == 15 && strings.Contains(g.Command("trackers", "list"), "filtered 5")
	})

	reload(head+amplitudeLine, "taken out of the configuration")
	post(t, g, "fifth", 5)
	g.Await("the vendor that is left", time.Minute, func() bool { return amplitude.Taken.Total() == 20 })
	if heap.Taken.Total() != 15 {
		t.Errorf("heap took %d events; after its 15 it was in dry-run and then gone", heap.Taken.Total())
	}
	if out := g.Command("trackers", "remove", "heap"); !strings.Contains(out, "heap is closed; 5 event(s)") {
		t.Errorf("trackers remove heap: %s", out)
	}
	// Back under its name, it goes on: with new events, and with the sums it had.
	post(t, g, "sixth", 5)
	g.Await("the vendor that is left", time.Minute, func() bool { return amplitude.Taken.Total() == 25 })
	reload(head+heapLine+amplitudeLine, "tracker started")
	post(t, g, "seventh", 5)
	g.Await("the tracker that is back", time.Minute, func() bool { return heap.Taken.Total() == 20 && amplitude.Taken.Total() == 30 })
	if took := keys(heap.Taken.Entries()); strings.Contains(took, " sixth-") {
		t.Errorf("a tracker that is back took events from while it was gone:%s", took)
	}
	g.Await("the sums to agree", time.Minute, func() bool {
		rows := g.Query(`select tracker, sum(accepted) as accepted, sum(delivered) as delivered, sum(filtered) as filtered, sum(expired) as expired,
			sum(pending) as pending, sum(unaccounted) as unaccounted from reconciliation group by tracker order by tracker`)
		return fmt.Sprint(rows) == "[map[accepted:30 delivered:30 expired:0 filtered:0 pending:0 tracker:amplitude unaccounted:0]"+
			" map[accepted:30 delivered:20 expired:5 filtered:5 pending:0 tracker:heap unaccounted:0]]"
	})
	g.VerifySums()
}
