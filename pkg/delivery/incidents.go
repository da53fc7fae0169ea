package delivery

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/fault"
	"github.com/sparrow-edge/sparrow/pkg/tracker"
)

const (
	component       = "lane"
	maxReceipts     = 10
	maxIncidentBody = 8 << 10
)

// shownHeaders are the headers of a round trip that an incident may show: none
// of them carries a credential or personal data.
var shownHeaders = [...]string{
	"Content-Type", "Content-Encoding", "Content-Length", "User-Agent", "Date", "Server",
	"Retry-After", "X-Request-Id", "Request-Id",
}

// recordRoundTrip counts a call's round trip, and reports it when it failed.
func (s *sender) recordRoundTrip(c *call) {
	x := &c.roundTrip
	if x.refused == nil {
		s.metrics.request(x.response.Status, x.latency)
	}
	if x.response.Err == nil && x.response.Status >= 200 && x.response.Status < 300 && x.refused == nil {
		return
	}
	class, err := classify(x)
	s.incidents.reportRoundTrip(class, err, c)
}

// incidents reports what goes wrong in one lane.
type incidents struct {
	reporter fault.Reporter
	tracker  string
	client   *client // cleans what was sent
	epoch    string
}

// reportRoundTrip reports an incident of a call's round trip.
func (r *incidents) reportRoundTrip(class string, err error, c *call) {
	req, x := &c.request, &c.roundTrip
	incident := fault.Incident{
		Component: component, Tracker: r.tracker, Class: class, Err: err, Time: time.Now(),
		Method: req.Method, URL: r.client.mask(req.URL),
		RequestHeader: shown(req.Header), RequestBody: []byte(event.Truncate(r.client.clean(req.Body), maxIncidentBody)),
		Status: x.response.Status, ResponseHeader: shown(x.response.Header), ResponseBody: x.shownResponse(),
	}
	for i, it := range c.items {
		incident.Attempt = max(incident.Attempt, it.attempts+1)
		if i < maxReceipts {
			incident.Receipts = append(incident.Receipts, r.receipt(it))
		}
	}
	r.reporter.Report(incident)
}

func (r *incidents) receipt(it *item) string {
	return fmt.Sprintf("%s-%s", r.epoch, it.position)
}

// report reports an internal error: one that is not a vendor's.
func (r *incidents) report(class string, err error) {
	r.reporter.Report(fault.Incident{
		Component: component, Tracker: r.tracker, Class: class, Err: err, Time: time.Now(), Attempt: 1,
	})
}

// classify groups a failed round trip with its like.
func classify(x *roundTrip) (class string, err error) {
	switch {
	case x.refused != nil:
		return "refused", x.refused
	case x.response.Err != nil:
		return transportClass(x.response.Err), x.response.Err
	default:
		return fmt.Sprintf("http %d", x.response.Status), errors.New(tracker.StatusReason(x.response.Status))
	}
}

func transportClass(err error) string {
	var dns *net.DNSError
	var timeout interface{ Timeout() bool }
	var record tls.RecordHeaderError
	var certificate *tls.CertificateVerificationError
	var authority x509.UnknownAuthorityError
	switch {
	case errors.As(err, &dns):
		return "name resolution"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "timeout"
	case errors.Is(err, context.Canceled):
		return "cancelled"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "connection reset"
	case errors.As(err, &record), errors.As(err, &certificate), errors.As(err, &authority):
		return "tls"
	case strings.Contains(err.Error(), "EOF"), strings.Contains(err.Error(), "closed"):
		return "connection closed"
	default:
		return "transport"
	}
}

// mask is a URL without its query.
func (c *client) mask(raw string) string {
	masked, _, _ := strings.Cut(tracker.MaskURL(raw), "?")
	return c.redact(masked)
}

func shown(header http.Header) http.Header {
	kept := make(http.Header)
	for _, name := range shownHeaders {
		if values := header.Values(name); len(values) > 0 {
			kept[name] = values
		}
	}
	return kept
}
