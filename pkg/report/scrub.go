package report

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

const (
	placeholder = "[secret]"
	// minSecret is the length below which a string is no secret: replacing "1"
	// everywhere would only make reports unreadable.
	minSecret = 6

	maxBody    = 8 << 10
	maxMessage = 2 << 10
	maxValue   = 256 // of a header, tag or receipt
	maxURL     = 1 << 10
)

// allowedHeaders are the headers that help to understand an exchange and never
// carry a credential. Anything else is left out.
var allowedHeaders = []string{
	"Accept", "Allow", "Content-Encoding", "Content-Length", "Content-Type", "Date", "Retry-After", "Server",
	"Transfer-Encoding", "User-Agent", "Via", "X-Ratelimit-Limit", "X-Ratelimit-Remaining", "X-Ratelimit-Reset", "X-Request-Id",
}

// scrubber replaces known secrets and cuts what is too long.
type scrubber struct {
	replacer *strings.Replacer
	longest  int // of the secrets' forms, in bytes
}

// newScrubber takes the secrets as they stand in the configuration. Each is
// also found in its percent-encoded and JSON-escaped form.
func newScrubber(secrets []string) *scrubber {
	var forms []string
	for _, secret := range secrets {
		if len(secret) < minSecret {
			continue
		}
		forms = append(forms, secret, url.QueryEscape(secret), url.PathEscape(secret))
		if quoted, err := json.Marshal(secret); err == nil {
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
		pairs = append(pairs, form, placeholder)
	}
	s.replacer = strings.NewReplacer(pairs...)
	return s
}

// text replaces secrets, repairs UTF-8 and cuts to limit bytes, in this order:
// a secret across the cut is still found.
func (s *scrubber) text(v string, limit int) string {
	v = strings.ToValidUTF8(s.replacer.Replace(v), "\uFFFD")
	if len(v) <= limit {
		return v
	}
	for limit > 0 && !utf8.RuneStart(v[limit]) {
		limit--
	}
	return v[:limit]
}

// room is how many bytes of a body must be kept until text has seen it.
func (s *scrubber) room() int { return maxBody + s.longest }

// url writes an address without credentials, query and fragment.
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

// headers keeps the allowed headers, values of one name joined by commas.
func (s *scrubber) headers(h http.Header) map[string]string {
	kept := make(map[string]string)
	for name, values := range h {
		canonical := http.CanonicalHeaderKey(name)
		if _, ok := slices.BinarySearch(allowedHeaders, canonical); ok {
			kept[canonical] = s.text(strings.Join(values, ", "), maxValue)
		}
	}
	return kept
}
