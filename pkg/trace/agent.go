package trace

import (
	"strings"
	"sync"

	"github.com/sparrow-edge/sparrow/pkg/sanitizer"
)

// agents remembers what was found out about the user agents seen lately: few
// are in use at a time, and looking through one costs more than all the rest of
// an ordinary event. It changes nothing but the time that takes.
type agents struct {
	mu   sync.RWMutex
	seen map[string]agent
}

// agent is what a user agent comes to.
type agent struct {
	bot   bool
	clean string
	found sanitizer.Kinds
}

// The bounds of what is remembered; longer ones are looked through each time.
const (
	maxAgents      = 4096
	maxAgentLength = 512
)

// judge returns what a user agent comes to.
func (a *agents) judge(text string, s *sanitizer.Sanitizer) agent {
	a.mu.RLock()
	known, ok := a.seen[text]
	a.mu.RUnlock()
	if ok {
		return known
	}
	clean, found := s.Text(text, sanitizer.Hint{})
	judged := agent{IsBot(text), clean, found}
	if len(text) > maxAgentLength {
		return judged
	}
	// text lies within the bytes of a whole event: keep only its own.
	kept := strings.Clone(text)
	if found == 0 {
		judged.clean = kept
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.seen) >= maxAgents || a.seen == nil {
		a.seen = make(map[string]agent)
	}
	a.seen[kept] = judged
	return judged
}
