package vendortest

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
)

// Stage is how far a request with a Fault gets.
type Stage uint8

// The stages of a Fault.
const (
	// Answer: the request is read and answered with the fault's status; its
	// events are not taken.
	Answer Stage = iota
	// ResetUnread: the connection is reset before the body is read.
	ResetUnread
	// ResetRead: the connection is reset after the body was read; its events are
	// not taken.
	ResetRead
	// HangRead: the body is read and no answer is sent until the client gives up or
	// the faults are cleared; its events are not taken.
	HangRead
	// ResetTaken: the events are taken, and the connection is reset before the answer.
	ResetTaken
	// HangTaken: the events are taken, and no answer comes.
	HangTaken
)

// Fault is what a fake does instead of answering.
type Fault struct {
	Stage  Stage
	Status int         // of Answer; 0 is 500
	Header http.Header // of Answer, such as Retry-After
	Body   string      // of Answer
	Times  int         // how many requests it applies to; 0 is all until Clear
}

// Faults are the faults of a fake, in order. The zero value has none.
type Faults struct {
	mu      sync.Mutex
	queue   []Fault
	release chan struct{} // closed by Clear
	met     int
}

// Order adds faults. They apply one after another, each Times times.
func (f *Faults) Order(faults ...Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.queue = append(f.queue, faults...)
}

// Clear cancels every fault and ends the requests that hang.
func (f *Faults) Clear() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.queue = nil
	if f.release != nil {
		close(f.release)
		f.release = nil
	}
}

// Met is how many requests have met a fault.
func (f *Faults) Met() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.met
}

// next is the fault that a request meets, if any.
func (f *Faults) next() (Fault, <-chan struct{}, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.queue) == 0 {
		return Fault{}, nil, false
	}
	fault := f.queue[0]
	if fault.Times == 1 {
		f.queue = f.queue[1:]
	} else if fault.Times > 1 {
		f.queue[0].Times--
	}
	if f.release == nil {
		f.release = make(chan struct{})
	}
	f.met++
	return fault, f.release, true
}

// Wrap returns a handler that applies the faults, or calls the fake's.
func (f *Faults) Wrap(fake http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fault, release, faulty := f.next()
		if !faulty {
			fake.ServeHTTP(w, r)
			return
		}
		switch fault.Stage {
		case ResetUnread:
		case ResetTaken, HangTaken:
			fake.ServeHTTP(httptest.NewRecorder(), r)
		default:
			drain(r)
		}
		switch fault.Stage {
		case Answer:
			fault.answer(w)
			return
		case HangRead, HangTaken:
			select {
			case <-r.Context().Done():
			case <-release:
			}
		}
		reset(w)
	})
}

func (fault Fault) answer(w http.ResponseWriter) {
	for name, values := range fault.Header {
		w.Header()[http.CanonicalHeaderKey(name)] = values
	}
	status := fault.Status
	if status == 0 {
		status = http.StatusInternalServerError
	}
	w.WriteHeader(status)
	// The client may be gone.
	_, _ = io.WriteString(w, fault.Body)
}

// drain reads a request to its end. The client may end it early.
func drain(r *http.Request) { _, _ = io.Copy(io.Discard, io.LimitReader(r.Body, maxRequest)) }

// reset ends the connection without an answer, with a TCP reset where there is one.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // net/http's way to end a connection that cannot be taken over
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // without it the client sees an end instead of a reset
	}
	_ = conn.Close()
}
