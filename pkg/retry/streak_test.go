package retry_test

import (
	"errors"
	"testing"

	"github.com/sparrow-edge/sparrow/pkg/retry"
)

func TestStreaksTellTheFirstFailureInARow(t *testing.T) {
	s, failed := retry.Streaks{}, errors.New("failed")
	for n, step := range []struct {
		task   string
		err    error
		begins bool
	}{
		{"a", nil, false}, {"a", failed, true}, {"a", failed, false}, {"b", failed, true}, {"a", nil, false}, {"a", failed, true},
	} {
		if begins := s.Begins(step.task, step.err); begins != step.begins {
			t.Errorf("step %d, task %s: %v, want %v", n, step.task, begins, step.begins)
		}
	}
}
