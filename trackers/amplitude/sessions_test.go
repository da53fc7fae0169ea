package amplitude_test

import (
	"strings"
	"testing"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/tracker/trackertest"
	"github.com/sparrow-edge/sparrow/trackers/amplitude"
)

// A session is the time of its start, or none.
func TestSessions(t *testing.T) {
	built, _ := build(t, func(c *amplitude.Config) { c.APIKey = "not-a-real-key" })
	for id, want := range map[string]string{
		"1795165800": "1795165800000", "1795165800123": "1795165800123", "1000000000": "1000000000000", "4102444799999": "4102444799999",
		"": "-1", "s-4711": "-1", "-1": "-1", "0": "-1", "999999999": "-1", "4102444800": "-1", "4102444800000": "-1", "17951658001234567890": "-1",
		"0000000100000": "-1", "0795165800": "-1", "+795165800": "-1", "1_95165800": "-1", "1795165800.5": "-1",
		"01a2209b-e526-7a7b-8f55-0d7a2f3c9b10": "1795843417382", "2026-11-28T05:23:37.382Z": "1795843417382", "GS2.1.s1747075570$o3$g1$t1747075600": "1747075570000",
	} {
		e := trackertest.Track()
		e.SessionID = id
		requests, _ := built.Requests([]event.Event{e})
		if len(requests) != 1 || !strings.Contains(string(requests[0].Body), `"session_id":`+want+`,`) {
			t.Errorf("session %q: want %s in %s", id, want, requests[0].Body)
		}
	}
}
