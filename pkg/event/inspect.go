package event

import (
	"bytes"
	"errors"
	"strconv"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// The limits of the event contract, in characters (Unicode code points) where
// nothing else is said. They also stand in api/event.schema.json.
const (
	MaxName    = 200 // of event
	MaxID      = 256 // of deviceId and userId
	MaxEventID = 128 // of eventId
	MaxDepth   = 64  // objects and arrays within each other; the event itself is the first
)

// Inspect checks an event's bytes against the contract in one pass, and returns the
// client's id of the event, or "" when there is none that follows the contract:
//
//   - a JSON object in valid UTF-8, without duplicate names at any level,
//     nested at most MaxDepth deep, no name with a NUL character;
//   - event: a string of 1 to MaxName characters; deviceId: a string of 1 to MaxID;
//   - userId, optional: a string of at most MaxID characters (a number is
//     refused: ids beyond 2^53 do not survive most clients);
//   - eventId, optional: a string of 1 to MaxEventID printable characters
//     (letters, marks, numbers, punctuation, symbols, and the ASCII space);
//   - timestamp, optional: an RFC 3339 time, its T and Z in upper case;
//   - properties and context, optional: objects.
//
// An optional field that is null counts as absent. Event, deviceId and userId
// have no NUL character. Other fields are allowed and kept. properties and context
// may contain anything: Parse is lenient with them.
//
// The error names the first rule that was broken and where ("properties.a:
// duplicate name") and never quotes a value; it is a *SyntaxError when the
// bytes are not one JSON value. A broken rule does not hide the event's id.
func Inspect(data []byte) (eventID string, err error) {
	in := inspector{Scanner: NewScanner(data), validUTF8: utf8.Valid(data)}
	err = in.whole()
	return in.eventID, err
}

// InspectObject checks the first rule of Inspect alone, which counts for every
// format: one JSON object in valid UTF-8, without duplicate names, nested at
// most MaxDepth deep, no name with a NUL character. The error is as Inspect's.
func InspectObject(data []byte) error {
	in := inspector{Scanner: NewScanner(data), validUTF8: utf8.Valid(data), anyMembers: true}
	return in.whole()
}

// inspector is one pass over an event. It lives on the stack: an ordinary event
// costs no allocation beyond its id.
type inspector struct {
	Scanner
	validUTF8  bool // the whole input
	anyMembers bool // the members are another format's

	path  [MaxDepth]step // to the value at hand
	depth int            // steps of path in use
	names nameStack      // of the open objects' members

	fault              string // the first broken rule
	eventID            string
	hasName, hasDevice bool
}

// whole checks all of the data.
func (in *inspector) whole() error {
	object := in.Peek() == '{'
	in.value()
	if err := in.End("more after the value"); err != nil {
		return err
	}
	switch {
	case !object:
		in.fault = "must be a JSON object"
	case in.fault != "" || in.anyMembers:
	case !in.hasName:
		in.fault = "event: required"
	case !in.hasDevice:
		in.fault = "deviceId: required"
	}
	if in.fault == "" {
		return nil
	}
	return errors.New(in.fault)
}

// value checks the value at hand.
func (in *inspector) value() {
	switch c := in.Peek(); c {
	case '{', '[':
		if in.depth == MaxDepth {
			in.report("nested deeper than 64 levels")
			in.Skip()
			return
		}
		at := &in.path[in.depth]
		*at = step{}
		in.depth++
		if c == '{' {
			in.object(at)
		} else {
			for at.index = range in.Elements {
				in.value()
			}
		}
		in.depth--
	case '"':
		if text := in.Text(); !in.validUTF8 && !utf8.Valid(in.data[text.Start:text.End]) {
			in.report("invalid UTF-8")
		}
	default:
		in.scalar()
	}
}

// object checks the object at hand, whose step of the path is at.
func (in *inspector) object(at *step) {
	members := in.names.open()
	for at.name = range in.Members {
		name := in.data[at.name.Start+1 : at.name.End-1]
		if !in.validUTF8 && !utf8.Valid(name) {
			in.report("invalid UTF-8 in the name")
		}
		if at.name.Escaped {
			name = unquote(in.data[at.name.Start:at.name.End])
			if bytes.IndexByte(name, 0) >= 0 {
				in.report("NUL character in the name")
			}
		}
		if !in.names.add(&members, name) {
			in.report("duplicate name")
		}
		start := in.at
		in.value()
		if in.depth == 1 && !in.anyMembers && in.err == nil {
			in.field(name, in.data[start:in.at])
		}
	}
	in.names.drop(members)
}

// field checks a member of the event itself.
func (in *inspector) field(name, value []byte) {
	absent := string(value) == "null"
	switch string(name) {
	case "event":
		in.hasName = true
		in.text(value, 1, MaxName)
	case "deviceId":
		in.hasDevice = true
		in.text(value, 1, MaxID)
	case "userId":
		if !absent {
			in.text(value, 0, MaxID)
		}
	case "eventId":
		if !absent {
			in.id(value)
		}
	case "timestamp":
		if !absent {
			in.timestamp(value)
		}
	case "properties", "context":
		if !absent && value[0] != '{' {
			in.report("must be an object")
		}
	}
}

// text checks a string's length and that it has no NUL; it returns the decoded
// string, or false after it reported a fault.
func (in *inspector) text(value []byte, least, most int) ([]byte, bool) {
	if value[0] != '"' {
		in.report("must be a string")
		return nil, false
	}
	s := value[1 : len(value)-1]
	if bytes.IndexByte(s, '\\') >= 0 {
		s = unquote(value)
	}
	switch {
	case len(s) < least:
		in.report("must not be empty")
	case len(s) > most && utf8.RuneCount(s) > most:
		in.report("longer than " + strconv.Itoa(most) + " characters")
	case bytes.IndexByte(s, 0) >= 0:
		in.report("NUL character")
	default:
		return s, true
	}
	return nil, false
}

func (in *inspector) id(value []byte) {
	s, ok := in.text(value, 1, MaxEventID)
	if !ok || in.eventID != "" || !utf8.Valid(s) {
		return
	}
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			if c < ' ' || c == 0x7f {
				in.report("has a character that is not printable")
				return
			}
			i++
			continue
		}
		r, size := utf8.DecodeRune(s[i:])
		if !unicode.IsPrint(r) {
			in.report("has a character that is not printable")
			return
		}
		i += size
	}
	in.eventID = string(s)
}

func (in *inspector) timestamp(value []byte) {
	s, ok := in.text(value, 0, MaxID)
	if !ok {
		return
	}
	var t time.Time
	if !timeShape(s) || t.UnmarshalText(s) != nil {
		in.report("must be an RFC 3339 time, such as 2026-01-31T12:00:00Z")
	}
}

// timeShape checks the places of the digits and signs of an RFC 3339 time, about which
// package time is lenient. That package then checks the numbers.
func timeShape(s []byte) bool {
	const date = "0000-00-00T00:00:00"
	if len(s) <= len(date) || !matches(s[:len(date)], date) {
		return false
	}
	s = s[len(date):]
	if s[0] == '.' {
		end := skipDigits(s, 1)
		if end == 1 {
			return false
		}
		s = s[end:]
	}
	if len(s) == 1 {
		return s[0] == 'Z'
	}
	const offset = "+00:00"
	return len(s) == len(offset) && (s[0] == '+' || s[0] == '-') && matches(s[1:], offset[1:]) &&
		string(s[1:3]) < "24" && string(s[4:]) < "60"
}

// matches reports whether s, as long as the pattern, has digits where that has
// zeros and is the same elsewhere.
func matches(s []byte, pattern string) bool {
	for i, c := range s {
		if digit := '0' <= c && c <= '9'; digit != (pattern[i] == '0') || !digit && c != pattern[i] {
			return false
		}
	}
	return true
}

// unquote decodes a JSON string. An escaped half of a surrogate pair, which
// browsers write where text was cut within an emoji, becomes U+FFFD.
func unquote(quoted []byte) []byte {
	s, _ := jsontext.AppendUnquote(nil, quoted)
	return s
}

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

// nameStack has the decoded names of the members of all open objects, the innermost
// object's last, to find duplicates.
type nameStack struct {
	names [32][]byte
	count int
}

// nameSet is one object's names: those from first on in the stack or, of an
// object with many members, an index, so that the cost stays linear.
type nameSet struct {
	first int
	index map[string]struct{}
}

func (s *nameStack) open() nameSet { return nameSet{first: s.count} }

func (s *nameStack) drop(set nameSet) { s.count = set.first }

// add puts a name into the innermost open object's set and reports whether it
// is new there.
func (s *nameStack) add(set *nameSet, name []byte) bool {
	if set.index == nil {
		for _, other := range s.names[set.first:s.count] {
			if bytes.Equal(other, name) {
				return false
			}
		}
		if s.count < len(s.names) {
			s.names[s.count] = name
			s.count++
			return true
		}
		set.index = make(map[string]struct{}, 2*len(s.names))
		for _, other := range s.names[set.first:s.count] {
			set.index[string(other)] = struct{}{}
		}
	}
	if _, found := set.index[string(name)]; found {
		return false
	}
	set.index[string(name)] = struct{}{}
	return true
}
