package tracker

import (
	"fmt"
	"io"
	"log/slog"
)

// Secret is a credential from the configuration. It prints as "[secret]" (or
// as "" when it is not set) with every verb of fmt, in slog, JSON, YAML and
// text; only Reveal gives its value.
//
// fmt cannot ask the methods of an unexported field: keep there a function that
// returns what holds the secret.
type Secret string

const hidden = "[secret]"

// Reveal is the credential itself, for the request that needs it.
func (s Secret) Reveal() string { return string(s) }

// String is "[secret]", or "" when the secret is not set.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return hidden
}

// Format writes what String does, whatever the verb.
func (s Secret) Format(f fmt.State, _ rune) {
	// fmt has no way to be told that writing failed.
	_, _ = io.WriteString(f, s.String())
}

// LogValue is what slog prints.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText is what encoders that know text print. It does not help a Secret that
// is a map's key: encoding/json prints such a key as it is.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// MarshalJSON is what encoding/json prints.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + s.String() + `"`), nil }

// MarshalYAML is what YAML encoders print.
func (s Secret) MarshalYAML() (any, error) { return s.String(), nil }
