package cluster_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/tracker/vendortest"
	"github.com/sparrow-edge/sparrow/test/harness"
	"github.com/sparrow-edge/sparrow/trackers/amplitude/amplitudetest"
	"github.com/sparrow-edge/sparrow/trackers/ga4/ga4test"
)

func TestMain(m *testing.M) { harness.Main(m) }

const key = "pk_cluster_test"

// leaseTTL is long enough for a busy machine to renew in time, and short enough to
// wait for.
const leaseTTL = 3 * time.Second

const settings = `environment: test
listen: "{{listen}}"
data: data
drain: 3s
journal: { url: "%s", replicas: %d, maxBytes: 256MiB }
lease: { ttl: 3s }
sanitizer: { key: the-same-in-every-process-of-the-cluster }
sources: [{ name: site, keys: [pk_cluster_test] }]
trackers:
`

const trackingPlan = `events:
  counted:
    properties: { n: integer, id: string }
`

// vendor is a stand-in and its log. It is slow to answer, as vendors are.
type vendor struct {
	name, line string
	taken      *vendortest.Log
	inner      http.Handler
	underWay   atomic.Int64 // requests
}

// ServeHTTP processes a request at once, and answers later.
func (v *vendor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v.underWay.Add(1)
	defer v.underWay.Add(-1)
	v.inner.ServeHTTP(w, r)
	select {
	case <-time.After(100 * time.Millisecond):
	case <-r.Context().Done():
	}
}

// newVendors makes two stand-ins that drop repeats, and two that do not.
func newVendors(t *testing.T) []*vendor {
	t.Helper()
	var list []*vendor
	add := func(name, entry string, inner http.Handler, taken *vendortest.Log) {
		v := &vendor{name: name, inner: inner, taken: taken}
		s := httptest.NewServer(v)
		t.Cleanup(s.Close)
		v.line = fmt.Sprintf("  - { name: %s, baseURL: %q, %s }\n", name, s.URL, entry)
		list = append(list, v)
	}
	for _, letters := range []string{"ab", "cd"} {
		google, amplitude := ga4test.New(ga4test.Options{}), amplitudetest.New(amplitudetest.Options{})
		add(letters[:1]+"-ga4", "kind: ga4, measurementId: G-TEST123456, apiSecret: test-api-secret", google, google.Taken)
		add(letters[1:]+"-amplitude", "kind: amplitude, apiKey: test-api-key", amplitude, amplitude.Taken)
	}
	return list
}

// files are a process's configuration.
func files(url string, replicas int, vendors []*vendor) map[string]string {
	config := fmt.Sprintf(settings, url, replicas)
	for _, v := range vendors {
		config += v.line
	}
	return map[string]string{"sparrow.yaml": config, "plan.yaml": trackingPlan}
}

// process makes a process with roles that is not started yet.
func process(t *testing.T, files map[string]string, roles ...string) *harness.Gateway {
	t.Helper()
	args := []string{"serve"}
	for _, role := range roles {
		args = append(args, "--role", role)
	}
	return harness.New(t, files, args...)
}

var held = regexp.MustCompile(`(?m)^sparrow_lease_held\{lease="(?:lane-)?([^"]+)"\} 1$`)

// doing is what a process has leases for, by its own metrics, sorted.
func doing(g *harness.Gateway) []string {
	var list []string
	for _, match := range held.FindAllStringSubmatch(g.Do(http.MethodGet, "/metrics", "").Body, -1) {
		list = append(list, match[1])
	}
	slices.Sort(list)
	return list
}

// state is what a process says about a tracker.
func state(g *harness.Gateway, tracker string) string {
	for line := range strings.Lines(g.Command("trackers", "list", "--format", "csv")) {
		if fields := strings.SplitN(line, ",", 5); len(fields) == 5 && fields[0] == tracker {
			return fields[3]
		}
	}
	return ""
}

// generate makes a generator of events that posts to a process.
func generate(g *harness.Gateway, prefix string) *harness.Generator {
	return &harness.Generator{URL: g.URL, Key: key, Prefix: prefix, Workers: 2, Body: func(id string, n int) string {
		return fmt.Sprintf(`{"event":"counted","deviceId":"device-%d","eventId":"%s","properties":{"n":%d,"id":"%s"}}`, n%50, id, n, id)
	}}
}
