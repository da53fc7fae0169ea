package amplitude

import (
	"net/url"
	"strings"
)

// campaign calls member for each utm parameter of a page's URL, in this order:
// the names under which Amplitude's own browser SDK keeps a campaign.
func campaign(page string, member func(name, value string)) {
	page, _, _ = strings.Cut(page, "#")
	_, query, found := strings.Cut(page, "?")
	if !found || !strings.Contains(query, "utm_") {
		return
	}
	for _, name := range [...]string{"utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content"} {
		for pair := range strings.SplitSeq(query, "&") {
			raw, ok := strings.CutPrefix(pair, name+"=")
			if !ok {
				continue
			}
			if value, err := url.QueryUnescape(raw); err == nil {
				member(name, value)
			}
			break
		}
	}
}
