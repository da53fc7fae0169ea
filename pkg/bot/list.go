package bot

import (
	_ "embed"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"sync"
)

//go:embed list.txt
var text string

// Version names the list, such as "crawler-user-agents 1.60.0".
var Version = strings.TrimPrefix(text[:strings.IndexByte(text, '\n')], "# ")

// ambiguous are entries that people's user agents match, too: parts of Android's
// build numbers, browsers embedded in apps, names of devices.
var ambiguous = map[string]bool{
	`AP3A\.240617\.008`: true, `008\/`: true, "Sogou": true, "Viber": true, "Butterfly": true, "Sonic": true, "Fluid": true,
	"Fever": true, "Expanse": true, `Fetch\/`: true, "YLT Chrome": true, "TSM-turingos": true, `Code\/1\.`: true, "MetaIAB Facebook": true, `Trae\/`: true,
}

// entry is one pattern of the list.
type entry struct {
	literal string         // stands in each user agent that matches
	pattern *regexp.Regexp // nil if the literal is the whole pattern
}

const keyLength = 3

// index has the entries by the first letters of their literals. Those whose literal
// is shorter are under "".
var index = sync.OnceValue(func() map[string][]entry {
	entries := make(map[string][]entry)
	for line := range strings.Lines(text) {
		source := strings.TrimSuffix(line, "\n")
		if source == "" || source[0] == '#' || ambiguous[source] {
			continue
		}
		for _, e := range compile(source) {
			key := ""
			if len(e.literal) >= keyLength {
				key = e.literal[:keyLength]
			}
			entries[key] = append(entries[key], e)
		}
	}
	return entries
})

// compile makes an entry of each alternative of a pattern. It panics on one that is no
// regular expression: a test compiles all.
func compile(source string) (entries []entry) {
	tree, err := syntax.Parse(source, syntax.Perl)
	if err != nil {
		panic("bot: list.txt: " + err.Error())
	}
	tree = tree.Simplify()
	switch {
	case tree.Op == syntax.OpAlternate:
		for _, alternative := range tree.Sub {
			entries = append(entries, compile(alternative.String())...)
		}
		return entries
	case tree.Op == syntax.OpLiteral && tree.Flags&syntax.FoldCase == 0:
		return []entry{{literal: string(tree.Rune)}}
	}
	return []entry{{literal: longestLiteral(tree), pattern: regexp.MustCompile(source)}}
}

// longestLiteral is a text that stands in whatever matches, "" if there is none.
func longestLiteral(tree *syntax.Regexp) (longest string) {
	switch tree.Op {
	case syntax.OpLiteral:
		if tree.Flags&syntax.FoldCase == 0 {
			return string(tree.Rune)
		}
	case syntax.OpConcat, syntax.OpCapture, syntax.OpPlus:
		for _, part := range tree.Sub {
			if literal := longestLiteral(part); len(literal) > len(longest) {
				longest = literal
			}
		}
	}
	return longest
}

func listed(userAgent string) bool {
	entries := index()
	for _, e := range entries[""] {
		if e.pattern.MatchString(userAgent) {
			return true
		}
	}
	var tried []*regexp.Regexp // a pattern reads the whole user agent
	for i := 0; i+keyLength <= len(userAgent); i++ {
		for _, e := range entries[userAgent[i:i+keyLength]] {
			if !strings.HasPrefix(userAgent[i:], e.literal) || e.pattern != nil && slices.Contains(tried, e.pattern) {
				continue
			}
			from, to := i, i+len(e.literal)
			if e.pattern != nil {
				tried = append(tried, e.pattern)
				at := e.pattern.FindStringIndex(userAgent)
				if at == nil {
					continue
				}
				from, to = at[0], at[1]
			}
			if begins(userAgent, from) && ends(userAgent, to) {
				return true
			}
		}
	}
	return false
}

// begins reports whether no name goes on across i.
func begins(s string, i int) bool {
	return i == 0 || !letter(s[i-1]) && !digit(s[i-1]) || !letter(s[i]) && !digit(s[i])
}

// ends reports whether a name that ends before i goes on as a word.
func ends(s string, i int) bool {
	return i == len(s) || !letter(s[i]) || !letter(s[i-1])
}

func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
func digit(c byte) bool  { return c >= '0' && c <= '9' }
