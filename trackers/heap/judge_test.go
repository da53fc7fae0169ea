package heap_test

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/tracker"
	"github.com/sparrow-edge/sparrow/pkg/tracker/trackertest"
	"github.com/sparrow-edge/sparrow/trackers/heap"
)

func TestA429WaitsThirtySecondsUnlessTold(t *testing.T) {
	built, _ := build(t, func(c *heap.Config) { c.AppID = "1" })
	requests, _ := built.Requests([]event.Event{trackertest.Track()})
	for header, want := range map[string]time.Duration{"": 30 * time.Second, "5": 5 * time.Second, "120": 2 * time.Minute} {
		resp := tracker.Response{Reach: tracker.Answered, Status: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {header}}}
		if v := built.Judge(requests[0], resp)[0]; v.Action != tracker.Wait || v.After != want {
			t.Errorf("Retry-After %q: action %d after %v, want Wait after %v", header, v.Action, v.After, want)
		}
	}
}

func TestHosts(t *testing.T) {
	for region, want := range map[string]string{"us": "https://heapanalytics.com/api/track", "eu": "https://c.eu.heap-api.com/api/track"} {
		built, _ := build(t, func(c *heap.Config) { c.AppID, c.Region = "1", region })
		if requests, _ := built.Requests([]event.Event{trackertest.Track()}); requests[0].URL != want {
			t.Errorf("region %s sends to %s, want %s", region, requests[0].URL, want)
		}
	}
}

func TestAnonymousEventsAreLeftOutOrHashed(t *testing.T) {
	anonymous := trackertest.Pageview()
	skip, _ := build(t, func(c *heap.Config) { c.AppID = "1" })
	if requests, rejections := skip.Requests([]event.Event{anonymous}); len(requests) != 0 || !rejections[0].Skip || rejections[0].Reason != "anonymous" {
		t.Errorf("skip: %d requests, rejections %v", len(requests), rejections)
	}
	hash, _ := build(t, func(c *heap.Config) { c.AppID, c.Anonymous = "1", "hash" })
	anonymous.DeviceID = " " // of whom all who have none would be one visitor
	if requests, rejections := hash.Requests([]event.Event{anonymous}); len(requests) != 0 || len(rejections) != 1 || rejections[0].Skip {
		t.Errorf("a blank device: %d requests, rejections %v", len(requests), rejections)
	}
	ids := map[string]bool{}
	for i := range 1000 {
		anonymous.DeviceID = "device-" + strconv.Itoa(i)
		first, _ := hash.Requests([]event.Event{anonymous})
		second, _ := hash.Requests([]event.Event{anonymous})
		if len(first) != 1 || string(first[0].Body) != string(second[0].Body) {
			t.Fatalf("device %d: %d requests, or not the same id twice", i, len(first))
		}
		ids[string(first[0].Body)] = true
	}
	if len(ids) != 1000 {
		t.Errorf("%d ids for 1,000 devices", len(ids))
	}
}

// What leaves in a minute, the burst and the rate after it, is no more than Heap takes.
func TestAMinutesEventsAreNoMoreThanHeapTakes(t *testing.T) {
	for _, size := range []int{1, 200, 1000} {
		_, traits := build(t, func(c *heap.Config) { c.AppID, c.BatchSize, c.Rate = "1", size, 250 })
		if minute := traits.Rate*60 + float64(traits.Burst); minute > 15_000 || minute < 14_990 {
			t.Errorf("batchSize %d: %v events in a minute", size, minute)
		}
	}
}

func TestTheRateIsTheVendorsLimitOrLess(t *testing.T) {
	_, traits := build(t, func(c *heap.Config) { c.AppID = "1" })
	if traits.Rate != 200 || traits.Burst != 200 || !traits.Dedup || traits.MaxBatch != 200 {
		t.Errorf("traits %+v", traits)
	}
}
