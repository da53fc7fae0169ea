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

// skipSpace returns the index of the first byte at or after i that is not JSON
// white space.
func skipSpace(data []byte, i int) int {
	for i < len(data) && (data[i] == ' ' || data[i] == '\n' || data[i] == '\t' || data[i] == '\r') {
		i++
	}
	return i
}

// skipScalar reads the string, number, true, false or null that starts at i. It
// returns the index after it, or what is wrong and where.
func skipScalar(data []byte, i int) (end int, fault string) {
	if i >= len(data) {
		return i, "expected a value"
	}
	switch c := data[i]; {
	case c == '"':
		end, _, fault = skipString(data, i)
		return end, fault
	case c == '-' || '0' <= c && c <= '9':
		return skipNumber(data, i)
	case c == 't':
		return skipWord(data, i, "true")
	case c == 'f':
		return skipWord(data, i, "false")
	case c == 'n':
		return skipWord(data, i, "null")
	default:
		return i, "expected a value"
	}
}

func skipWord(data []byte, i int, word string) (end int, fault string) {
	if len(data)-i < len(word) || string(data[i:i+len(word)]) != word {
		return i, "expected a value"
	}
	return i + len(word), ""
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
func skipString(data []byte, i int) (end int, escaped bool, fault string) {
	for i++; i < len(data); i++ {
		c := data[i]
		if !stringBytes[c] {
			continue
		}
		switch c {
		case '"':
			return i + 1, escaped, ""
		case '\\':
			escaped = true
			n := escapeLength(data[i:])
			if n == 0 {
				return i, escaped, "bad escape in a string"
			}
			i += n - 1
		default:
			return i, escaped, "control character in a string"
		}
	}
	return i, escaped, "unfinished string"
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

func skipNumber(data []byte, i int) (end int, fault string) {
	if data[i] == '-' {
		i++
	}
	if i < len(data) && data[i] == '0' {
		i++
	} else {
		next := skipDigits(data, i)
		if next == i {
			return i, "expected a digit"
		}
		i = next
	}
	if i < len(data) && data[i] == '.' {
		next := skipDigits(data, i+1)
		if next == i+1 {
			return next, "expected a digit"
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
			return next, "expected a digit"
		}
		i = next
	}
	return i, ""
}

func skipDigits(data []byte, i int) int {
	for i < len(data) && '0' <= data[i] && data[i] <= '9' {
		i++
	}
	return i
}
