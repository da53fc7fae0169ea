package event

import "fmt"

// Scanner walks over a JSON text (RFC 8259) front to back and reads each byte
// once. It is the only code here that knows JSON's grammar: Inspect, Parse and
// the dispatcher's split into events drive it. It copies nothing. It accepts
// any depth of nesting, repeated names, and bytes within strings that are not
// UTF-8: those are questions for Inspect.
//
// The caller reads the value at hand: Skip reads any; Text a string; Members
// and Elements enter an object or array, whose values the loop's body must read
// in turn. After a syntax error the text counts as finished: every later read
// returns nothing, loops end, and Err says what was wrong.
//
// It is written by hand for speed. The whole check of Inspect took 2.3 to 2.4 µs
// an event with it, and 3.5 to 3.7 µs in two versions on jsontext's decoder, on
// the same busy machine. The gateway spends about 29 µs of CPU on a request at 64
// connections, so jsontext would cost about 4% of the intake rate. The tests
// compare what the two accept; BenchmarkInspectReference measures jsontext.
type Scanner struct {
	data []byte
	at   int // where the next value starts; the end of data after an error
	err  error
}

// Quoted is where a string is in the text, with its quotes.
type Quoted struct {
	Start, End int
	Escaped    bool // it has a backslash in it
}

// NewScanner returns a scanner at the first value of data.
func NewScanner(data []byte) Scanner { return Scanner{data: data, at: skipSpace(data, 0)} }

// Offset is where the scanner is: at the start of the value at hand, or at the end
// of the one that was read last. It means nothing after an error.
func (s *Scanner) Offset() int { return s.at }

// Err is the first syntax error, a *SyntaxError, or nil.
func (s *Scanner) Err() error { return s.err }

// Peek is the first byte of the value at hand; 0 at the end of the text.
func (s *Scanner) Peek() byte {
	if s.at < len(s.data) {
		return s.data[s.at]
	}
	return 0
}

// End checks that nothing but white space follows, and returns Err. what is the
// error's text when something does.
func (s *Scanner) End(what string) error {
	if s.at = skipSpace(s.data, s.at); s.at < len(s.data) {
		s.fail(s.at, what)
	}
	return s.err
}

// Members enters the object at hand and yields each member's name.
func (s *Scanner) Members(yield func(name Quoted) bool) {
	for more := s.open('}'); more; more = s.next('}') {
		if name := s.name(); s.err != nil || !yield(name) {
			return
		}
	}
}

// Elements enters the array at hand and yields each element's index.
func (s *Scanner) Elements(yield func(index int) bool) {
	i := 0
	for more := s.open(']'); more; more = s.next(']') {
		if !yield(i) {
			return
		}
		i++
	}
}

// Text reads the string at hand.
func (s *Scanner) Text() Quoted {
	start := s.at
	end, escaped, fault := skipString(s.data, start)
	if fault != "" {
		s.fail(end, fault)
		return Quoted{}
	}
	s.at = end
	return Quoted{Start: start, End: end, Escaped: escaped}
}

// Skip reads the value at hand, of any type and depth. It does not recurse: a
// level of nesting costs a bit.
func (s *Scanner) Skip() {
	var open nesting
	for {
		more := false
		if c := s.Peek(); c == '{' || c == '[' {
			open.push(c == '{')
			if more = s.open(c + 2); !more { // '}' is '{'+2, ']' is '['+2
				open.pop()
			}
		} else {
			s.scalar()
		}
		for !more && s.err == nil && open.depth > 0 {
			if more = s.next(open.closing()); !more {
				open.pop()
			}
		}
		if !more {
			return
		}
		if open.closing() == '}' {
			s.name()
		}
	}
}

// open goes into the object or array at hand, to its first member or element. An
// empty one is read whole, and open reports false.
func (s *Scanner) open(closing byte) bool {
	s.at = skipSpace(s.data, s.at+1)
	if s.Peek() == closing {
		s.at++
		return false
	}
	return true
}

// next goes behind a comma, to the next member or element, and reports true; or
// behind the closing bracket.
func (s *Scanner) next(closing byte) bool {
	i := skipSpace(s.data, s.at)
	if i < len(s.data) && s.data[i] == ',' {
		s.at = skipSpace(s.data, i+1)
		return true
	}
	switch {
	case i < len(s.data) && s.data[i] == closing:
		s.at = i + 1
	case closing == '}':
		s.fail(i, "expected a comma or a closing brace")
	default:
		s.fail(i, "expected a comma or a closing bracket")
	}
	return false
}

// name reads a member's name and its colon, up to the value.
func (s *Scanner) name() Quoted {
	if s.Peek() != '"' {
		s.fail(s.at, "expected a name in quotes")
		return Quoted{}
	}
	name := s.Text()
	i := skipSpace(s.data, s.at)
	if i >= len(s.data) || s.data[i] != ':' {
		s.fail(i, "expected a colon")
		return Quoted{}
	}
	s.at = skipSpace(s.data, i+1)
	return name
}

// scalar reads a value that is neither an object nor an array.
func (s *Scanner) scalar() {
	end, fault := skipScalar(s.data, s.at)
	if fault != "" {
		s.fail(end, fault)
		return
	}
	s.at = end
}

// fail keeps the first error and ends the text.
func (s *Scanner) fail(offset int, what string) {
	if s.err == nil {
		if offset = min(offset, len(s.data)); offset == len(s.data) {
			what = "unexpected end: " + what
		}
		s.err = &SyntaxError{Offset: offset, What: what}
	}
	s.at = len(s.data)
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

// closing is the byte that ends the innermost open array or object.
func (n *nesting) closing() byte {
	if word, bit := n.word(n.depth - 1); *word&bit != 0 {
		return '}'
	}
	return ']'
}

func (n *nesting) word(level int) (*uint64, uint64) {
	if level < 64 {
		return &n.first, 1 << level
	}
	return &n.rest[level/64-1], 1 << (level % 64)
}

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
