package ga4

import (
	"encoding/json"
	"hash/fnv"
	"math"
	"net/http"
	"strings"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/tracker"
)

// sampled reports whether an event is one of the share that is validated: a
// function of its id, so that a retry or a replay chooses the same.
func (t *translator) sampled(ev *event.Event) bool {
	switch {
	case t.config.Validate <= 0:
		return false
	case t.config.Validate >= 1:
		return true
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(ev.EventID)) // a hash's Write never fails
	return float64(mix(h.Sum64()))/math.MaxUint64 < t.config.Validate
}

// mix spreads a hash over all its bits (the finalizer of MurmurHash3): ids that
// differ at their end alone leave FNV's upper bits alike.
func mix(h uint64) uint64 {
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

// sealValidated makes a request whose body the validation endpoint gets first.
func (t *translator) sealValidated(events []int, body []byte) tracker.Request {
	request := t.seal(events, body)
	first := t.seal(append([]int(nil), events...), append([]byte(nil), body...))
	first.URL = t.validate()
	request.Before = &first
	return request
}

// judgeValidation reads an answer of the validation endpoint. What it finds is a
// rejection with the rule; without a proper answer the event goes unvalidated,
// for an endpoint that is away must not hold events up.
func judgeValidation(resp tracker.Response) tracker.Verdict {
	var answer struct {
		Messages *[]struct {
			FieldPath string `json:"fieldPath"`
			Code      string `json:"validationCode"`
		} `json:"validationMessages"`
	}
	if resp.Reach != tracker.Answered || resp.Status != http.StatusOK || json.Unmarshal(resp.Body, &answer) != nil || answer.Messages == nil {
		return tracker.Verdict{Action: tracker.Deliver, Reason: unvalidated}
	}
	if len(*answer.Messages) == 0 {
		return tracker.Verdict{Action: tracker.Deliver, Reason: validated}
	}
	first := (*answer.Messages)[0]
	return tracker.Verdict{Action: tracker.Reject, Reason: "validation: " + knownCode(first.Code) + knownField(first.FieldPath)}
}

// knownCode is a code of Google's list: a reason repeats no other words of an
// answer, which may hold values.
func knownCode(code string) string {
	switch code {
	case "VALUE_INVALID", "VALUE_REQUIRED", "NAME_INVALID", "NAME_RESERVED", "VALUE_OUT_OF_BOUNDS", "EXCEEDED_MAX_ENTITIES", "NAME_DUPLICATED", "INTERNAL_ERROR":
		return code
	}
	return "refused"
}

// knownField says in which part of the request the fault is.
func knownField(path string) string {
	top, _, _ := strings.Cut(path, "[")
	top, _, _ = strings.Cut(top, ".")
	switch top {
	case "client_id", "user_id", "timestamp_micros", "user_properties", "consent", "ip_override", "user_location", "user_agent", "device", "events":
		return " in " + top
	}
	return ""
}
