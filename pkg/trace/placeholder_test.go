package trace_test

import (
	"fmt"
	"testing"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/trace"
)

func TestPlaceholdersAreNoPeople(t *testing.T) {
	tracer := build(t, shop, trace.Options{IDRules: map[string]trace.IDRules{"web": {Real: []string{"Guest"}, Placeholders: []string{"demo-user"}}}})
	for _, id := range []string{
		"null", "NULL", "undefined", "none", "unknown", "Anonymous", "n/a", "0", "-1", "NaN", " null ", "[object Object]", "true", "{{userId}}", "${user.id}",
		"00000000-0000-0000-0000-000000000000", "00000000000000000000000000000000", "DEMO-user",
	} {
		rec := record(fmt.Sprintf(`{"event":"pageview","deviceId":"d-1","userId":%q}`, id))
		rec.Receipt = event.Receipt{}
		var into event.Event
		if d := tracer.Trace(rec, "amplitude", &into); d.Outcome != event.Pending || into.UserID != "" || into.DeviceID != "d-1" || len(d.Findings) != 1 {
			t.Errorf("user %q: %+v, leaves as user %q of device %q", id, d, into.UserID, into.DeviceID)
		}
		rec.Data = fmt.Appendf(nil, `{"event":"pageview","deviceId":%q,"userId":"u-1"}`, id)
		if d := tracer.Trace(rec, "amplitude", &into); d.Outcome != event.Pending || into.UserID != "u-1" || into.DeviceID != "u-1" {
			t.Errorf("device %q: %+v, leaves as user %q of device %q", id, d, into.UserID, into.DeviceID)
		}
		rec.Data = fmt.Appendf(nil, `{"event":"pageview","deviceId":%q}`, id)
		if d := tracer.Trace(rec, "amplitude", &into); d.Outcome != event.Filtered || d.Reason != trace.ReasonNobody {
			t.Errorf("device %q alone: %+v", id, d)
		}
	}
	for _, id := range []string{"guest", "u-0", "00000000-0000-0000-0000-000000000001", "nullable", "10", "annie", "true-blue"} {
		rec := record(fmt.Sprintf(`{"event":"pageview","deviceId":"d-1","userId":%q}`, id))
		rec.Receipt = event.Receipt{}
		var into event.Event
		if d := tracer.Trace(rec, "amplitude", &into); into.UserID != id || len(d.Findings) != 0 {
			t.Errorf("user %q: %+v, leaves as %q", id, d, into.UserID)
		}
	}
}
