package tracker

import (
	"bytes"
	"fmt"
	"net/url"
	"strings"

	"github.com/sparrow-edge/sparrow/pkg/secret"
)

// Secret is a credential of a tracker. It never prints; only Reveal gives its value.
type Secret = secret.Value

// CheckSecret checks a required credential that has no spaces, such as an API key.
// key is its name in the configuration; where tells people where to find it.
func CheckSecret(key string, s Secret, where string) error {
	switch {
	case strings.TrimSpace(string(s)) == "":
		return fmt.Errorf("%s: required; %s", key, where)
	case strings.ContainsFunc(string(s), func(r rune) bool { return r <= ' ' || r >= 0x7F }):
		return fmt.Errorf("%s: contains a space or a character outside ASCII", key)
	}
	return nil
}

// MaskURL returns a URL that may be printed: without credentials and fragment, and
// with the value of every query parameter hidden. An invalid URL becomes
// "[invalid URL]".
func MaskURL(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "[invalid URL]"
	}
	var b strings.Builder
	if u.Scheme != "" {
		b.WriteString(u.Scheme + "://")
	}
	b.WriteString(u.Host + u.EscapedPath())
	for i, pair := range strings.FieldsFunc(u.RawQuery, func(r rune) bool { return r == '&' || r == ';' }) {
		b.WriteByte("?&"[min(i, 1)])
		name, _, found := strings.Cut(pair, "=")
		if !found {
			b.WriteString(secret.Hidden) // a parameter without a value may itself be the secret
			continue
		}
		b.WriteString(name + "=" + secret.Hidden)
	}
	return b.String()
}

// Redact replaces every occurrence of the secrets in text: as they are,
// percent-encoded for a query, or quoted in JSON. It is for all parts of requests and
// responses that are kept: bodies, headers, previews. It does not change text itself.
// Secrets shorter than 4 characters are ignored: they would match ordinary text, and
// no vendor issues such.
func Redact(text []byte, secrets []Secret) []byte {
	for _, s := range secrets {
		if len(s) < 4 {
			continue
		}
		for _, form := range secretForms(s.Reveal()) {
			if bytes.Contains(text, form) {
				text = bytes.ReplaceAll(text, form, []byte(secret.Hidden))
			}
		}
	}
	return text
}

func secretForms(s string) [][]byte {
	quoted := AppendText(nil, s, len(s))
	return [][]byte{[]byte(s), []byte(url.QueryEscape(s)), []byte(url.PathEscape(s)), quoted[1 : len(quoted)-1]}
}
