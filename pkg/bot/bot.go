package bot

import (
	"slices"
	"strings"
)

// Rules are one's own, beside the list: a user agent that contains one of the texts,
// as it is written, is people's or a machine's. People come first.
type Rules struct {
	People   []string `yaml:"people"`
	Machines []string `yaml:"machines"`
}

// Decide reports whether the rules say what a user agent is, and what.
func (r *Rules) Decide(userAgent string) (machine, known bool) {
	within := func(text string) bool { return strings.Contains(userAgent, text) }
	if slices.ContainsFunc(r.People, within) {
		return false, true
	}
	machine = slices.ContainsFunc(r.Machines, within)
	return machine, machine
}

// longest is how much of a user agent is read: clients may send any text as one.
const longest = 1024

// Is reports whether a user agent is that of a machine, by the list and the general
// words, within its first 1,024 bytes.
func Is(userAgent string) bool {
	userAgent = userAgent[:min(len(userAgent), longest)]
	return listed(userAgent) || hasWord(userAgent)
}
