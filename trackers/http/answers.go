package http

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/tracker"
)

// Answer is a rule for reading an answer.
type Answer struct {
	// Status are the statuses that it is for: 200, 4xx, 500-599. Default: any.
	Status []string `yaml:"status"`
	// When is a program on the answer's JSON: the rule is for answers of which it
	// gives a value that is neither null nor false. Default: any answer.
	When string `yaml:"when"`
	// Verdict is what it means: delivered, rejected, park (the event must wait),
	// wait (nothing can be sent now), alarm (nor will it until somebody acts) or
	// halve (one of the events is at fault). Required.
	Verdict string `yaml:"verdict"`
	// Reason is a program that gives the reason: one of the texts that stand in it.
	Reason string `yaml:"reason"`
	// Events is a program that gives the indices, in the request, of the events
	// that the verdict is for, from 0. The rule is only for answers that name one.
	// Default: all events.
	Events string `yaml:"events"`
	// Others is the verdict for the events that Events does not name: delivered,
	// or again (send them once more without those). Required with Events.
	Others string `yaml:"others"`
	// After is how long a park or wait lasts at least, at most 1h; an answer's
	// Retry-After counts where it is longer.
	After time.Duration `yaml:"after"`
}

// rule is an Answer, compiled.
type rule struct {
	statuses             [][2]int
	when, reason, events *program
	verdict, others      tracker.Verdict
	after                time.Duration
}

func compileAnswers(answers []Answer, env environment) ([]rule, error) {
	env.names = append([]string{"$status"}, env.names...)
	var rules []rule
	for i := range answers {
		r, err := compileAnswer(fmt.Sprintf("answers[%d]", i), &answers[i], env)
		if err != nil {
			return nil, err
		}
		rules = append(rules, r)
	}
	return rules, nil
}

func compileAnswer(key string, a *Answer, env environment) (rule, error) {
	r := rule{after: a.After}
	var err error
	for _, part := range []struct {
		name, source string
		into         **program
	}{{".when", a.When, &r.when}, {".reason", a.Reason, &r.reason}, {".events", a.Events, &r.events}} {
		if part.source == "" {
			continue
		}
		if *part.into, err = compile(key+part.name, part.source, env); err != nil {
			return rule{}, err
		}
	}
	for _, s := range a.Status {
		span, err := statuses(s)
		if err != nil {
			return rule{}, fmt.Errorf("%s.status: %w", key, err)
		}
		r.statuses = append(r.statuses, span)
	}
	var found bool
	if r.verdict, found = verdictsByName[a.Verdict]; !found {
		return rule{}, fmt.Errorf("%s.verdict: want delivered, rejected, park, wait, alarm or halve", key)
	}
	if r.others, err = othersOf(a); err != nil {
		return rule{}, fmt.Errorf("%s.others: %w", key, err)
	}
	if a.After < 0 || a.After > tracker.MaxRetryAfter {
		return rule{}, fmt.Errorf("%s.after: want 0s to 1h", key)
	}
	return r, nil
}

// statuses reads 200, 4xx or 500-599.
func statuses(s string) ([2]int, error) {
	first, last, isRange := strings.Cut(s, "-")
	if !isRange {
		first, last = strings.ReplaceAll(s, "x", "0"), strings.ReplaceAll(s, "x", "9")
	}
	from, err1 := strconv.Atoi(first)
	to, err2 := strconv.Atoi(last)
	if err1 != nil || err2 != nil || from < 100 || to > 599 || from > to {
		return [2]int{}, errors.New("want a status such as 200, a class such as 4xx or a range such as 500-599")
	}
	return [2]int{from, to}, nil
}

// verdictsByName are the values of Answer.Verdict.
var verdictsByName = map[string]tracker.Verdict{
	"delivered": {Action: tracker.Deliver},
	"rejected":  {Action: tracker.Reject, Reason: "refused by the vendor"},
	"park":      {Action: tracker.Park, Reason: "the vendor cannot take this event now"},
	"wait":      {Action: tracker.Wait, Reason: "the vendor takes nothing now"},
	"alarm":     {Action: tracker.Wait, Alarm: true, Reason: "the vendor takes nothing until somebody acts"},
	"halve":     {Action: tracker.Halve, Reason: "refused by the vendor"},
}

func othersOf(a *Answer) (tracker.Verdict, error) {
	switch {
	case a.Events == "" && a.Others == "":
		return tracker.Verdict{}, nil
	case a.Events == "":
		return tracker.Verdict{}, errors.New("needs events, which says which are not the others")
	case a.Others == "delivered":
		return tracker.Verdict{Action: tracker.Deliver}, nil
	case a.Others == "again" && (a.Verdict == "rejected" || a.Verdict == "park"):
		return tracker.Verdict{Action: tracker.Again, Reason: "refused for another event of its request"}, nil
	}
	return tracker.Verdict{}, errors.New("want delivered, or, where the verdict is rejected or park, again")
}

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
	answer, err := event.ParseValue(resp.Body, maxValueDepth)
	if resp.Truncated || err != nil {
		return nil
	}
	return value(&answer)
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
	values := r.when.on(status, answer, 1)
	return len(values) == 1 && values[0] != nil && values[0] != false
}

// text is the reason that the rule's program gives; "" unless it is a literal of the
// program, because a text made from values could have personal data.
func (r *rule) text(status int, answer any) string {
	for _, v := range r.reason.on(status, answer, 1) {
		if text, ok := v.(string); ok && r.reason.hasLiteral(text) {
			return text
		}
	}
	return ""
}

// indices are those of the answer that lie in the request.
func (r *rule) indices(n, status int, answer any) []int {
	var indices []int
	for _, v := range r.events.on(status, answer, maxBatch) {
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

// on runs the program on an answer. No program, or one that fails, gives nothing.
func (p *program) on(status int, answer any, limit int) []any {
	if p == nil {
		return nil
	}
	values, err := p.values(answer, answerSteps, limit, status)
	if err != nil {
		return nil
	}
	return values
}
