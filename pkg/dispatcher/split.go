package dispatcher

import (
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/sparrow-edge/sparrow/pkg/event"
)

// element is one event of a body: where its bytes are, and what its contract says.
type element struct {
	start, end int
	inspected
	fault  string // the rule it broke, "" for none
	binary bool   // its bytes are not UTF-8
}

// batch is what a body holds.
type batch struct {
	elements []element // at most one more than was asked for
	count    int       // of all elements
	sentAt   time.Time
	key      string // the write key that stands beside the elements, "" for none
}

// split finds the events of a body, in one of its forms (see the package
// documentation), and checks the contract of those that are no longer than
// maxEvent. It looks at no more than most+1 elements but counts all. The error
// says why the body is not JSON.
func (s *dialect) split(body []byte, into []element, most, maxEvent int) (batch, error) {
	start := event.SkipSpace(body, 0)
	if start < len(body) && body[start] == '{' && s.single != "" {
		if found, err := s.inspect(body); err == nil {
			whole := element{start: start, end: trimmedEnd(body), inspected: found}
			return batch{elements: append(into, whole), count: 1}, nil
		}
	}
	b, err := s.splitForm(body, start, into, most)
	if err != nil {
		return batch{}, err
	}
	for i := range b.elements {
		s.inspectElement(&b.elements[i], body, maxEvent)
	}
	return b, nil
}

// inspectElement checks an element's contract. One that is too long is left
// alone: it will be refused.
func (s *dialect) inspectElement(e *element, body []byte, maxEvent int) {
	if e.end-e.start > maxEvent {
		return
	}
	data := body[e.start:e.end]
	found, err := s.inspect(data)
	e.inspected = found
	if err != nil {
		e.fault = err.Error()
		e.binary = !utf8.Valid(data)
	}
}

func (s *dialect) splitForm(body []byte, start int, into []element, most int) (batch, error) {
	if start < len(body) && body[start] == '[' {
		b := batch{elements: into}
		end, err := b.list(body, start, most)
		if err != nil {
			return batch{}, err
		}
		return b, atEnd(body, end)
	}
	end, err := event.SkipValue(body, start)
	if err != nil {
		return batch{}, err
	}
	if err := atEnd(body, end); err != nil {
		return batch{}, err
	}
	b := batch{elements: into}
	if list, ok := b.envelope(s, body, start); ok {
		_, err := b.list(body, list, most)
		return b, err
	}
	b.elements, b.count = append(into, element{start: start, end: end}), 1
	return b, nil
}

// list adds the elements of the array that starts at i, and returns its end.
func (b *batch) list(body []byte, i, most int) (int, error) {
	i = event.SkipSpace(body, i+1)
	if i < len(body) && body[i] == ']' {
		return i + 1, nil
	}
	for {
		end, err := event.SkipValue(body, i)
		if err != nil {
			return end, err
		}
		if b.count++; b.count <= most+1 {
			b.elements = append(b.elements, element{start: i, end: end})
		}
		i = event.SkipSpace(body, end)
		switch {
		case i < len(body) && body[i] == ',':
			i = event.SkipSpace(body, i+1)
		case i < len(body) && body[i] == ']':
			return i + 1, nil
		default:
			return i, &event.SyntaxError{Offset: i, What: "expected a comma or a closing bracket"}
		}
	}
}

// envelope looks for the third form in a value whose syntax is known to be
// sound: an object with one member that is the dialect's list, an array, and
// without the one of a single event. It returns where the array starts, and
// notes sentAt and writeKey.
func (b *batch) envelope(s *dialect, body []byte, i int) (list int, ok bool) {
	if body[i] != '{' {
		return 0, false
	}
	i = event.SkipSpace(body, i+1)
	found := 0
	for body[i] != '}' {
		nameEnd, err := event.SkipValue(body, i)
		if err != nil {
			return 0, false
		}
		name := string(body[i:nameEnd])
		value := event.SkipSpace(body, event.SkipSpace(body, nameEnd)+1) // after the colon
		end, err := event.SkipValue(body, value)
		if err != nil {
			return 0, false
		}
		switch name {
		case s.single:
			return 0, false
		case s.list:
			if found++; found > 1 || body[value] != '[' {
				return 0, false
			}
			list = value
		case `"sentAt"`:
			b.sentAt = sentTime(body[value:end])
		case `"writeKey"`:
			b.key = keyText(body[value:end])
		}
		if i = event.SkipSpace(body, end); body[i] == ',' {
			i = event.SkipSpace(body, i+1)
		}
	}
	return list, found == 1
}

// sentTime reads sentAt; it is the zero time when that is not an RFC 3339 time.
func sentTime(value []byte) time.Time {
	var t time.Time
	if len(value) < 2 || t.UnmarshalText(value[1:len(value)-1]) != nil {
		return time.Time{}
	}
	return t.UTC()
}

// keyText reads writeKey. No key needs an escape.
func keyText(value []byte) string {
	if len(value) < 2 || value[0] != '"' {
		return ""
	}
	return string(value[1 : len(value)-1])
}

// clientClock reads the query's t, milliseconds since 1970 by the client's
// clock; it is the zero time when that is none before the year 10000.
func clientClock(t string) time.Time {
	ms, err := strconv.ParseUint(t, 10, 48)
	if err != nil || ms == 0 || ms >= endOfYears {
		return time.Time{}
	}
	return time.UnixMilli(int64(ms)).UTC()
}

// endOfYears is the year 10000, which RFC 3339 cannot write, in milliseconds.
const endOfYears = 253_402_300_800_000

func atEnd(body []byte, i int) error {
	if i = event.SkipSpace(body, i); i < len(body) {
		return &event.SyntaxError{Offset: i, What: "more after the first value (send several events as an array)"}
	}
	return nil
}

func trimmedEnd(body []byte) int {
	end := len(body)
	for end > 0 && (body[end-1] == ' ' || body[end-1] == '\n' || body[end-1] == '\t' || body[end-1] == '\r') {
		end--
	}
	return end
}
