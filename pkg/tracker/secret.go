package tracker

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
)

// Secret is a credential from the configuration. It prints as "[secret]" (or
// as "" when it is not set) with every verb of fmt, in slog, JSON, YAML and
// text; only Reveal gives its value.
//
// fmt does not call the methods of an unexported field. There, keep a function that
// returns the secret: fmt prints its address.
type Secret string

const hidden = "[secret]"

// Reveal returns the credential itself, for the request that needs it.
func (s Secret) Reveal() string { return string(s) }

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

// String is "[secret]", or "" when the secret is not set.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return hidden
}

// Format writes what String does, whatever the verb.
func (s Secret) Format(f fmt.State, _ rune) {
	// Format cannot return an error.
	_, _ = io.WriteString(f, s.String())
}

// LogValue is what slog prints.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText is what text encoders print. It does not protect a Secret that is the
// key of a map: encoding/json prints such a key as it is.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// MarshalJSON is what encoding/json prints.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + s.String() + `"`), nil }

// MarshalYAML is what YAML encoders print.
func (s Secret) MarshalYAML() (any, error) { return s.String(), nil }
