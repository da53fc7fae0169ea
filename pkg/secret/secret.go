// Package secret keeps credentials of the configuration from being printed.
package secret

import (
	"fmt"
	"io"
	"log/slog"
)

// Hidden is what stands for a credential wherever one is printed.
const Hidden = "[secret]"

// Value is a credential from the configuration. It prints as "[secret]" (or
// as "" when it is not set) with every verb of fmt, in slog, JSON, YAML and
// text; only Reveal gives its value.
//
// fmt does not call the methods of an unexported field. There, keep a function that
// returns the secret: fmt prints its address.
type Value string

// Reveal returns the credential itself, for the request that needs it.
func (v Value) Reveal() string { return string(v) }

// String is "[secret]", or "" when the credential is not set.
func (v Value) String() string {
	if v == "" {
		return ""
	}
	return Hidden
}

// Format writes what String does, whatever the verb.
func (v Value) Format(f fmt.State, _ rune) {
	// Format cannot return an error.
	_, _ = io.WriteString(f, v.String())
}

// LogValue is what slog prints.
func (v Value) LogValue() slog.Value { return slog.StringValue(v.String()) }

// MarshalText is what encoders of text, JSON and YAML print. It does not protect a
// Value that is the key of a map: encoding/json prints such a key as it is.
func (v Value) MarshalText() ([]byte, error) { return []byte(v.String()), nil }
