package event

import (
	"strconv"
	"unicode"
	"unicode/utf8"
)

// step is one step of the path to a value: a member's name or an array's index.
type step struct {
	name  Quoted // the zero value in an array
	index int
}

// The path in a fault's text is cut: the client chooses the names in it.
const (
	maxShownSteps = 6
	maxShownName  = 40 // characters
)

// report keeps the first broken rule, with the path to the value at hand.
func (in *inspector) report(what string) {
	if in.fault != "" {
		return
	}
	b := make([]byte, 0, 96)
	for n, s := range in.path[:in.depth] {
		if n == maxShownSteps {
			b = append(b, "…"...)
			break
		}
		if s.name.End == 0 {
			b = append(b, '[')
			b = strconv.AppendInt(b, int64(s.index), 10)
			b = append(b, ']')
			continue
		}
		if n > 0 {
			b = append(b, '.')
		}
		b = appendShown(b, unquote(in.data[s.name.Start:s.name.End]))
	}
	if len(b) > 0 {
		b = append(b, ": "...)
	}
	in.fault = string(append(b, what...))
}

// appendShown appends a name for people: printable and short.
func appendShown(b, name []byte) []byte {
	for shown := 0; len(name) > 0; shown++ {
		if shown == maxShownName {
			return append(b, "…"...)
		}
		r, size := utf8.DecodeRune(name)
		if !unicode.IsPrint(r) {
			r = utf8.RuneError
		}
		b = utf8.AppendRune(b, r)
		name = name[size:]
	}
	return b
}
