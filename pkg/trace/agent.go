package trace

import (
	"slices"
	"strings"
	"sync"

	"github.com/sparrow-edge/sparrow/pkg/bot"
	"github.com/sparrow-edge/sparrow/pkg/sanitizer"
)

// agents caches the results for recent user agents: few are in use at a time, and
// checking one costs more than all the rest of an ordinary event. The cache does
// not change any result.
type agents struct {
	mu   sync.RWMutex
	seen map[string]agent
}

// agent is the result for one user agent.
type agent struct {
	bot   bool
	clean string
	found sanitizer.Kinds
}

// The bounds of the cache; longer user agents are checked each time.
const (
	maxAgents      = 4096
	maxAgentLength = 512
)

// classify returns the result for a user agent.
func (a *agents) classify(text string, s *sanitizer.Sanitizer) agent {
	a.mu.RLock()
	cached, ok := a.seen[text]
	a.mu.RUnlock()
	if ok {
		return cached
	}
	clean, found := s.Text(text, sanitizer.Hint{})
	result := agent{bot.Is(text), clean, found}
	if len(text) > maxAgentLength {
		return result
	}
	// text is a part of a whole event's bytes: do not keep all of them alive.
	kept := strings.Clone(text)
	if found == 0 {
		result.clean = kept
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.seen) >= maxAgents || a.seen == nil {
		a.seen = make(map[string]agent)
	}
	a.seen[kept] = result
	return result
}

// botWords are parts of the user agents of machines, in lower case. Programs
// that send events for people (curl, HTTP libraries, servers) are not bots.
var botWords = [...]string{
	"bot", "crawl", "spider", "slurp", "headless", "phantomjs", "puppeteer", "playwright", "selenium", "webdriver",
	"lighthouse", "pagespeed", "gtmetrix", "pingdom", "statuscake", "uptime", "monitis", "site24x7",
	"facebookexternalhit", "embedly", "bingpreview", "mediapartners", "feedfetcher", "ahrefs", "semrush", "archive.org",
}

// IsBot reports whether a user agent is that of a crawler, a monitor or an automated
// browser. Cubot is not: it makes telephones.
func IsBot(userAgent string) bool {
	agent := strings.ReplaceAll(strings.ToLower(userAgent), "cubot", " ")
	return slices.ContainsFunc(botWords[:], func(word string) bool { return strings.Contains(agent, word) })
}
