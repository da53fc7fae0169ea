package tour_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/test/harness"
)

// What the demo page asks for: where an event is, with the exact requests, no
// secret among them.
func TestDemoFollowsEvents(t *testing.T) {
	g := dev(t)
	const numbers = `{"event":"purchase product","deviceId":"d","userId":"u","eventId":"followed","properties":{"productName":"x","price":12345678901234567890.10}}`
	if status, answer := g.Post(key, numbers); status != http.StatusOK {
		t.Fatalf("POST: %d %s", status, answer)
	}
	var text string
	g.Await("the way of the event", 30*time.Second, func() bool {
		var status int
		status, text = get(t, g.URL+"/demo/ways?id=followed", "")
		return status == http.StatusOK && strings.Count(text, `"dry-run"`) == 3
	})
	var ways []struct {
		EventID  string
		Trackers []struct {
			Tracker  string
			Requests []struct{ URL, Body string }
		}
	}
	if err := json.Unmarshal([]byte(text), &ways); err != nil || len(ways) != 1 || ways[0].EventID != "followed" {
		t.Fatalf("ways %s (%v)", text, err)
	}
	for _, hop := range ways[0].Trackers {
		if len(hop.Requests) == 0 {
			t.Errorf("%s has no request", hop.Tracker)
			continue
		}
		if body := hop.Requests[len(hop.Requests)-1].Body; !strings.Contains(body, "12345678901234567890.10") {
			t.Errorf("%s: the number is not as it was sent in\n%s", hop.Tracker, body)
		}
	}
	for _, secret := range []string{"not-a-secret", "not-a-real-key"} {
		if strings.Contains(text, secret) {
			t.Errorf("the page sees %q", secret)
		}
	}
	if status, _ := get(t, g.URL+"/demo/ways?id=followed", "evil.example.com"); status == http.StatusOK {
		t.Error("the ways answer to another host's name: DNS rebinding")
	}
}

// A gateway that is not `sparrow dev` has no demo page and says nothing of
// events on its public listener.
func TestDemoIsOnlyOfDev(t *testing.T) {
	g := harness.New(t, map[string]string{
		"sparrow.yaml": "listen: {{listen}}\ndata: ./data\njournal: { minFree: 1MiB, maxBytes: 64MiB }\nsources: [{ name: s, keys: [pk_public_1] }]\n",
		"plan.yaml":    "events: { pageview: {} }\n",
	}, "serve")
	g.Start()
	for _, path := range []string{"/", "/demo/ways?id=x"} {
		if status, _ := get(t, g.URL+path, ""); status != http.StatusNotFound {
			t.Errorf("%s: status %d on a public listener", path, status)
		}
	}
}
