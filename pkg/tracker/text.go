package tracker

import (
	"unicode/utf8"

	"github.com/sparrow-edge/sparrow/pkg/event"
)

// Truncate cuts s to at most limit characters, between runes. Characters are UTF-16
// code units, so a vendor that counts runes counts no more than limit either.
func Truncate(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	units := 0
	for i, r := range s {
		units++
		if r > 0xFFFF {
			units++
		}
		if units > limit {
			return s[:i]
		}
	}
	return s
}

// Length counts the characters of s as Truncate does.
func Length(s string) int {
	n := utf8.RuneCountInString(s)
	if n == len(s) {
		return n
	}
	for _, r := range s {
		if r > 0xFFFF {
			n++
		}
	}
	return n
}

// AppendText appends s, cut by Truncate, as a JSON string.
func AppendText(b []byte, s string, limit int) []byte {
	return event.AppendQuoted(b, Truncate(s, limit))
}

// AppendMember appends `"name":"value"` to the inside of a JSON object, with a
// comma before it unless it is the first. The name must need no escaping.
func AppendMember(b []byte, name, value string) []byte {
	return event.AppendQuoted(AppendName(b, name), value)
}

// AppendName appends `"name":` to the inside of a JSON object, with a comma before
// it unless it is the first. The name must need no escaping: see AppendAnyName.
func AppendName(b []byte, name string) []byte {
	b = append(appendComma(b), '"')
	b = append(b, name...)
	return append(b, '"', ':')
}

// AppendAnyName is AppendName for a name that may need escaping.
func AppendAnyName(b []byte, name string) []byte {
	return append(event.AppendQuoted(appendComma(b), name), ':')
}

// appendComma appends a comma unless b ends where an object begins.
func appendComma(b []byte) []byte {
	if n := len(b); n > 0 && b[n-1] != '{' {
		b = append(b, ',')
	}
	return b
}
