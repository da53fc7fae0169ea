package bigquery

import (
	"fmt"
	"io"
	"log/slog"
)

// Credentials is the JSON of a service account's key. It prints as "[secret]",
// or as "" if it is not set; only Reveal returns it.
type Credentials string

// Reveal is the key itself, for the token source.
func (c Credentials) Reveal() string { return string(c) }

// String is "[secret]", or "" when there is none.
func (c Credentials) String() string {
	if c == "" {
		return ""
	}
	return "[secret]"
}

// Format writes what String does, whatever the verb.
func (c Credentials) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, c.String()) }

// LogValue is what slog prints.
func (c Credentials) LogValue() slog.Value { return slog.StringValue(c.String()) }

// MarshalText is what encoders print.
func (c Credentials) MarshalText() ([]byte, error) { return []byte(c.String()), nil }
