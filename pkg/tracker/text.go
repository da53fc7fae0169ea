package tracker

import (
	"unicode/utf16"

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
		if units += utf16.RuneLen(r); units > limit {
			return s[:i]
		}
	}
	return s
}

// Length counts the characters of s as Truncate does.
func Length(s string) int {
	units := 0
	for _, r := range s {
		units += utf16.RuneLen(r)
	}
	return units
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

// AppendSome appends a member whose value AppendText cuts, unless it is empty.
func AppendSome(b []byte, name, value string, limit int) []byte {
	if value == "" {
		return b
	}
	return AppendText(AppendName(b, name), value, limit)
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
