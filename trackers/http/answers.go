package http

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

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
	if r.verdict, err = verdictOf(a.Verdict); err != nil {
		return rule{}, fmt.Errorf("%s.verdict: %w", key, err)
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

func verdictOf(name string) (tracker.Verdict, error) {
	switch name {
	case "delivered":
		return tracker.Verdict{Action: tracker.Deliver}, nil
	case "rejected":
		return tracker.Verdict{Action: tracker.Reject, Reason: "refused by the vendor"}, nil
	case "park":
		return tracker.Verdict{Action: tracker.Park, Reason: "the vendor cannot take this event now"}, nil
	case "wait":
		return tracker.Verdict{Action: tracker.Wait, Reason: "the vendor takes nothing now"}, nil
	case "alarm":
		return tracker.Verdict{Action: tracker.Wait, Alarm: true, Reason: "the vendor takes nothing until somebody acts"}, nil
	case "halve":
		return tracker.Verdict{Action: tracker.Halve, Reason: "refused by the vendor"}, nil
	}
	return tracker.Verdict{}, errors.New("want delivered, rejected, park, wait, alarm or halve")
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
