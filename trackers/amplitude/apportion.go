package amplitude

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/sparrow-edge/sparrow/pkg/tracker"
)

// answer is the union of Amplitude's documented bodies. Indices refer to the
// request's events.
type answer struct {
	Code         int    `json:"code"`
	Error        string `json:"error"`
	MissingField string `json:"missing_field"`

	InvalidFields    map[string][]int `json:"events_with_invalid_fields"`
	MissingFields    map[string][]int `json:"events_with_missing_fields"`
	InvalidIDLengths map[string][]int `json:"events_with_invalid_id_lengths"`
	SilencedEvents   []int            `json:"silenced_events"`
	ThrottledEvents  []int            `json:"throttled_events"`

	SilencedDevices  []string           `json:"silenced_devices"`
	ThrottledUsers   map[string]float64 `json:"throttled_users"`
	ThrottledDevices map[string]float64 `json:"throttled_devices"`
	QuotaUsers       map[string]float64 `json:"exceeded_daily_quota_users"`
	QuotaDevices     map[string]float64 `json:"exceeded_daily_quota_devices"`
}

// apportion gives each event of a refused request its verdict, from the indices
// and ids that the answer names; false says that it names none of them.
func (t *translator) apportion(req tracker.Request, resp tracker.Response, a answer) ([]tracker.Verdict, bool) {
	verdicts := tracker.Same(len(req.Events), tracker.Verdict{Action: tracker.Again, Reason: "refused for another event of its request"})
	some := false
	set := func(i int, v tracker.Verdict) {
		if i >= 0 && i < len(verdicts) {
			verdicts[i], some = v, true
		}
	}
	// Later ones replace earlier ones, so the most serious comes last.
	parked := tracker.Verdict{Action: tracker.Park, Reason: "its user or device is throttled", After: max(tracker.RetryAfter(resp), t.api.throttled)}
	for _, i := range a.ThrottledEvents {
		set(i, parked)
	}
	ids := a.named(req)
	for i, id := range ids {
		if id.throttled {
			set(i, parked)
		}
	}
	quota := tracker.Verdict{Action: tracker.Reject, Reason: "its user or device is over Amplitude's daily quota"}
	silenced := tracker.Verdict{Action: tracker.Reject, Reason: "its device is silenced at Amplitude"}
	for i, id := range ids {
		switch {
		case id.silenced:
			set(i, silenced)
		case id.quota:
			set(i, quota)
		}
	}
	for _, i := range a.SilencedEvents {
		set(i, silenced)
	}
	rejectFields(set, a.InvalidIDLengths, "id too short")
	rejectFields(set, a.MissingFields, "missing field")
	rejectFields(set, a.InvalidFields, "invalid field")
	return verdicts, some
}

func rejectFields(set func(int, tracker.Verdict), fields map[string][]int, fault string) {
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		reason := fault
		if knownField(name) {
			reason += " " + name
		}
		for _, i := range fields[name] {
			set(i, tracker.Verdict{Action: tracker.Reject, Reason: reason})
		}
	}
}

// knownField reports whether a reason may name a field. Other words of a response
// could be values of an event.
func knownField(name string) bool {
	switch name {
	case "user_id", "device_id", "event_type", "time", "insert_id", "session_id", "event_properties", "user_properties",
		"revenue", "productId", "revenueType", "currency", "ip", "user_agent", "language", "platform":
		return true
	}
	return false
}

// naming is what an answer says of an event by its user or device.
type naming struct{ throttled, silenced, quota bool }

// named looks the ids of the request's events up in the answer. It is nil when
// the answer names no ids.
func (a answer) named(req tracker.Request) []naming {
	if len(a.SilencedDevices)+len(a.ThrottledUsers)+len(a.ThrottledDevices)+len(a.QuotaUsers)+len(a.QuotaDevices) == 0 {
		return nil
	}
	var sent struct {
		Events []struct {
			UserID   string `json:"user_id"`
			DeviceID string `json:"device_id"`
		} `json:"events"`
	}
	if json.Unmarshal(req.Body, &sent) != nil {
		return nil
	}
	silenced := make(map[string]bool, len(a.SilencedDevices))
	for _, id := range a.SilencedDevices {
		silenced[id] = true
	}
	names := make([]naming, len(sent.Events))
	for i, ev := range sent.Events {
		names[i] = naming{
			throttled: has(a.ThrottledUsers, ev.UserID) || has(a.ThrottledDevices, ev.DeviceID),
			quota:     has(a.QuotaUsers, ev.UserID) || has(a.QuotaDevices, ev.DeviceID),
			silenced:  ev.DeviceID != "" && silenced[ev.DeviceID],
		}
	}
	return names
}

// has reports whether an answer names an id; events without one have none to name.
func has(ids map[string]float64, id string) bool {
	_, ok := ids[id]
	return ok && id != ""
}
