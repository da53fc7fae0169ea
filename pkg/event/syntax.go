package event

import "fmt"

// SyntaxError says where bytes stop being JSON (RFC 8259).
type SyntaxError struct {
	Offset int    // of the byte at fault; the length of the input when it ended early
	What   string // "expected a value"
}

// Error names the fault and its offset, and quotes none of the input.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("not JSON: %s at byte %d", e.What, e.Offset)
}

// SkipSpace returns the index of the first byte at or after i that is not JSON
// white space.
func SkipSpace(data []byte, i int) int {
	for i < len(data) && (data[i] == ' ' || data[i] == '\n' || data[i] == '\t' || data[i] == '\r') {
		i++
	}
	return i
}

// SkipValue checks the syntax of the JSON value that starts at data[i], which
// is not white space, and returns the index after it. It takes any depth of
// nesting (at the price of a bit a level), repeated names, and bytes that are
// not UTF-8 within strings: those are questions for Inspect. The error is a
// *SyntaxError.
func SkipValue(data []byte, i int) (int, error) {
	var open nesting
	for {
		// A value starts at i.
		if i < len(data) && (data[i] == '{' || data[i] == '[') {
			open.push(data[i] == '{')
			closing := data[i] + 2 // '}' is '{'+2, ']' is '['+2
			i = SkipSpace(data, i+1)
			if i >= len(data) || data[i] != closing {
				if closing == ']' {
					continue
				}
				next, err := skipName(data, i)
				if err != nil {
					return next, err
				}
				i = next
				continue
			}
			open.pop()
			i++
		} else {
			next, err := skipScalar(data, i)
			if err != nil {
				return next, err
			}
			i = next
		}
		// A value has ended before i: close what ends with it.
		next, more, err := open.afterValue(data, i)
		if err != nil || !more {
			return next, err
		}
		i = next
	}
}

// nesting is the stack of open arrays and objects: a bit each, 1 for an object.
// The first 64 levels need no allocation.
type nesting struct {
	first uint64
	rest  []uint64
	depth int
}

func (n *nesting) push(object bool) {
	if n.depth/64 > len(n.rest) {
		n.rest = append(n.rest, 0)
	}
	word, bit := n.word(n.depth)
	*word &^= bit
	if object {
		*word |= bit
	}
	n.depth++
}

func (n *nesting) pop() { n.depth-- }

func (n *nesting) inObject() bool {
	word, bit := n.word(n.depth - 1)
	return *word&bit != 0
}

func (n *nesting) word(level int) (*uint64, uint64) {
	if level < 64 {
		return &n.first, 1 << level
	}
	return &n.rest[level/64-1], 1 << (level % 64)
}

// afterValue reads commas and closing brackets from i to the start of the next
// value (more is true), or to the end of the outermost one.
func (n *nesting) afterValue(data []byte, i int) (next int, more bool, err error) {
	for n.depth > 0 {
		i = SkipSpace(data, i)
		object := n.inObject()
		closing := byte(']')
		if object {
			closing = '}'
		}
		switch {
		case i < len(data) && data[i] == closing:
			n.pop()
			i++
		case i < len(data) && data[i] == ',':
			i = SkipSpace(data, i+1)
			if !object {
				return i, true, nil
			}
			i, err = skipName(data, i)
			return i, err == nil, err
		case object:
			return i, false, syntax(data, i, "expected a comma or a closing brace")
		default:
			return i, false, syntax(data, i, "expected a comma or a closing bracket")
		}
	}
	return i, false, nil
}

// skipName reads a member's name and its colon, up to the start of its value.
func skipName(data []byte, i int) (int, error) {
	if i >= len(data) || data[i] != '"' {
		return i, syntax(data, i, "expected a name in quotes")
	}
	end, _, err := skipString(data, i)
	if err != nil {
		return end, err
	}
	return skipColon(data, end)
}

func skipColon(data []byte, i int) (int, error) {
	i = SkipSpace(data, i)
	if i >= len(data) || data[i] != ':' {
		return i, syntax(data, i, "expected a colon")
	}
	return SkipSpace(data, i+1), nil
}

func skipScalar(data []byte, i int) (int, error) {
	if i >= len(data) {
		return i, syntax(data, i, "expected a value")
	}
	switch c := data[i]; {
	case c == '"':
		end, _, err := skipString(data, i)
		return end, err
	case c == '-' || '0' <= c && c <= '9':
		return skipNumber(data, i)
	case c == 't':
		return skipWord(data, i, "true")
	case c == 'f':
		return skipWord(data, i, "false")
	case c == 'n':
		return skipWord(data, i, "null")
	default:
		return i, syntax(data, i, "expected a value")
	}
}

func skipWord(data []byte, i int, word string) (int, error) {
	if len(data)-i < len(word) || string(data[i:i+len(word)]) != word {
		return i, syntax(data, i, "expected a value")
	}
	return i + len(word), nil
}

// stringBytes marks the bytes that mean something within a string: its end, an
// escape, a control character. It is a constant table.
var stringBytes = func() (special [256]bool) {
	for c := range 0x20 {
		special[c] = true
	}
	special['"'], special['\\'] = true, true
	return special
}()

// skipString reads the string whose quote is data[i]; escaped says that it has
// a backslash in it.
func skipString(data []byte, i int) (end int, escaped bool, err error) {
	for i++; i < len(data); i++ {
		c := data[i]
		if !stringBytes[c] {
			continue
		}
		switch c {
		case '"':
			return i + 1, escaped, nil
		case '\\':
			escaped = true
			n := escapeLength(data[i:])
			if n == 0 {
				return i, escaped, syntax(data, i, "bad escape in a string")
			}
			i += n - 1
		default:
			return i, escaped, syntax(data, i, "control character in a string")
		}
	}
	return i, escaped, syntax(data, i, "unfinished string")
}

// escapeLength is the length of the escape that b starts with, or 0.
func escapeLength(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	switch b[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		if len(b) < 6 {
			return 0
		}
		for _, c := range b[2:6] {
			if !('0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f') {
				return 0
			}
		}
		return 6
	}
	return 0
}

func skipNumber(data []byte, i int) (int, error) {
	if data[i] == '-' {
		i++
	}
	if i < len(data) && data[i] == '0' {
		i++
	} else {
		next := skipDigits(data, i)
		if next == i {
			return i, syntax(data, i, "expected a digit")
		}
		i = next
	}
	if i < len(data) && data[i] == '.' {
		next := skipDigits(data, i+1)
		if next == i+1 {
			return next, syntax(data, next, "expected a digit")
		}
		i = next
	}
	if i < len(data) && data[i]|0x20 == 'e' {
		i++
		if i < len(data) && (data[i] == '+' || data[i] == '-') {
			i++
		}
		next := skipDigits(data, i)
		if next == i {
			return next, syntax(data, next, "expected a digit")
		}
		i = next
	}
	return i, nil
}

func skipDigits(data []byte, i int) int {
	for i < len(data) && '0' <= data[i] && data[i] <= '9' {
		i++
	}
	return i
}

func syntax(data []byte, i int, what string) error {
	if i >= len(data) {
		what = "unexpected end: " + what
	}
	return &SyntaxError{Offset: min(i, len(data)), What: what}
}
