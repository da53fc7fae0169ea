package retry_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/retry"
)

func TestRepeatsCountsWhatIsNotLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r retry.Repeats
		for n := range 1000 {
			if before, due := r.Due("a"); before != 0 || due != (n == 0) {
				t.Fatalf("message %d: %d before, due %v", n, before, due)
			}
		}
		if _, due := r.Due("b"); !due {
			t.Error("another kind is not logged")
		}
		time.Sleep(retry.RepeatPeriod)
		if before, due := r.Due("a"); before != 999 || !due {
			t.Errorf("a minute later: %d before, due %v, want 999 and true", before, due)
		}
		if before, due := r.Due("a"); before != 0 || due {
			t.Errorf("after that: %d before, due %v", before, due)
		}
	})
}
