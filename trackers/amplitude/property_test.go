package amplitude_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/sparrow-edge/sparrow/pkg/tracker"
	"github.com/sparrow-edge/sparrow/pkg/tracker/trackertest"
	"github.com/sparrow-edge/sparrow/trackers/amplitude"
	"github.com/sparrow-edge/sparrow/trackers/amplitude/amplitudetest"
)

// build makes a tracker from a configuration.
func build(t testing.TB, configure func(*amplitude.Config)) (tracker.Tracker, tracker.Traits) {
	t.Helper()
	built, traits, err := amplitude.Kind().Build(func(into any) error {
		configure(into.(*amplitude.Config))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return built, traits
}

// post performs a request against a handler, as the lane would against a server.
func post(handler http.Handler, req tracker.Request) tracker.Response {
	r := httptest.NewRequest(req.Method, req.URL, bytes.NewReader(req.Body))
	r.Header = req.Header.Clone()
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return tracker.Response{Reach: tracker.Answered, Status: w.Code, Header: w.Header(), Body: w.Body.Bytes()}
}

// Whatever a plan lets through, the strict stand-in takes all that is sent, and
// most of it is sent.
func TestTheVendorRefusesNothingThatIsSent(t *testing.T) {
	fake := amplitudetest.New(amplitudetest.Options{})
	built, traits := build(t, func(c *amplitude.Config) { c.APIKey, c.ForwardIP = "not-a-real-key", true })
	size := min(traits.MaxBatch, 200)
	events, sent, rejected := 0, 0, 0
	for seed := range uint64(propertyBatches) {
		batch := trackertest.Events(seed, size)
		requests, rejections := built.Requests(batch)
		events, rejected = events+len(batch), rejected+len(rejections)
		for _, req := range requests {
			sent += len(req.Events)
			for i, v := range built.Judge(req, post(fake, req)) {
				if v.Action != tracker.Deliver {
					t.Fatalf("batch %d, event %d: action %d: %s\n%v", seed, req.Events[i], v.Action, v.Reason, fake.Violations.First())
				}
			}
		}
	}
	if n := fake.Violations.Total(); n > 0 {
		t.Errorf("%d rules broken, such as %v", n, fake.Violations.First()[:min(n, 5)])
	}
	if fake.Taken.Total() != sent || sent+rejected != events || events != propertyBatches*size {
		t.Errorf("%d events: %d sent, %d rejected; the stand-in took %d", events, sent, rejected, fake.Taken.Total())
	}
	if sent < events/2 {
		t.Errorf("only %d of %d events are sent", sent, events)
	}
}
