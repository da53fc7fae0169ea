package report

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"github.com/sparrow-edge/sparrow/pkg/secret"
)

const (
	// minSecret is the shortest string that is replaced, in bytes: to replace "1"
	// everywhere would make reports unreadable.
	minSecret = 6

	maxBody    = 8 << 10
	maxMessage = 2 << 10
	maxValue   = 256 // of a header, tag or receipt
	maxURL     = 1 << 10
)

// allowedHeaders are the headers that are reported: they help to understand a
// request and never carry a credential.
var allowedHeaders = []string{
	"Accept", "Allow", "Content-Encoding", "Content-Length", "Content-Type", "Date", "Retry-After", "Server",
	"Transfer-Encoding", "User-Agent", "Via", "X-Ratelimit-Limit", "X-Ratelimit-Remaining", "X-Ratelimit-Reset", "X-Request-Id",
}

// scrubber replaces secrets and cuts what is too long.
type scrubber struct {
	replacer *strings.Replacer
	longest  int // of the secrets' forms, in bytes
}

// newScrubber makes a scrubber of the secrets in the configuration. Each is also
// found in its percent-encoded and JSON-escaped form.
func newScrubber(secrets []string) *scrubber {
	var forms []string
	for _, s := range secrets {
		if len(s) < minSecret {
			continue
		}
		forms = append(forms, s, url.QueryEscape(s), url.PathEscape(s))
		if quoted, err := json.Marshal(s); err == nil {
			forms = append(forms, string(quoted[1:len(quoted)-1]))
		}
	}
	// The longest first, so that a secret that begins with another is replaced whole.
	slices.SortFunc(forms, func(a, b string) int { return len(b) - len(a) })
	forms = slices.Compact(forms)
	s := &scrubber{}
	pairs := make([]string, 0, 2*len(forms))
	for _, form := range forms {
		s.longest = max(s.longest, len(form))
		pairs = append(pairs, form, secret.Hidden)
	}
	s.replacer = strings.NewReplacer(pairs...)
	return s
}

// text replaces secrets, repairs UTF-8 and cuts to limit bytes. Secrets come first,
// so that one across the cut is still found.
func (s *scrubber) text(v string, limit int) string {
	v = strings.ToValidUTF8(s.replacer.Replace(v), "\uFFFD")
	if len(v) <= limit {
		return v
	}
	return strings.ToValidUTF8(v[:limit], "") // the cut may split the last character
}

// bodyBytes is how many bytes of a body must be kept until it is scrubbed.
func (s *scrubber) bodyBytes() int { return maxBody + s.longest }

// url removes credentials, query and fragment from an address.
func (s *scrubber) url(address string) string {
	if address == "" {
		return ""
	}
	u, err := url.Parse(address)
	if err != nil {
		return "[unreadable]"
	}
	masked := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath, Opaque: u.Opaque}
	return s.text(masked.String(), maxURL)
}
