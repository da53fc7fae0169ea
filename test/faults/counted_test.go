package faults_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/test/harness"
)

// postCounted posts n events of the plans in this package, with the ids
// prefix-1 to prefix-n.
func postCounted(t *testing.T, g *harness.Gateway, prefix string, n int) {
	t.Helper()
	for i := range n {
		id := fmt.Sprintf("%s-%d", prefix, i+1)
		status, answer := g.Post(serverKey, fmt.Sprintf(`{"event":"counted","deviceId":"device-%d","eventId":"%s","properties":{"n":%d,"id":"%s"}}`, i, id, i, id))
		if status != http.StatusOK {
			t.Fatalf("POST: status %d: %s", status, answer)
		}
	}
}

// sums is the reconciliation of one tracker over all events and days.
type sums struct {
	accepted, delivered, filtered, rejected, expired, uncertain, pending, unaccounted int
}

func reconciliation(g *harness.Gateway) map[string]sums {
	all := map[string]sums{}
	for _, row := range g.Query(`select tracker, sum(accepted) as accepted, sum(delivered) as delivered, sum(filtered) as filtered, sum(rejected) as rejected,
		sum(expired) as expired, sum(uncertain) as uncertain, sum(pending) as pending, sum(unaccounted) as unaccounted from reconciliation group by tracker`) {
		n := func(column string) int { return harness.Number(row, column) }
		all[row["tracker"].(string)] = sums{n("accepted"), n("delivered"), n("filtered"), n("rejected"), n("expired"), n("uncertain"), n("pending"), n("unaccounted")}
	}
	return all
}

// awaitSums waits until so many trackers have an outcome for everything that
// the journal holds, and checks that nothing is unaccounted for.
func awaitSums(t *testing.T, g *harness.Gateway, trackers int) map[string]sums {
	t.Helper()
	var all map[string]sums
	g.Await("every event to have an outcome", 90*time.Second, func() bool {
		all = reconciliation(g)
		for _, s := range all {
			if s.pending != 0 {
				return false
			}
		}
		return len(all) == trackers && strings.Count(g.Command("trackers", "list", "--format", "csv"), ",0,0,") >= trackers
	})
	for name, s := range all {
		if s.unaccounted != 0 {
			t.Errorf("%s: the sums do not agree: %+v", name, s)
		}
	}
	g.VerifySums()
	return all
}

// idOf reads our id out of what a vendor took.
func idOf(t *testing.T, e harness.Entry) string {
	t.Helper()
	var body struct {
		Params          struct{ ID string } `json:"params"`           // GA4
		EventProperties struct{ ID string } `json:"event_properties"` // Amplitude
	}
	if err := json.Unmarshal(e.Data, &body); err != nil {
		t.Fatalf("read what the vendor took: %v", err)
	}
	return body.Params.ID + body.EventProperties.ID
}

func linesWith(text, part string) string {
	var found []string
	for line := range strings.Lines(text) {
		if strings.Contains(line, part) {
			found = append(found, line)
		}
	}
	return strings.Join(found, "")
}
