// Package segment_test uses Segment's and RudderStack's own SDKs, for servers and
// in Chromium, with only the host changed. They send to the real binary over a bad
// network. The tests compare the calls with what is stored, and with what a vendor
// got.
package segment_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/test/harness"
	"github.com/sparrow-edge/sparrow/trackers/amplitude/amplitudetest"
)

func TestMain(m *testing.M) { harness.Main(m) }

const calls = 1000

const config = `environment: test
listen: "{{listen}}"
data: data
journal: { maxBytes: 256MiB, minFree: 0B }
sources: [{ name: shop, keys: [pk_shop_key] }]
trackers:
  - { kind: amplitude, apiKey: test-api-key, identify: identify, baseURL: "%s" }
`

const trackingPlan = `context: { page: true, locale: true, ip: true }
userProperties: { plan: string }
events:
  Order Completed: { properties: { n: integer, price: number, product: string } }
  pageview: { properties: { n: integer, pathname: string, name: string } }
  identify: { properties: { n: integer, plan: string } }
  group: { properties: { n: integer, seats: integer, groupId: string } }
`

// names are the events that the n-th call becomes, by its last digit; the others
// are tracks.
var names = map[int]string{0: "pageview", 1: "identify", 2: "group"}

func TestSegmentAndRudderStackSDKsLoseNothing(t *testing.T) {
	install(t)
	for _, c := range []struct {
		name, script, sdk string
		bad               int64 // each of so many requests fails: browsers make one an event
	}{
		{"Segment for Node", "server.mjs", "segment", 5},
		{"RudderStack for Node", "server.mjs", "rudderstack", 5},
		{"Segment in Chromium", "browser.mjs", "segment", 50},
		{"RudderStack in Chromium", "browser.mjs", "rudderstack", 50},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			vendor := amplitudetest.New(amplitudetest.Options{})
			server := httptest.NewServer(vendor)
			t.Cleanup(server.Close)
			g := harness.New(t, map[string]string{"sparrow.yaml": fmt.Sprintf(config, server.URL), "plan.yaml": trackingPlan}, "serve")
			g.Start()
			network, at := newBadNetwork(t, g.URL, c.bad)
			began := time.Now()
			end := run(t, c.script, c.sdk, at)
			g.Await("every call to be stored", 2*time.Minute, func() bool {
				return harness.Number(g.Query("select count(*) as n from raw where not duplicate")[0], "n") >= calls
			})
			end()
			t.Logf("%v until all was stored", time.Since(began).Round(time.Second))
			if network.refused.Load() == 0 || network.lost.Load() == 0 {
				t.Errorf("the network was too good: %d refused, %d lost", network.refused.Load(), network.lost.Load())
			}
			stored(t, g)
			g.Await("the vendor to have every event", time.Minute, func() bool { return vendor.Taken.Total() >= calls })
			t.Logf("%v until all was delivered", time.Since(began).Round(time.Second))
			delivered(t, vendor)
			previewed(t, g)
		})
	}
}

// install installs the SDKs.
func install(t *testing.T) {
	t.Helper()
	if _, err := os.Stat("node_modules/@segment/analytics-next"); err == nil {
		return
	}
	if out, err := exec.Command("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts").CombinedOutput(); err != nil {
		t.Fatalf("npm ci in test/segment: %v\n%s", err, out)
	}
}

// run starts a script and returns a function that ends it, and fails the test if
// the script printed something.
func run(t *testing.T, script, sdk, url string) (end func()) {
	t.Helper()
	cmd := exec.Command("node", script, sdk, url, "pk_shop_key", fmt.Sprint(calls))
	var said strings.Builder
	cmd.Stderr = &said
	input, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("node %s: %v", script, err)
	}
	ended := false
	end = func() {
		if ended {
			return
		}
		ended = true
		_ = input.Close() // it has ended already, if it is one for servers
		if err := cmd.Wait(); err != nil {
			t.Errorf("node %s %s: %v\n%s", script, sdk, err, said.String())
		}
	}
	t.Cleanup(end)
	return end
}

// stored compares raw with the calls: each is there once, and again only marked;
// its id is the SDK's, and its data is a message as that was sent.
func stored(t *testing.T, g *harness.Gateway) {
	t.Helper()
	rows := g.Query(`select eventId, event, duplicate, usable, json_extract_string(data, '/messageId') as messageId,
		json_extract_string(translated, '/properties/n') as n from raw`)
	once, repeats := map[string]string{}, 0
	ids := map[any]bool{}
	for _, row := range rows {
		n := fmt.Sprint(row["n"])
		if row["usable"] != true || row["eventId"] != row["messageId"] || row["eventId"] == "" {
			t.Fatalf("call %s: %v", n, row)
		}
		if row["duplicate"] == true {
			repeats++
			continue
		}
		if _, twice := once[n]; twice {
			t.Errorf("call %s is there twice, and not marked", n)
		}
		once[n], ids[row["eventId"]] = fmt.Sprint(row["event"]), true
	}
	for n := range calls {
		want := names[n%10]
		if want == "" {
			want = "Order Completed"
		}
		if got := once[fmt.Sprint(n)]; got != want {
			t.Errorf("call %d is event %q, want %q", n, got, want)
		}
	}
	if len(once) != calls || len(ids) != calls {
		t.Errorf("%d calls and %d ids are stored, want %d", len(once), len(ids), calls)
	}
	if repeats == 0 {
		t.Error("nothing was sent twice, though answers were lost")
	}
	t.Logf("%d rows, %d of them marked as repeats", len(rows), repeats)
	shown := g.Query(`select count(*) as n, count(distinct n) as calls, count(deviceId) as devices,
		count(*) filter (event = 'pageview' and pathname like '/docs/%') as pages, count(*) filter (event = 'group' and groupId = 'acme') as groups from raw_normalized`)[0]
	for column, want := range map[string]int{"n": calls, "calls": calls, "devices": calls, "pages": calls / 10, "groups": calls / 10} {
		if got := harness.Number(shown, column); got != want {
			t.Errorf("raw_normalized: %d %s, want %d", got, column, want)
		}
	}
}

// pageViewed is Amplitude's name of a pageview.
const pageViewed = "[Amplitude] Page Viewed"

// sent is an event as the vendor got it.
type sent struct {
	Type           string         `json:"event_type"`
	Device         string         `json:"device_id"`
	User           string         `json:"user_id"`
	Insert         string         `json:"insert_id"`
	Language       string         `json:"language"`
	Properties     map[string]any `json:"event_properties"`
	UserProperties map[string]any `json:"user_properties"`
}

// delivered looks at the vendor's own log: every event once, and each kind as
// the vendor expects it.
func delivered(t *testing.T, vendor *amplitudetest.Server) {
	t.Helper()
	counts, inserts := map[string]int{}, map[string]bool{}
	for _, entry := range vendor.Taken.Entries() {
		var e sent
		if err := json.Unmarshal(entry.Data, &e); err != nil {
			t.Fatal(err)
		}
		counts[e.Type]++
		inserts[e.Insert] = true
		if fault := e.fault(); fault != "" {
			t.Fatalf("%s: %s", fault, entry.Data)
		}
	}
	if len(inserts) != calls {
		t.Errorf("the vendor has %d events, want %d", len(inserts), calls)
	}
	for name, want := range map[string]int{"Order Completed": calls * 7 / 10, pageViewed: calls / 10, "$identify": calls / 10, "group": calls / 10} {
		if counts[name] != want {
			t.Errorf("the vendor has %d of %s, want %d", counts[name], name, want)
		}
	}
}

// fault says what is wrong with an event at the vendor, "" when nothing is.
func (e sent) fault() string {
	switch {
	case e.Device == "" || e.Language != "de-CH":
		return "no device or locale"
	case e.Type == "Order Completed" && (e.Properties["price"] != 19.9 || e.Properties["product"] != `zürich 東京 "quoted"`):
		return "not the properties"
	case e.Type == pageViewed && e.Properties["name"] != "Docs":
		return "not the page"
	case e.Type == "$identify" && !strings.HasPrefix(e.User, "user-"):
		return "not the user"
	case e.Type == "$identify":
		if set, _ := e.UserProperties["$set"].(map[string]any); set["plan"] != "pro" {
			return "not the traits"
		}
	}
	return ""
}

// previewed has `trackers preview` show stored messages: what it shows is what the
// vendor got.
func previewed(t *testing.T, g *harness.Gateway) {
	t.Helper()
	for _, row := range g.Query("select event, any_value(data) as data from raw where not duplicate group by event") {
		g.Write("message.json", fmt.Sprint(row["data"]))
		var previews []struct {
			Outcome  string
			Requests []struct{ Body string }
		}
		out := g.Command("trackers", "preview", "message.json", "--from", "segment", "--format", "json")
		if err := json.Unmarshal([]byte(out), &previews); err != nil {
			t.Fatal(err)
		}
		if len(previews) != 1 || previews[0].Outcome != "sent" || len(previews[0].Requests) != 1 {
			t.Fatalf("preview of %s: %s", row["event"], out)
		}
		var body struct{ Events []sent }
		if err := json.NewDecoder(io.LimitReader(strings.NewReader(previews[0].Requests[0].Body), 1<<20)).Decode(&body); err != nil {
			t.Fatal(err)
		}
		if len(body.Events) != 1 || body.Events[0].fault() != "" {
			t.Errorf("preview of %s: %s", row["event"], out)
		}
	}
}
