package vendortest

import (
	"fmt"
	"slices"
	"sync"
)

// Violation is a rule of the vendor that a request broke.
type Violation struct {
	Rule   string // names the rule
	Detail string // where and how
}

// String is "rule: detail".
func (v Violation) String() string { return fmt.Sprintf("%s: %s", v.Rule, v.Detail) }

// keepViolations bounds how many Violations are kept: the first ones.
const keepViolations = 1000

// Violations is every rule that requests to a fake broke. The zero value is empty.
type Violations struct {
	mu    sync.Mutex
	first []Violation
	total int
}

// Add remembers violations.
func (v *Violations) Add(violations ...Violation) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.total += len(violations)
	free := keepViolations - len(v.first)
	v.first = append(v.first, violations[:min(free, len(violations))]...)
}

// Total is how many there were.
func (v *Violations) Total() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.total
}

// First is a copy of the first 1,000.
func (v *Violations) First() []Violation {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Clone(v.first)
}
