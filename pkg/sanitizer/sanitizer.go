package sanitizer

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// Sanitizer removes personal data and secrets. It does not change and is safe
// for concurrent use.
type Sanitizer struct {
	key        []byte
	names      []string // of the kinds, by bit
	own        []*regexp.Regexp
	parameters map[string]bool
	prefixes   []string // of parameters
	regions    []string // where national phone numbers are looked for
	ownRegions bool     // the operator named them
}

// New builds a Sanitizer. A configuration without a key, or one that Check
// refuses, is an error.
func New(c Config) (*Sanitizer, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	if c.Key == "" {
		return nil, errors.New("key: required: a secret of at least 16 bytes")
	}
	s := &Sanitizer{key: []byte(c.Key), names: append([]string(nil), builtin...), parameters: map[string]bool{}, regions: anyRegion}
	for _, p := range append(DefaultParameters(), c.Parameters...) {
		if prefix, open := strings.CutSuffix(p, "*"); open {
			s.prefixes = append(s.prefixes, prefix)
		} else {
			s.parameters[p] = true
		}
	}
	for _, p := range c.Patterns {
		match, err := regexp.Compile(p.Match)
		if err != nil {
			return nil, fmt.Errorf("patterns: %s: %w", p.Name, err)
		}
		s.own, s.names = append(s.own, match), append(s.names, p.Name)
	}
	return s.WithRegions(c.Regions), nil
}

// WithRegions is the sanitizer for a source whose users are in these regions, which
// CheckRegions has passed; without any, it is the same.
func (s *Sanitizer) WithRegions(regions []string) *Sanitizer {
	if len(regions) == 0 {
		return s
	}
	other := *s
	other.regions, other.ownRegions = regions, true
	return &other
}

// String sanitises a text without hints.
func (s *Sanitizer) String(text string) string {
	clean, _ := s.Text(text, Hint{})
	return clean
}

// Hint is what the caller knows about a text.
type Hint struct {
	// Allow are the kinds that stay.
	Allow Kinds
	// URL says that the whole text is a URL or the end of one, from its path on.
	URL bool
	// Version says that numbers with dots are a version, not an address.
	Version bool

	secret string // the name that says that the text is a secret
	phone  bool   // the name says that it is a phone number
}

// HintFor is the hint that a property's name gives.
func HintFor(name string, allow Kinds) Hint {
	h := Hint{Allow: allow, Version: namesVersion(name), phone: namesPhone(name)}
	if secretName(name) != notSecret {
		h.secret = name
	}
	return h
}

// maxPasses bounds how often a text with findings is read again.
const maxPasses = 6

// Text returns the text without what it found, and the kinds that were found.
// A text without findings is returned as it is.
func (s *Sanitizer) Text(text string, h Hint) (string, Kinds) {
	if h.secret != "" && h.Allow&Secret == 0 && isSecretProperty(h.secret, text) {
		return "[secret]", Secret
	}
	if h.phone && h.Allow&Phone == 0 && s.isPhoneProperty(text) {
		return "[phone]", Phone
	}
	seen, mayHold := survey(text)
	if s.ordinary(text, seen, mayHold, h) {
		return text, 0
	}
	var found Kinds
	for range maxPasses {
		clean, kinds := s.pass(text, seen, h)
		if kinds == 0 {
			return text, found
		}
		text = clean
		seen, _ = survey(text)
		found |= kinds
	}
	// Each removal makes a new shape of what is left: send none of it.
	return "[redacted]", found | Oversized
}

// pass removes what one reading of the text finds.
func (s *Sanitizer) pass(text string, seen class, h Hint) (string, Kinds) {
	var found Kinds
	if h.URL || seen&(slash|mark|escapes) != 0 {
		text, found = s.urls(text, h)
	}
	clean, kinds := s.scan(text, seen, h)
	found |= kinds
	for i, match := range s.own {
		kind := firstOwn << i
		if h.Allow&kind == 0 && match.MatchString(clean) {
			clean = match.ReplaceAllLiteralString(clean, "["+s.name(kind)+"]")
			found |= kind
		}
	}
	return clean, found
}

// Identity sanitises an id. One that contains personal data or a secret is replaced
// by its Hash, which is the same for the same user and differs between users.
func (s *Sanitizer) Identity(id string, h Hint) (string, Kinds) {
	_, found := s.Text(id, h)
	if found == 0 {
		return id, 0
	}
	return s.Hash(id), found
}

// Hash is the HMAC-SHA-256 of an id, trimmed and in lower case, in hex.
func (s *Sanitizer) Hash(id string) string {
	mac := hmac.New(sha256.New, s.key)
	mac.Write([]byte(strings.ToLower(strings.TrimSpace(id))))
	return hex.EncodeToString(mac.Sum(nil))
}
