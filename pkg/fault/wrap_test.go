package fault_test

import (
	"errors"
	"testing"

	"github.com/sparrow-edge/sparrow/pkg/fault"
)

func TestWrapSaysWhatFailed(t *testing.T) {
	cause := errors.New("disk full")
	fails := func(cause error) (err error) {
		defer fault.Wrap(&err, "store %d", 7)
		return cause
	}
	if err := fails(cause); !errors.Is(err, cause) || err.Error() != "store 7: disk full" {
		t.Errorf("got %v", err)
	}
	if err := fails(nil); err != nil {
		t.Errorf("without a failure: %v", err)
	}
}

func TestReportNeedsNoReporter(t *testing.T) {
	fault.Report(nil, "journal", "stuck", errors.New("no answer"))
	var seen reporter
	fault.Report(&seen, "journal", "stuck", errors.New("no answer"))
	if len(seen) != 1 || seen[0].Component != "journal" || seen[0].Class != "stuck" || seen[0].Err == nil || seen[0].Time.IsZero() {
		t.Errorf("reported %+v", seen)
	}
}

type reporter []fault.Incident

func (r *reporter) Report(i fault.Incident) { *r = append(*r, i) }
