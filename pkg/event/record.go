package event

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// Record is one raw event as accepted: the exact bytes that the client sent and what
// the dispatcher saw of the request. It is what the journal keeps and what becomes a
// row of the raw table. Nothing in it is derived: Parse reads the event later.
type Record struct {
	// Receipt is set by the reader of the journal; it is not encoded.
	Receipt Receipt
	// Duplicate is set by a reader of the journal that uses the duplicate index;
	// it is not encoded.
	Duplicate bool
	// Translated is the event in Sparrow's own form, of a record with another
	// Context.Format. The reader of the journal sets it; it is nil where Data is
	// that event, and not encoded.
	Translated []byte

	ReceivedAt time.Time // when the dispatcher read it, microseconds, UTC
	Source     string    // name of the source whose key was used
	EventID    string    // the client's, or a UUIDv7 of the dispatcher's
	Data       []byte    // the event's bytes, as sent
	Context    Context
}

// Context is what the dispatcher saw of the request that carried a record.
// It becomes raw.context, as JSON.
type Context struct {
	IP        string    `json:"ip,omitempty"` // cut to /24 or /48 unless configured
	UserAgent string    `json:"userAgent,omitempty"`
	Origin    string    `json:"origin,omitempty"`
	Referrer  string    `json:"referrer,omitempty"`
	RequestID string    `json:"requestId,omitempty"`
	SentAt    time.Time `json:"sentAt,omitzero"`     // the client's clock when it sent the request
	Purpose   string    `json:"purpose,omitempty"`   // the Sec-Purpose header: prefetch;prerender
	Malformed string    `json:"malformed,omitempty"` // why the body is not JSON; Data is the whole body
	Invalid   string    `json:"invalid,omitempty"`   // the rule of the event contract it broke
	Encoding  string    `json:"encoding,omitempty"`  // "base64" in raw when Data is not UTF-8
	Format    string    `json:"format,omitempty"`    // the contract that Data follows, "" for Sparrow's own
}

// Usable reports whether the record is an event by the contract: neither
// malformed nor invalid. Only usable records are parsed or sent anywhere.
func (r *Record) Usable() bool { return r.Context.Malformed == "" && r.Context.Invalid == "" }

// Event returns the bytes of the record's event in Sparrow's own form.
func (r *Record) Event() []byte {
	if r.Translated != nil {
		return r.Translated
	}
	return r.Data
}

// The names under which records are counted that have none of their own.
const (
	NameMalformed = "(malformed)" // the body is not JSON
	NameInvalid   = "(invalid)"   // an event without a usable name
)

// CountedName reads the name under which a record's event is counted: its own
// name, or NameMalformed or NameInvalid. The loader of raw and the lanes use it,
// so that a name is the same in every table.
func CountedName(r *Record) string {
	if r.Context.Malformed != "" {
		return NameMalformed
	}
	if !utf8.Valid(r.Data) {
		return NameInvalid
	}
	name := ReadName(r.Event())
	if name == "" || len(name) > 4*MaxName || utf8.RuneCountInString(name) > MaxName || strings.IndexByte(name, 0) >= 0 {
		return NameInvalid
	}
	return name
}

// Batch is the content of one message of the journal's events stream.
type Batch struct {
	Records []Record // in order, receipts stamped
	// Next is the position of the message after this one.
	Next Position
	// Lost is how many messages before this one are missing or damaged since
	// the last batch of the same reader; it is 0 on a sound journal.
	Lost uint64
}

// The encoding of a record: a version byte, then fields in this order, where
// "str" is a uvarint length and that many bytes:
//
//	version     byte     1; 2 with a format
//	receivedAt  varint   microseconds since 1970
//	source      str
//	eventId     str
//	sentAt      varint   microseconds since 1970, 0 for none
//	ip, userAgent, origin, referrer, requestId, purpose, malformed, invalid, encoding   str each
//	format      str      in version 2 only
//	data        str
//
// A record of Sparrow's own format has version 1, which releases that know no
// other can read.
const (
	recordVersion          = 1
	recordVersionFormatted = 2
)

// ErrCorrupt is wrapped by every decoding error of this package: the bytes are
// not what the encoder wrote.
var ErrCorrupt = errors.New("corrupt encoding")

// texts are the strings that every version has, in the encoding's order.
func (c *Context) texts() [9]*string {
	return [...]*string{&c.IP, &c.UserAgent, &c.Origin, &c.Referrer, &c.RequestID, &c.Purpose, &c.Malformed, &c.Invalid, &c.Encoding}
}

// AppendBinary appends the record's encoding to b. The error is always nil; it
// is there for encoding.BinaryAppender.
func (r *Record) AppendBinary(b []byte) ([]byte, error) {
	c := &r.Context
	version := byte(recordVersion)
	if c.Format != "" {
		version = recordVersionFormatted
	}
	b = append(b, version)
	b = appendTime(b, r.ReceivedAt)
	b = appendString(b, r.Source)
	b = appendString(b, r.EventID)
	b = appendTime(b, c.SentAt)
	for _, s := range c.texts() {
		b = appendString(b, *s)
	}
	if c.Format != "" {
		b = appendString(b, c.Format)
	}
	return appendString(b, r.Data), nil
}

// UnmarshalBinary decodes what AppendBinary wrote. Data aliases b, which must
// not change afterwards. Receipt, Duplicate and Translated are
// left as they are.
func (r *Record) UnmarshalBinary(b []byte) error {
	d := NewBinaryReader(b)
	version := d.Byte()
	if d.err == nil && version != recordVersion && version != recordVersionFormatted {
		return fmt.Errorf("decode record: version %d: %w", version, ErrCorrupt)
	}
	c := &r.Context
	r.ReceivedAt = d.Time()
	r.Source = d.Text()
	r.EventID = d.Text()
	c.SentAt = d.Time()
	for _, s := range c.texts() {
		*s = d.Text()
	}
	if c.Format = ""; version == recordVersionFormatted {
		c.Format = d.Text()
	}
	r.Data = d.Bytes()
	if err := d.Finish(); err != nil {
		return fmt.Errorf("decode record: %w", err)
	}
	return nil
}
