package console_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sparrow-edge/sparrow/pkg/console"
	"github.com/sparrow-edge/sparrow/pkg/trail"
)

// finder knows one event.
type finder struct{ err error }

var known = trail.Trail{EventID: "known", Receipt: "epoch-1-0", Context: json.RawMessage("{}"), Steps: []trail.Step{{
	Tracker: "ga4", Outcome: "filtered", Reason: "dry-run", Properties: map[string]string{"properties.category": "allowed"},
	Requests: []trail.Request{{Method: "POST", URL: "https://vendor.example/", Header: map[string]string{"A": "b"}, Body: "<b>"}},
}}}

func (f finder) Trails(_ context.Context, id string) ([]trail.Trail, error) {
	if id == known.EventID {
		return []trail.Trail{known}, f.err
	}
	return nil, f.err
}

func TestTrails(t *testing.T) {
	r := do(t, console.Trails(finder{}), "GET", "/demo/ways?id=known&id=not+yet", "Sec-Fetch-Site", "same-origin")
	if r.StatusCode != http.StatusOK || r.Header.Get("Content-Type") != "application/json" || r.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Fatalf("answer %d, %v", r.StatusCode, r.Header)
	}
	var got []trail.Trail
	if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]trail.Trail{known}, got); diff != "" {
		t.Error(diff)
	}
	if none := body(t, do(t, console.Trails(finder{}), "GET", "/demo/ways?id=x")); none != "[]\n" {
		t.Errorf("for an event that is not there: %q", none)
	}
}

func TestTrailsRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		finder       finder
		method, path string
		site         string
		status       int
	}{
		"no id":            {method: "GET", path: "/demo/ways", status: http.StatusBadRequest},
		"too many":         {method: "GET", path: "/demo/ways?" + strings.Repeat("id=x&", 21), status: http.StatusBadRequest},
		"a write":          {method: "POST", path: "/demo/ways?id=known", status: http.StatusMethodNotAllowed},
		"another site":     {method: "GET", path: "/demo/ways?id=known", site: "cross-site", status: http.StatusForbidden},
		"a sibling's page": {method: "GET", path: "/demo/ways?id=known", site: "same-site", status: http.StatusForbidden},
		"no warehouse":     {finder: finder{errors.New("secret path")}, method: "GET", path: "/demo/ways?id=known", status: http.StatusServiceUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			r := do(t, console.Trails(c.finder), c.method, c.path, "Sec-Fetch-Site", c.site)
			if text := body(t, r); r.StatusCode != c.status || strings.Contains(text, "secret") || strings.Contains(text, known.Receipt) {
				t.Errorf("answer %d %q, want %d", r.StatusCode, text, c.status)
			}
		})
	}
}
