package dispatcher

import (
	"bytes"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/segment"
)

// element is one event of a body: where its bytes are, and the result of its check.
type element struct {
	start, end int
	segment.Message
	fault    string // the rule it broke, "" for none
	encoding string // Context.Encoding
}

// batch is the content of a body.
type batch struct {
	elements []element // at most one more than was asked for
	count    int       // of all elements
	sentAt   time.Time
	key      string // the write key beside the elements, "" for none
}

// split finds the events of a body, in one of its forms (see the package
// documentation), and checks the contract of those that are no longer than
// maxEvent. It returns no more than most+1 elements but counts all. The error says
// why the body is not JSON.
func (s *dialect) split(body []byte, into []element, most, maxEvent int) (batch, error) {
	scan := event.NewScanner(body)
	if scan.Peek() == '{' && s.single != "" {
		if found, err := s.inspect(body); err == nil {
			whole := element{start: scan.Offset(), end: len(bytes.TrimRight(body, " \n\t\r")), Message: found}
			return batch{elements: append(into, whole), count: 1}, nil
		}
	}
	b, err := s.splitForm(&scan, body, into, most)
	if err != nil {
		return batch{}, err
	}
	for i := range b.elements {
		s.inspectElement(&b.elements[i], body, maxEvent)
	}
	return b, nil
}

// inspectElement checks an element's contract. One that is too long is not read: its
// request will be refused.
func (s *dialect) inspectElement(e *element, body []byte, maxEvent int) {
	if e.end-e.start > maxEvent {
		return
	}
	data := body[e.start:e.end]
	var err error
	if e.Message, err = s.inspect(data); err != nil {
		e.fault, e.encoding = err.Error(), encodingOf(data)
	}
}

// encodingOf is Context.Encoding: how the warehouse writes the data.
func encodingOf(data []byte) string {
	if utf8.Valid(data) {
		return ""
	}
	return "base64"
}

// splitForm reads the whole body and finds the bytes of its events.
func (s *dialect) splitForm(scan *event.Scanner, body []byte, into []element, most int) (batch, error) {
	start, b, form := scan.Offset(), batch{elements: into}, false
	switch scan.Peek() {
	case '[':
		b.list(scan, most)
		form = true
	case '{':
		form = b.envelope(s, scan, body, most)
	default:
		scan.Skip()
	}
	if !form {
		b.elements, b.count = append(into, element{start: start, end: scan.Offset()}), 1
	}
	return b, scan.End("more after the first value (send several events as an array)")
}

// list adds the elements of the array at hand.
func (b *batch) list(scan *event.Scanner, most int) {
	for range scan.Elements {
		start := scan.Offset()
		scan.Skip()
		if b.count++; b.count <= most+1 {
			b.elements = append(b.elements, element{start: start, end: scan.Offset()})
		}
	}
}

// envelope reads the object at hand and reports whether it has the third form:
// one member that is the dialect's list, an array, and none that is a single
// event. It adds the list's elements. It keeps sentAt and writeKey also of an
// object that has another form: a single message of Segment's API has them, too.
func (b *batch) envelope(s *dialect, scan *event.Scanner, body []byte, most int) bool {
	lists, ok := 0, true
	for name := range scan.Members {
		quoted, start := body[name.Start:name.End], scan.Offset()
		if string(quoted) == s.list {
			lists++
			if lists == 1 && scan.Peek() == '[' {
				b.list(scan, most)
				continue
			}
			ok = false
		}
		scan.Skip()
		if !ok || scan.Err() != nil {
			continue
		}
		switch value := body[start:scan.Offset()]; string(quoted) {
		case s.single:
			ok = false
		case `"sentAt"`:
			b.sentAt = sentTime(value)
		case `"writeKey"`:
			b.key = keyText(value)
		}
	}
	return ok && lists == 1
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

// clientClock reads the query's t, milliseconds since 1970 by the client's clock. It is
// the zero time when t is not a time before the year 10000.
func clientClock(t string) time.Time {
	ms, err := strconv.ParseUint(t, 10, 48)
	if err != nil || ms == 0 || ms >= endOfYears {
		return time.Time{}
	}
	return time.UnixMilli(int64(ms)).UTC()
}

// endOfYears is the year 10000, which RFC 3339 cannot write, in milliseconds.
const endOfYears = 253_402_300_800_000
