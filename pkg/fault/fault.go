// Package fault is the shared vocabulary of what to do about an error.
//
// A plain error may be tried again. The dangerous claims are explicit: an error
// marked Permanent will not get better by trying again, and one marked with
// After must not be tried again sooner. The marks survive wrapping.
//
// Incident is the one form in which any part of Sparrow tells what went wrong
// to whoever listens (Sentry, or the log).
package fault

import (
	"errors"
	"fmt"
	"net/http"
	"time"
)

type permanent struct{ error }

func (p permanent) Unwrap() error { return p.error }

// Permanent marks err: trying again cannot help. It returns nil for nil.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return permanent{err}
}

// IsPermanent reports whether err or an error it wraps was marked Permanent.
func IsPermanent(err error) bool {
	_, ok := errors.AsType[permanent](err)
	return ok
}

type after struct {
	error
	wait time.Duration
}

func (a after) Unwrap() error { return a.error }

// After marks err: it may be tried again, but not sooner than wait from now.
// It returns nil for nil.
func After(err error, wait time.Duration) error {
	if err == nil {
		return nil
	}
	return after{err, wait}
}

// RetryAfter returns how long to wait before trying again, if err or an error
// it wraps says so.
func RetryAfter(err error) (time.Duration, bool) {
	a, ok := errors.AsType[after](err)
	return a.wait, ok
}

// Wrap says in *err, unless it is nil, what failed. It is for defer, in functions
// that fail in several places.
func Wrap(err *error, format string, args ...any) {
	if *err != nil {
		*err = fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), *err)
	}
}

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
