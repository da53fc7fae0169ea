package http

import (
	"bytes"
	"encoding/json"
	"io"

	"github.com/sparrow-edge/sparrow/pkg/tracker"
)

// Judge reads an answer by the first rule that matches, or by its status.
func (t *translator) Judge(req tracker.Request, resp tracker.Response) []tracker.Verdict {
	if resp.Reach != tracker.Answered || len(t.answers) == 0 {
		return tracker.JudgeStatus(req, resp, t.dedup)
	}
	answer := readAnswer(resp)
	for i := range t.answers {
		if verdicts := t.answers[i].judge(len(req.Events), resp, answer); verdicts != nil {
			return verdicts
		}
	}
	return tracker.JudgeStatus(req, resp, t.dedup)
}

// readAnswer is the answer's JSON, or nil.
func readAnswer(resp tracker.Response) any {
	d := json.NewDecoder(bytes.NewReader(resp.Body))
	d.UseNumber()
	var answer any
	if resp.Truncated || d.Decode(&answer) != nil {
		return nil
	}
	if _, err := d.Token(); err != io.EOF {
		return nil
	}
	return answer
}

// judge is the verdicts of a rule that matches, else nil.
func (r *rule) judge(n int, resp tracker.Response, answer any) []tracker.Verdict {
	if !r.isFor(resp.Status) || !r.holds(resp.Status, answer) {
		return nil
	}
	verdict := r.verdict
	if verdict.Action == tracker.Wait || verdict.Action == tracker.Park {
		verdict.After = max(r.after, tracker.RetryAfter(resp))
	}
	if text := r.text(resp.Status, answer); text != "" {
		verdict.Reason = text
	}
	if r.events == nil {
		return tracker.Same(n, verdict)
	}
	verdicts, some := tracker.Same(n, r.others), false
	for _, i := range r.indices(n, resp.Status, answer) {
		verdicts[i], some = verdict, true
	}
	if !some {
		return nil
	}
	return verdicts
}

func (r *rule) isFor(status int) bool {
	for _, span := range r.statuses {
		if status >= span[0] && status <= span[1] {
			return true
		}
	}
	return len(r.statuses) == 0
}

func (r *rule) holds(status int, answer any) bool {
	if r.when == nil {
		return true
	}
	values, err := r.when.on(status, answer, 1)
	return err == nil && len(values) == 1 && values[0] != nil && values[0] != false
}

// text is the reason that the rule's program gives; "" unless it is a literal of the
// program, because a text made from values could have personal data.
func (r *rule) text(status int, answer any) string {
	if r.reason == nil {
		return ""
	}
	values, err := r.reason.on(status, answer, 1)
	if err != nil || len(values) == 0 {
		return ""
	}
	if text, ok := values[0].(string); ok && r.reason.hasLiteral(text) {
		return text
	}
	return ""
}

// indices are those of the answer that lie in the request.
func (r *rule) indices(n, status int, answer any) []int {
	values, err := r.events.on(status, answer, maxBatch)
	if err != nil {
		return nil
	}
	var indices []int
	for _, v := range values {
		i, ok := wholeNumber(v)
		if ok && i >= 0 && i < int64(n) {
			indices = append(indices, int(i))
		}
	}
	return indices
}

func wholeNumber(v any) (int64, bool) {
	switch v := v.(type) {
	case int:
		return int64(v), true
	case json.Number:
		i, err := v.Int64()
		return i, err == nil
	}
	return 0, false
}

// on runs the program on an answer.
func (p *program) on(status int, answer any, limit int) ([]any, error) {
	return p.values(answer, answerSteps, limit, status)
}
