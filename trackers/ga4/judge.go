package ga4

import (
	"encoding/json"
	"net/http"
	"strings"

	"github.com/sparrow-edge/sparrow/pkg/tracker"
)

// The reasons of a delivered event: Google answers 2xx whenever it received the
// request, whatever is in it.
const (
	validated   = "validated"
	unvalidated = "unvalidated"
)

// Judge reads an answer by its status. Google has no way to drop a repeat: an
// event whose request was written and not answered is uncertain. An answer of the
// validation endpoint is read by judgeValidation.
func (t *translator) Judge(req tracker.Request, resp tracker.Response) []tracker.Verdict {
	if req.URL == t.validate() {
		return tracker.Same(len(req.Events), judgeValidation(resp))
	}
	verdicts := tracker.JudgeStatus(req, resp, false)
	for i := range verdicts {
		if verdicts[i].Action == tracker.Deliver {
			verdicts[i].Reason = unvalidated
		}
	}
	return verdicts
}

// judgeValidation reads an answer of the validation endpoint. A fault that it finds
// is a rejection with the rule. Without a valid answer the event is sent unvalidated,
// because an endpoint that is down must not delay events.
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
