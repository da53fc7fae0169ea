package bot

import (
	"slices"
	"strings"
)

// word is a part of the user agents of machines, in lower case.
type word struct {
	text   string
	begins bool // where a name begins
	ends   bool // where a name ends
}

// words recognises bots that are on no list.
var words = []word{
	{"bots", true, true}, {"crawler", false, true}, {"crawling", false, true}, {"crawl", true, true},
	{"headless", false, false}, {"phantomjs", false, false}, {"puppeteer", false, false}, {"playwright", false, false},
	{"selenium", false, false}, {"webdriver", false, false}, {"cypress", true, true}, {"chrome-lighthouse", false, false},
	{"pagespeed", false, false}, {"gtmetrix", false, false}, {"pingdom", false, false}, {"statuscake", false, false},
	{"uptime", true, false}, {"site24x7", false, false}, {"synthetic", false, true}, {"synthetics", false, true}, {"monitoring", false, true},
	{"facebookexternalhit", false, false}, {"embedly", false, false}, {"feedfetcher", false, false}, {"scraper", false, true},
	{"scrapy", true, true}, {"slurp", true, true}, {"lightpanda", true, true},
	{"+http://", false, false}, {"+https://", false, false}, // machines say who runs them
}

// closed are words with which the name of a machine ends, before a version or the
// end of a list. Telephones are called "M bot 51" and "Spider X5".
var closed = []string{"bot", "spider"}

// people are names that end like those of machines: Cubot makes telephones.
var people = []string{"cubot", "abbot", "talbot"}

func hasWord(userAgent string) bool {
	text := strings.ToLower(userAgent)
	for i := range words {
		if w := &words[i]; w.in(text) {
			return true
		}
	}
	return slices.ContainsFunc(closed, func(end string) bool { return hasName(text, end) })
}

func (w *word) in(text string) bool {
	for from := range occurrences(text, w.text) {
		if (!w.begins || begins(text, from)) && (!w.ends || ends(text, from+len(w.text))) {
			return true
		}
	}
	return false
}

// hasName reports whether a name ends with a word of closed.
func hasName(text, end string) bool {
	for from := range occurrences(text, end) {
		to, first := from+len(end), from
		if to < len(text) && !strings.ContainsRune("/;),:+-", rune(text[to])) {
			continue
		}
		for first > 0 && letter(text[first-1]) {
			first--
		}
		if !slices.Contains(people, text[first:to]) {
			return true
		}
	}
	return false
}

// occurrences are the positions of a part in a text.
func occurrences(text, part string) func(yield func(int) bool) {
	return func(yield func(int) bool) {
		for from := 0; ; {
			i := strings.Index(text[from:], part)
			if i < 0 || !yield(from+i) {
				return
			}
			from += i + len(part)
		}
	}
}
