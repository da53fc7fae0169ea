package dispatcher

import (
	"net/http"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/segment"
)

// dialect is how the clients of a path speak: what their bodies look like, and
// what answer they understand.
type dialect struct {
	format string // Context.Format of its records
	// list is the member, quoted, whose array is a batch; single is the member
	// with which a body is one event all the same, "" for none.
	list, single string
	inspect      func(data []byte) (inspected, error)
	accepted     func(b []byte, elements []element) []byte // the answer
	// foreign: the clients are another's SDKs. They give their key by Basic
	// authentication or in the body, name any Content-Type (RudderStack's for
	// Node that of a form), ask leave for headers of their own, and give an event
	// up that is answered 408.
	foreign bool
}

// inspected is what the dispatcher knows of an event.
type inspected struct {
	eventID string
	sentAt  time.Time // zero: the request's holds
	key     string    // the write key in it, "" for none
}

// sparrow is the dialect of Sparrow's own API.
var sparrow = dialect{
	list: `"events"`, single: `"event"`, accepted: appendAccepted,
	inspect: func(data []byte) (inspected, error) {
		summary, err := event.Inspect(data)
		return inspected{eventID: summary.EventID}, err
	},
}

// segmentPaths are the paths of Segment's API below /v1, and what kind of message
// comes to each; "" is a batch. The short ones are those of its browser SDK.
var segmentPaths = map[string]string{
	"track": "track", "page": "page", "screen": "screen", "identify": "identify", "group": "group", "alias": "alias",
	"t": "track", "p": "page", "s": "screen", "i": "identify", "g": "group", "a": "alias",
	"batch": "", "b": "", "import": "",
}

// segmentDialect is Segment's, at the path of a kind of message.
func segmentDialect(kind string) *dialect {
	return &dialect{
		format: segment.Format(kind), list: `"batch"`, accepted: appendSuccess, foreign: true,
		inspect: func(data []byte) (inspected, error) {
			m, err := segment.Inspect(data, kind)
			return inspected{eventID: m.EventID, sentAt: m.SentAt, key: m.WriteKey}, err
		},
	}
}

// understood is a refusal as the dialect's clients act on it rightly.
func (s *dialect) understood(f *refusal) *refusal {
	if s.foreign && f.status == http.StatusRequestTimeout {
		f.status, f.after = http.StatusServiceUnavailable, time.Second
	}
	return f
}
