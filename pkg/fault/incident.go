package fault

import (
	"net/http"
	"time"
)

// Incident is one thing that went wrong: a vendor's or the warehouse's non-2xx
// answer, or an internal error. Its content is safe to show: whoever makes one
// has sanitised the payload and masked secrets.
type Incident struct {
	Component string // "lane", "loader", "journal", "dispatcher", ...
	Tracker   string // the tracker's name, "" outside a lane
	Class     string // groups like with like: "http 500", "timeout", "load batch"; low cardinality
	Err       error
	Time      time.Time

	Receipts []string // of the events concerned, at most 10
	Attempt  int      // 1 is the first

	// Of an exchange with a vendor or warehouse; zero otherwise.
	Method         string
	URL            string // without query or credentials
	RequestHeader  http.Header
	RequestBody    []byte // sanitised, at most 8 KiB
	Status         int
	ResponseHeader http.Header
	ResponseBody   []byte // at most 8 KiB
}

// Reporter takes reports of incidents. Report does not block for long and is safe
// for concurrent use.
type Reporter interface {
	Report(Incident)
}

// Report reports an incident that needs no more words than these to r, which may be
// nil.
func Report(r Reporter, component, class string, err error) {
	if r != nil {
		r.Report(Incident{Component: component, Class: class, Err: err, Time: time.Now()})
	}
}
