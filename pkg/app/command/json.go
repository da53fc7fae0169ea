package command

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf16"
)

// writeJSON writes a value as JSON and a line break. indent is for each level,
// "" for all on one line.
func writeJSON(w io.Writer, v any, indent string) error {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", indent)
	if err := e.Encode(v); err != nil {
		return err
	}
	_, err := io.WriteString(w, escaped(b.String()))
	return err
}

// marshalPlain is a value as JSON on one line.
func marshalPlain(v any) ([]byte, error) {
	var b strings.Builder
	if err := writeJSON(&b, v, ""); err != nil {
		return nil, err
	}
	return []byte(strings.TrimRight(b.String(), "\n")), nil
}

// escaped writes what a terminal could obey as JSON escapes: the text stays
// JSON, and means the same. Such a character stands only within strings, beside
// the line breaks between them.
func escaped(text string) string {
	if !strings.ContainsFunc(text, unruly) {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		switch {
		case !unruly(r):
			b.WriteRune(r)
		case r > 0xFFFF:
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// unruly reports whether a terminal may do something else than show r.
func unruly(r rune) bool { return r != '\n' && (unicode.IsControl(r) || unicode.In(r, unicode.Cf)) }
