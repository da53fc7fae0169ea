package sanitizer

import (
	_ "embed" // the rules
	"math"
	"regexp"
	"strconv"
	"strings"
	"sync"
)

// The rules of API keys, one a line: gitleaks', which scripts/secretrules.sh copies,
// and our own.
var (
	//go:embed rules/gitleaks.tsv
	gitleaksRules string
	//go:embed rules/own.tsv
	ownRules string
)

// rule is one kind of API key. A rule with names finds a value by what stands before
// its = or : (adafruit_key = ...), one without by how the value begins.
type rule struct {
	id      string
	entropy float64 // the value has more, in bits a character
	random  bool    // the value must look random, too
	inside  bool    // the keyword stands within the value, not where it begins
	whole   bool    // no letter or digit may follow
	names   func() *regexp.Regexp
	value   func() *regexp.Regexp
}

// The parts that gitleaks' rules have in common.
const (
	namedRule  = `(?:=|>|:{1,3}=|\|\||:|=>|\?=|,)[\x60'"\s=]{0,5}` // between name and value
	afterValue = "(?:[\\x60'\"\\s;]|\\\\[nr]|$)"
)

// keyword is what a text must hold before a rule's expressions run.
type keyword struct {
	text string // lower case
	rule *rule
}

// keywords finds keywords by their first two characters.
type keywords struct {
	starts [1 << 14]uint16 // index of lists; 0 for none
	lists  [][]keyword
}

var prefixed, named = loadRules()

func loadRules() (*keywords, *keywords) {
	prefixed, named := &keywords{lists: make([][]keyword, 1)}, &keywords{lists: make([][]keyword, 1)}
	for line := range strings.Lines(ownRules + gitleaksRules) {
		if fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t"); len(fields) == 4 {
			r, into := newRule(fields[0], fields[3]), prefixed
			r.entropy, _ = strconv.ParseFloat(fields[1], 64)
			r.random = strings.Contains(ownRules, line)
			if r.names != nil {
				into = named
			}
			for text := range strings.SplitSeq(fields[2], ",") {
				into.add(keyword{text, r})
			}
		}
	}
	return prefixed, named
}

func newRule(id, expression string) *rule {
	r := &rule{id: id}
	expression, r.whole = strings.CutSuffix(expression, afterValue)
	before, value, isNamed := strings.Cut(expression, namedRule)
	if isNamed {
		if strings.HasPrefix(before, "(?i)") {
			value = "(?i)" + value
		}
		r.names = lazily(strings.Replace(before, `[\w.-]{0,50}?`, "", 2) + "$")
	} else {
		value = expression
		r.inside = strings.HasPrefix(strings.TrimLeft(strings.TrimPrefix(value, "(?i)"), `\b(?:`), "[") || strings.HasPrefix(value, "(?:^")
	}
	r.value = lazily("^(?:" + value + ")")
	return r
}

func lazily(expression string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expression) })
}

// pair is the index of a text's first two characters, without regard to case.
func pair(s string) int { return int(s[0]&0x7f|0x20)<<7 | int(s[1]&0x7f|0x20) }

func (k *keywords) add(w keyword) {
	at := &k.starts[pair(w.text)]
	if *at == 0 {
		*at = uint16(len(k.lists))
		k.lists = append(k.lists, nil)
	}
	k.lists[*at] = append(k.lists[*at], w)
}

// begin are the keywords that may be what s, of two bytes at least, begins with.
func (k *keywords) begin(s string) []keyword { return k.lists[k.starts[pair(s)]] }

func (w *keyword) begins(s string) bool {
	return len(s) >= len(w.text) && strings.EqualFold(s[:len(w.text)], w.text)
}

// longestValue is how much of a text a rule reads.
const longestValue = 600

// match finds the rule's value where text begins. It returns the end, too.
func (r *rule) match(text string) (start, end int, ok bool) {
	loc := r.value().FindStringSubmatchIndex(text[:min(len(text), longestValue)])
	if loc == nil {
		return 0, 0, false
	}
	start, end = loc[0], loc[1]
	for i := 2; i < len(loc); i += 2 {
		if loc[i] >= 0 {
			start, end = loc[i], loc[i+1] // the first group that took part
			break
		}
	}
	value := text[start:end]
	if r.whole && end < len(text) && isWord(text[end]) || r.entropy > 0 && entropy(value) <= r.entropy || r.random && !random(value) {
		return 0, 0, false
	}
	for end >= longestValue && end < len(text) && isSecretByte(text[end]) {
		end++
	}
	return start, end, true
}

// entropy is Shannon's, in bits a byte.
func entropy(s string) float64 {
	var counts [256]int
	for i := range len(s) {
		counts[s[i]]++
	}
	sum := 0.0
	for _, n := range counts {
		if n > 0 {
			p := float64(n) / float64(len(s))
			sum -= p * math.Log2(p)
		}
	}
	return sum
}

// random reports that letters of both cases and digits change places within words
// more often than in anything that people write: slugs, names, article numbers.
func random(s string) bool {
	changes, count := 0, 0
	for i := range len(s) {
		if !isWord(s[i]) {
			continue
		}
		count++
		if i > 0 && isWord(s[i-1]) && s[i]&0x60 != s[i-1]&0x60 {
			changes++
		}
	}
	return changes >= 3 && changes*6 > count
}
