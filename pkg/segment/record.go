package segment

import (
	"strings"

	"github.com/sparrow-edge/sparrow/pkg/event"
)

// format is Context.Format of a record. The kind of message that the request's path
// names follows it, after the separator.
const (
	format    = "segment"
	separator = "/"
)

// Format is Context.Format of the messages that come to the path of a kind; ""
// is the path of batches.
func Format(kind string) string {
	if kind == "" {
		return format
	}
	return format + separator + kind
}

// Translate sets the record's translation when its data is a message. It does not
// change a record of another format, or one that cannot be read.
func Translate(r *event.Record) {
	name, kind, _ := strings.Cut(r.Context.Format, separator)
	if name != format || r.Context.Malformed != "" {
		return
	}
	if v, err := event.ParseValue(r.Data, event.MaxDepth); err == nil && v.Kind == event.Object {
		r.Translated = message{v.Fields}.translate(kind)
	}
}
