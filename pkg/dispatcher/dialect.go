package dispatcher

import (
	"net/http"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/segment"
)

// dialect is an API that the clients of a path use: what their bodies look like,
// and which answers they understand.
type dialect struct {
	format string // Context.Format of its records
	// list is the member, quoted, whose array is a batch. A body with the member
	// single, "" for none, is one event even if it has a list.
	list, single string
	inspect      func(data []byte) (segment.Message, error)
	accepted     func(b []byte, elements []element) []byte // the answer
	// foreign: the clients are other vendors' SDKs, see the package documentation.
	foreign bool
}

// sparrow is the dialect of Sparrow's own API.
var sparrow = dialect{
	list: `"events"`, single: `"event"`, accepted: appendAccepted,
	inspect: func(data []byte) (segment.Message, error) {
		id, err := event.Inspect(data)
		return segment.Message{EventID: id}, err
	},
}

// segmentPaths are the paths of Segment's API below /v1, and the kind of message
// that each receives; "" is a batch. Its browser SDK uses the short ones.
var segmentPaths = map[string]string{
	"track": "track", "page": "page", "screen": "screen", "identify": "identify", "group": "group", "alias": "alias",
	"t": "track", "p": "page", "s": "screen", "i": "identify", "g": "group", "a": "alias",
	"batch": "", "b": "", "import": "",
}

// segmentDialect is Segment's dialect at the path of a kind of message.
func segmentDialect(kind string) *dialect {
	return &dialect{
		format: segment.Format(kind), list: `"batch"`, accepted: appendSuccess, foreign: true,
		inspect: func(data []byte) (segment.Message, error) { return segment.Inspect(data, kind) },
	}
}

// adapt maps 408 to 503 for foreign clients, because these SDKs drop events on 408.
func (s *dialect) adapt(f *refusal) *refusal {
	if s.foreign && f.status == http.StatusRequestTimeout {
		f.status, f.after = http.StatusServiceUnavailable, time.Second
	}
	return f
}
