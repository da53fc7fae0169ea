package trace

import "strings"

// botWords are parts of the user agents of machines, in lower case. Programs
// that send events for people (curl, HTTP libraries, servers) are not bots.
var botWords = [...]string{
	"bot", "crawl", "spider", "slurp", "headless", "phantomjs", "puppeteer", "playwright", "selenium", "webdriver",
	"lighthouse", "pagespeed", "gtmetrix", "pingdom", "statuscake", "uptime", "monitis", "site24x7",
	"facebookexternalhit", "embedly", "bingpreview", "mediapartners", "feedfetcher", "ahrefs", "semrush", "archive.org",
}

// botStarts marks the first letters of botWords.
var botStarts = func() (starts [256]bool) {
	for _, word := range botWords {
		starts[word[0]], starts[word[0]-0x20] = true, true
	}
	return starts
}()

// IsBot reports whether a user agent is that of a crawler, a monitor or an automated
// browser. Cubot is not: it makes telephones.
func IsBot(userAgent string) bool {
	for i := 0; i < len(userAgent); i++ {
		if !botStarts[userAgent[i]] {
			continue
		}
		for _, word := range botWords {
			if word[0] == userAgent[i]|0x20 && len(userAgent)-i >= len(word) && strings.EqualFold(userAgent[i:i+len(word)], word) && !cubot(userAgent, i) {
				return true
			}
		}
	}
	return false
}

func cubot(userAgent string, i int) bool {
	return i >= 2 && strings.EqualFold(userAgent[i-2:i], "cu")
}
