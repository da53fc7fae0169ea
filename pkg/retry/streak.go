package retry

// Streaks tells, for tasks that are tried again and again, when one begins to
// fail, so that it is logged once and not each time. It is not safe for concurrent
// use.
type Streaks map[string]bool

// Begins takes the outcome of a task, and reports whether it is the first failure
// in a row.
func (s Streaks) Begins(task string, err error) bool {
	begins := err != nil && !s[task]
	s[task] = err != nil
	return begins
}
