package trackertest

import (
	"fmt"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/sparrow-edge/sparrow/pkg/strictyaml"
	"github.com/sparrow-edge/sparrow/pkg/tracker"
)

// Spec describes a vendor to the suite.
type Spec struct {
	Kind tracker.Kind
	// Config is a complete configuration, in YAML, without kind and name. Its
	// secrets are made up.
	Config string
	// Secrets are the values in Config that must never be printed.
	Secrets []string
	// Refused are configurations that must be refused.
	Refused []Refused
	// MaxEvents and MaxBytes bound one request.
	MaxEvents, MaxBytes int
	// Taken is a response by which the vendor takes all events. The default is a 200
	// with an empty body.
	Taken tracker.Response
	// Fake makes a new strict stand-in of the vendor, for FuzzRequests and
	// NothingRefused; Run needs none.
	Fake func() Fake
	// Passed is the reason of the Deliver verdicts for a Request.Before; mostly "".
	Passed string
	// Golden is the directory of the golden files; "" is testdata/golden.
	Golden string
	// Update rewrites the golden files instead of comparing with them.
	Update bool
}

// Refused is a configuration that must be refused, with an error that names Key.
type Refused struct{ Config, Key string }

// clause is one rule of the contract.
type clause struct {
	name   string
	verify func(*check)
}

func clauses() []clause {
	return []clause{
		{"configuration is strict", configurationIsStrict},
		{"errors show no secret", errorsShowNoSecret},
		{"traits make sense", traitsMakeSense},
		{"golden requests", goldenRequests},
		{"requests are complete", requestsAreComplete},
		{"each event in exactly one place", eachEventInOnePlace},
		{"empty batch", emptyBatch},
		{"limits hold", limitsHold},
		{"encoding is deterministic", encodingIsDeterministic},
		{"what goes before is of the same events", whatGoesBefore},
		{"requests are independent", requestsAreIndependent},
		{"input is not changed", inputIsNotChanged},
		{"masked requests show no secret", maskedRequestsShowNoSecret},
		{"reasons show no values", reasonsShowNoValues},
		{"a verdict for each event", verdictForEachEvent},
		{"every status is judged", everyStatusIsJudged},
		{"taken means delivered", takenMeansDelivered},
		{"reach is respected", reachIsRespected},
		{"retry-after is kept", retryAfterIsKept},
		{"hostile answers", hostileAnswers},
		{"safe for concurrent use", safeForConcurrentUse},
	}
}

// Run verifies every clause of the contract, each as a subtest.
func Run(t *testing.T, spec Spec) {
	t.Helper()
	for _, c := range clauses() {
		t.Run(c.name, func(t *testing.T) {
			for _, fault := range faultsOf(spec, c) {
				t.Error(fault)
			}
		})
	}
}

// maxFaults bounds how many faults of one clause are shown.
const maxFaults = 5

// check verifies one clause for one tracker.
type check struct {
	spec    Spec
	tracker tracker.Tracker
	traits  tracker.Traits
	doing   string // what the tracker is doing, for the message of a panic
	faults  []string
}

func faultsOf(spec Spec, c clause) (faults []string) {
	k := &check{spec: spec}
	defer func() {
		if p := recover(); p != nil {
			faults = append(k.faults, fmt.Sprintf("the tracker panics%s: %v\n%s", k.doing, p, stack()))
		}
	}()
	if k.spec.Golden == "" {
		k.spec.Golden = "testdata/golden"
	}
	if k.spec.Taken.Status == 0 {
		k.spec.Taken = answered(200, "", nil)
	}
	t, traits, err := k.build(spec.Config)
	if err != nil {
		return []string{fmt.Sprintf("the configuration of the spec is refused: %v", err)}
	}
	k.tracker, k.traits = t, traits
	c.verify(k)
	return k.faults
}

func (k *check) failf(format string, args ...any) {
	if len(k.faults) < maxFaults {
		k.faults = append(k.faults, fmt.Sprintf(format, args...))
	}
}

// maxStack bounds how much of a panic's stack a fault shows, in bytes.
const maxStack = 3000

// stack is the part of the stack, during a recovered panic, that is in the tracker.
func stack() string {
	text := string(debug.Stack())
	if _, below, found := strings.Cut(text, "\npanic("); found {
		_, text, _ = strings.Cut(below, "\n")
	}
	text, _, _ = strings.Cut(text, "github.com/sparrow-edge/sparrow/pkg/tracker/trackertest.") // the suite's own frames
	return text[:min(len(text), maxStack)]
}

// failed reports whether enough faults are found.
func (k *check) failed() bool { return len(k.faults) >= maxFaults }

// build decodes a configuration the way the gateway does.
func (k *check) build(config string) (tracker.Tracker, tracker.Traits, error) {
	return k.spec.Kind.Build(func(into any) error {
		doc, err := strictyaml.Parse("sparrow.yaml", []byte(config))
		if err != nil {
			return err
		}
		return doc.Decode(into)
	})
}
