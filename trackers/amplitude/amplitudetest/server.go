// Package amplitudetest is a strict stand-in for Amplitude's HTTP V2 and Batch
// APIs. It checks every request against the documented rules
// (amplitude/amplitude-docs: http-v2, batch-event-upload), answers with the
// documented bodies, refuses a request as a whole, and drops repeats by device_id
// and insert_id. It knows nothing of package amplitude: the rules are written down
// a second time on purpose.
package amplitudetest

import (
	"cmp"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/tracker/vendortest"
)

// Options is what a Server needs beside the rules.
type Options struct {
	// APIKey is the key that is valid; "" accepts any.
	APIKey string
	// Log also gets each accepted event as a line of JSON; nil for none.
	Log io.Writer
	// Now is the clock for the limit of 30 (HTTP V2) or 1,000 (Batch) events a
	// second for one user or device, over 30 seconds, for Batch's daily quota and for
	// the updates of a user's properties; nil leaves those rules out.
	Now func() time.Time
	// DailyQuota is how many events Batch accepts for one user or device in 24 hours; 0
	// is Amplitude's 500,000.
	DailyQuota int
	// Starter checks requests against what is advised for the Starter plan.
	Starter bool
	// FirstOnly makes a 400 name only the first event of each kind of fault, as
	// the HTTP V2 page says.
	FirstOnly bool
}

// Server is the stand-in: an http.Handler for /2/httpapi and /batch.
type Server struct {
	// Faults ordered here are met by every request.
	Faults vendortest.Faults
	// Taken is the accepted events, each once by its device_id and insert_id.
	Taken *vendortest.Log
	// Violations is every rule that a request broke, as its answer said it.
	Violations vendortest.Violations
	// Seen counts the repeats that were dropped.
	Seen vendortest.Seen

	options Options
	mux     *http.ServeMux

	mu       sync.Mutex
	verdicts map[string]Limit // by user or device id

	rates, daily, updates, starter *counter
}

// Limit is what the stand-in is told to hold against a user or device.
type Limit uint8

// The limits of Server.Limit.
const (
	NoLimit   Limit = iota
	Throttled       // sends too much: 429 until it is told otherwise
	OverQuota       // has used up its day: 429
	Silenced        // is silenced: 400; devices only
)

// New makes a Server.
func New(o Options) *Server {
	s := &Server{
		Taken: vendortest.NewLog(o.Log), options: o, mux: http.NewServeMux(),
		verdicts: map[string]Limit{},
		rates:    newCounter(rateSpan, o.Now), daily: newCounter(24*time.Hour, o.Now), updates: newCounter(time.Hour, o.Now), starter: newCounter(time.Second, o.Now),
	}
	quota := cmp.Or(o.DailyQuota, dailyQuota)
	s.mux.Handle("/2/httpapi", s.Faults.Wrap(s.upload(limits{events: 1999, bytes: 1_000_000 - 1, perSecond: 30, userAgent: true})))
	s.mux.Handle("/batch", s.Faults.Wrap(s.upload(limits{events: 2000, bytes: 20_000_000, perSecond: 1000, daily: quota})))
	s.mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, answer{Code: http.StatusBadRequest, Error: "Invalid request path"})
	})
	return s
}

// ServeHTTP answers as the vendor does.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// Limit applies a limit to a user or device id from now on.
func (s *Server) Limit(id string, l Limit) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.verdicts[id] = l
}

// limits is what differs between the two APIs.
type limits struct {
	events, bytes, perSecond int
	daily                    int  // events of one user or device in 24 hours; 0 is no limit
	userAgent                bool // whether the page lists user_agent
}

func (s *Server) upload(l limits) http.Handler {
	return vendortest.Body(func(w http.ResponseWriter, r *http.Request, body []byte) {
		reply(w, s.judge(r, body, l))
	})
}

// judge decides on a whole request, and accepts its events if nothing is wrong.
func (s *Server) judge(r *http.Request, body []byte, l limits) answer {
	sent, a := s.read(r, body, l)
	if a.Code == http.StatusOK {
		a = s.checkEvents(sent, l)
	}
	if a.Code == http.StatusOK {
		a = s.limit(sent, l)
	}
	if a.Code != http.StatusOK {
		if a.Code != http.StatusTooManyRequests {
			s.Violations.Add(a.violation())
		}
		return a
	}
	for _, e := range sent.Events {
		if key := e.text("device_id") + "\x00" + e.text("insert_id"); e.text("insert_id") == "" || s.Seen.Add(key) {
			s.Taken.Add(vendortest.Entry{
				Key: e.text("insert_id"), Name: e.text("event_type"), Device: e.text("device_id"), User: e.text("user_id"), Data: e.raw,
			})
		}
	}
	a.Ingested, a.Size, a.UploadTime = len(sent.Events), len(body), 1396381378123
	return a
}

// read checks what is around the events.
func (s *Server) read(r *http.Request, body []byte, l limits) (upload, answer) {
	bad := func(text, missing string) answer {
		return answer{Code: http.StatusBadRequest, Error: text, MissingField: missing}
	}
	var sent upload
	switch {
	case len(body) > l.bytes:
		return sent, answer{Code: http.StatusRequestEntityTooLarge, Error: "Payload too large"}
	case r.Method != http.MethodPost:
		return sent, bad("Invalid request path", "")
	case len(body) == 0:
		return sent, bad("Missing request body", "")
	case !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json"), vendortest.Decode(body, &sent) != nil, repeats(body):
		return sent, bad("Invalid JSON request body", "")
	case sent.APIKey == "":
		return sent, bad("Request missing required field", "api_key")
	case s.options.APIKey != "" && sent.APIKey != s.options.APIKey:
		return sent, bad("Invalid API key", "")
	case len(sent.Events) == 0:
		return sent, bad("Request missing required field", "events")
	case len(sent.Events) > l.events:
		return sent, answer{Code: http.StatusRequestEntityTooLarge, Error: "Payload too large"}
	}
	return sent, answer{Code: http.StatusOK}
}

// answer is every documented body.
type answer struct {
	Code         int    `json:"code"`
	Error        string `json:"error,omitempty"`
	MissingField string `json:"missing_field,omitempty"`
	Ingested     int    `json:"events_ingested,omitempty"`
	Size         int    `json:"payload_size_bytes,omitempty"`
	UploadTime   int64  `json:"server_upload_time,omitempty"`

	InvalidFields    map[string][]int `json:"events_with_invalid_fields,omitempty"`
	MissingFields    map[string][]int `json:"events_with_missing_fields,omitempty"`
	InvalidIDLengths map[string][]int `json:"events_with_invalid_id_lengths,omitempty"`

	EPSThreshold     int            `json:"eps_threshold,omitempty"`
	ThrottledUsers   map[string]int `json:"throttled_users,omitempty"`
	ThrottledDevices map[string]int `json:"throttled_devices,omitempty"`
	ThrottledEvents  []int          `json:"throttled_events,omitempty"`
	SilencedDevices  []string       `json:"silenced_devices,omitempty"`
	SilencedEvents   []int          `json:"silenced_events,omitempty"`
	QuotaUsers       map[string]int `json:"exceeded_daily_quota_users,omitempty"`
	QuotaDevices     map[string]int `json:"exceeded_daily_quota_devices,omitempty"`
}

func (a answer) violation() vendortest.Violation {
	detail, err := json.Marshal(a)
	if err != nil {
		detail = []byte(err.Error())
	}
	return vendortest.Violation{Rule: a.Error, Detail: string(detail)}
}

// repeats reports whether a name appears twice in one object.
func repeats(body []byte) bool {
	_, found := vendortest.Repeated(body)
	return found
}

func reply(w http.ResponseWriter, a answer) { vendortest.ReplyJSON(w, a.Code, a) }
