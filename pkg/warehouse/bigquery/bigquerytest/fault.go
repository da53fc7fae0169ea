package bigquerytest

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// Kind is what goes wrong.
type Kind string

// The kinds of fault. Where gRPC and REST differ, the first half is gRPC's.
const (
	// QuotaExceeded: RESOURCE_EXHAUSTED with a RetryInfo; 403, quotaExceeded.
	QuotaExceeded Kind = "quota exceeded"
	// RateLimited: RESOURCE_EXHAUSTED of the append throughput, with a
	// RetryInfo; 429, rateLimitExceeded, with Retry-After.
	RateLimited Kind = "rate limited"
	// PermissionDenied: PERMISSION_DENIED; 403, accessDenied.
	PermissionDenied Kind = "permission denied"
	// Unavailable: the RPC ends UNAVAILABLE, nothing done; 503, backendError.
	Unavailable Kind = "unavailable"
	// InternalError: INTERNAL; 500, internalError.
	InternalError Kind = "internal error"
	// Unauthenticated: the RPC ends UNAUTHENTICATED; 401, authError. The tokens
	// themselves stay good: see Server.ExpireTokens.
	Unauthenticated Kind = "unauthenticated"
	// Slow: all is done, and the answer comes Fault.Delay later. Appends that
	// come meanwhile are carried out; answers keep their order.
	Slow Kind = "slow"
	// CloseAfterCommit: all is done, and the RPC ends UNAVAILABLE (the HTTP
	// connection breaks) before it is answered.
	CloseAfterCommit Kind = "close after commit"
	// Reset: the TCP connection is reset, nothing done.
	Reset Kind = "reset"
	// ResetAfterCommit: all is done, and the TCP connection is reset.
	ResetAfterCommit Kind = "reset after commit"
	// Hang: nothing is done and nothing answered until the caller gives up or
	// the fault is cleared; then the call ends UNAVAILABLE.
	Hang Kind = "hang"
	// StreamGone: the stream that the call names is removed for good: NOT_FOUND,
	// STREAM_NOT_FOUND. A default stream answers so as long as the fault holds.
	StreamGone Kind = "stream gone"
	// RowRefused: an append's rows that contain Fault.Marker are refused, each
	// by a row error, and with them the request.
	RowRefused Kind = "row refused"
	// StaleSchema: a writer's schema is checked against the table's as it was
	// before the last change, for the service learns of a change in minutes.
	StaleSchema Kind = "stale schema"
)

// Fault is one to order. Empty fields match everything.
type Fault struct {
	Kind   Kind
	Method Method
	// Table is the table's id, without project and dataset.
	Table string
	// After lets so many matching calls pass first.
	After int
	// Calls is how many calls then fail; 0 means until cleared, or as long as For says.
	Calls int
	// For ends the fault so long after it was ordered; 0 means never.
	For time.Duration
	// Delay is how late a Slow answer is, and what a RetryInfo or Retry-After says.
	Delay time.Duration
	// Marker is in each row that RowRefused refuses.
	Marker string
	// EndsStream ends AppendRows with the status, instead of giving it in the
	// response to the one request.
	EndsStream bool
}

// Order is a fault that has been ordered.
type Order struct {
	faults  *faults
	fault   Fault
	ends    time.Time // zero: never
	passed  int
	hits    int
	struck  chan struct{} // closed with the first hit
	cleared chan struct{}
}

// Clear ends the fault, and lets go of the calls that hang for it. It may be
// called again.
func (o *Order) Clear() { o.faults.clear(o) }

// Hits is how many calls it made fail.
func (o *Order) Hits() int {
	o.faults.mu.Lock()
	defer o.faults.mu.Unlock()
	return o.hits
}

// Wait waits until the fault has made a call fail.
func (o *Order) Wait(ctx context.Context) error {
	select {
	case <-o.struck:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for %s: %w", o.fault.Kind, ctx.Err())
	}
}

// faults is what has been ordered.
type faults struct {
	mu     sync.Mutex
	orders []*Order
}

func (f *faults) order(fault Fault, now time.Time) *Order {
	o := &Order{faults: f, fault: fault, struck: make(chan struct{}), cleared: make(chan struct{})}
	if fault.For > 0 {
		o.ends = now.Add(fault.For)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.orders = append(f.orders, o)
	return o
}

func (f *faults) clear(o *Order) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if i := slices.Index(f.orders, o); i >= 0 {
		f.orders = slices.Delete(f.orders, i, i+1)
		close(o.cleared)
	}
}

func (f *faults) clearAll() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, o := range f.orders {
		close(o.cleared)
	}
	f.orders = nil
}

// hit returns the first ordered fault that this call meets, and counts it.
// RowRefused and StaleSchema bend rules instead; bent has them.
func (f *faults) hit(m Method, table string) *Order {
	return f.find(m, table, func(o *Order) bool { return !o.bends() })
}

// bent returns a fault of the kind that this call meets, and counts it.
func (f *faults) bent(kind Kind, m Method, table string, rows [][]byte) *Order {
	return f.find(m, table, func(o *Order) bool {
		return o.fault.Kind == kind && (kind != RowRefused || slices.ContainsFunc(rows, o.refuses))
	})
}

func (o *Order) bends() bool { return o.fault.Kind == RowRefused || o.fault.Kind == StaleSchema }

// refuses reports whether a row has the marker.
func (o *Order) refuses(row []byte) bool { return bytes.Contains(row, []byte(o.fault.Marker)) }

func (f *faults) find(m Method, table string, wanted func(*Order) bool) *Order {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := 0; i < len(f.orders); i++ {
		o := f.orders[i]
		if !o.ends.IsZero() && time.Now().After(o.ends) {
			f.orders = slices.Delete(f.orders, i, i+1)
			close(o.cleared)
			i--
			continue
		}
		if o.fault.Method != "" && o.fault.Method != m || o.fault.Table != "" && o.fault.Table != table || !wanted(o) {
			continue
		}
		if o.passed < o.fault.After {
			o.passed++
			continue
		}
		if o.fault.Calls > 0 && o.hits >= o.fault.Calls {
			continue // spent; it stays for Hits
		}
		if o.hits++; o.hits == 1 {
			close(o.struck)
		}
		return o
	}
	return nil
}
