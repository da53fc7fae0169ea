package trace

import (
	"slices"
	"strings"
)

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
