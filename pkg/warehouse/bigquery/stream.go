package bigquery

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"

	"cloud.google.com/go/bigquery/storage/apiv1/storagepb"
	"cloud.google.com/go/bigquery/storage/managedwriter"
	"google.golang.org/grpc/codes"

	"github.com/sparrow-edge/sparrow/pkg/quantity"
)

// The size of a request: about so many bytes of rows, and at most so many rows.
const (
	requestBytes = quantity.MiB
	requestRows  = 10_000
)

// stream is a table's write stream. It is not for several goroutines at once.
type stream struct {
	table   *table
	name    string
	managed *managedwriter.ManagedStream
	offset  int64         // rows that it holds; managedwriter.NoStreamOffset for a default stream
	slots   chan struct{} // the client's: one for each request in flight
}

// createStream creates a committed stream and opens it.
func (c *client) createStream(ctx context.Context, t *table) (*stream, error) {
	created, err := c.control.CreateWriteStream(ctx, &storagepb.CreateWriteStreamRequest{
		Parent: c.path(t), WriteStream: &storagepb.WriteStream{Type: storagepb.WriteStream_COMMITTED},
	})
	if err != nil {
		return nil, fmt.Errorf("create stream of %s: %w", t.name, judged(err))
	}
	return c.openStream(ctx, t, created.GetName(), 0)
}

// finalizeStream ends a table's stream: nobody can append to it any more. It
// returns how many rows the stream holds, -1 for a stream that BigQuery dropped.
func (c *client) finalizeStream(ctx context.Context, t *table, name string) (rows int64, err error) {
	ended, err := c.control.FinalizeWriteStream(ctx, &storagepb.FinalizeWriteStreamRequest{Name: name})
	switch {
	case err == nil:
		return ended.GetRowCount(), nil
	case gone(err):
		return -1, nil
	}
	return 0, fmt.Errorf("finalize stream of %s: %w", t.name, judged(err))
}

// openStream connects to a stream that exists and holds offset rows.
func (c *client) openStream(ctx context.Context, t *table, name string, offset int64) (*stream, error) {
	// The managed stream keeps this context for its whole life; ctx is for the
	// opening only.
	life, cancel := context.WithCancel(c.life)
	stop := context.AfterFunc(ctx, cancel)
	managed, err := c.rows.NewManagedStream(life, managedwriter.WithStreamName(name),
		managedwriter.WithSchemaDescriptor(t.descriptor()), managedwriter.WithMaxInflightRequests(c.config.InFlight), managedwriter.WithTraceID("sparrow:"+t.name))
	if !stop() || err != nil {
		cancel()
		if managed != nil {
			_ = managed.Close()
		}
		return nil, fmt.Errorf("open stream of %s: %w", t.name, judged(errors.Join(err, ctx.Err())))
	}
	return &stream{table: t, name: name, managed: managed, offset: offset, slots: c.slots}, nil
}

func (st *stream) close() {
	if st != nil {
		_ = st.managed.Close() // EOF, or an error that an append returned before
	}
}

// defaultStreams are the default streams of the tables whose rows may be stored
// twice. BigQuery never drops a default stream, and keeps no offsets for it.
type defaultStreams struct {
	*client
	mu   sync.Mutex
	open map[*table]*stream
}

// append appends n rows through the table's default stream. Different tables may
// be appended to at once.
func (d *defaultStreams) append(ctx context.Context, t *table, n int, encode func(i int) []byte) error {
	if n == 0 {
		return nil
	}
	d.mu.Lock()
	st := d.open[t]
	d.mu.Unlock()
	if st == nil {
		var err error
		if st, err = d.openStream(ctx, t, d.path(t)+"/streams/_default", managedwriter.NoStreamOffset); err != nil {
			return err
		}
		d.mu.Lock()
		d.open[t] = st
		d.mu.Unlock()
	}
	_, err := st.append(ctx, 0, n, encode)
	return err
}

func (d *defaultStreams) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, st := range d.open {
		st.close()
	}
	clear(d.open)
}

// append appends the rows from first up to, not including, n with several requests
// in flight. It returns how many of them are certainly stored. If err is nil or a
// *refusal, no others are.
func (st *stream) append(ctx context.Context, first, n int, encode func(i int) []byte) (stored int, err error) {
	f := inFlight{stream: st}
	for at := first; at < n && f.err == nil; {
		rows := st.table.gather(at, n, encode)
		f.send(ctx, at, rows)
		at += len(rows)
	}
	for len(f.requests) > 0 {
		f.receive(ctx)
	}
	if st.offset != managedwriter.NoStreamOffset {
		st.offset += int64(f.stored)
	}
	if f.err != nil {
		err = fmt.Errorf("append to %s: %w", st.table.name, judged(f.err))
	}
	return f.stored, err
}

// gather encodes the rows of one request, beginning with row at.
func (t *table) gather(at, n int, encode func(i int) []byte) (rows [][]byte) {
	size, most := 0, int(requestBytes)
	if t.whole {
		most = int(largestRow)
	}
	for ; at < n && len(rows) < requestRows; at++ {
		row := encode(at)
		if size += len(row); size > most && len(rows) > 0 {
			break
		}
		rows = append(rows, row)
	}
	return rows
}

// inFlight is one append's window of requests that wait for their response.
// Each holds one of the client's slots.
type inFlight struct {
	*stream
	requests []request // oldest first
	sent     int       // rows
	stored   int       // rows of the requests that succeeded before the first that failed
	err      error     // once set, nothing is sent any more
}

// request is one request in flight.
type request struct {
	result *managedwriter.AppendResult
	first  int // number of its first row
	rows   int
}

// send sends one request as soon as a slot is free.
func (f *inFlight) send(ctx context.Context, first int, rows [][]byte) {
	if !f.reserve(ctx) {
		return
	}
	var options []managedwriter.AppendOption
	if f.offset != managedwriter.NoStreamOffset {
		options = append(options, managedwriter.WithOffset(f.offset+int64(f.sent)))
	}
	result, err := f.managed.AppendRows(ctx, rows, options...)
	if err != nil {
		<-f.slots
		f.err = err
		return
	}
	f.requests = append(f.requests, request{result, first, len(rows)})
	f.sent += len(rows)
}

// reserve waits for a slot. While all are taken, it receives this window's own
// responses, each of which frees one. Only an empty window waits for other
// tables: so tables that append at once cannot block each other.
func (f *inFlight) reserve(ctx context.Context) bool {
	for f.err == nil && len(f.requests) > 0 {
		select {
		case f.slots <- struct{}{}:
			return true
		default:
			f.receive(ctx)
		}
	}
	if f.err != nil {
		return false
	}
	select {
	case f.slots <- struct{}{}:
		return true
	case <-ctx.Done():
		f.err = ctx.Err()
		return false
	}
}

// receive waits for the oldest request's response and frees its slot.
func (f *inFlight) receive(ctx context.Context) {
	r := f.requests[0]
	f.requests = f.requests[1:]
	response, err := r.result.FullResponse(ctx)
	<-f.slots
	if list := response.GetRowErrors(); len(list) > 0 {
		refused := map[int]string{}
		for _, e := range list {
			refused[r.first+int(e.GetIndex())] = e.GetMessage()
		}
		err = &refusal{refused}
	}
	if f.err = combine(f.err, err); f.err == nil {
		f.stored += r.rows
	}
}

// refusal is the error for rows that BigQuery refuses for good: the reason by the
// row's number.
type refusal struct{ rows map[int]string }

func (r *refusal) Error() string { return fmt.Sprintf("%d rows are refused", len(r.rows)) }

// combine returns of two errors of one window the one that leaves more open; nil
// leaves nothing open, nor does a refusal. The requests behind a refused one fail
// as out of range, which adds nothing; any other error after it does.
func combine(err, later error) error {
	if err == nil || later == nil {
		return cmp.Or(err, later)
	}
	first, ok := errors.AsType[*refusal](err)
	if !ok {
		return err
	}
	if next, ok := errors.AsType[*refusal](later); ok {
		maps.Copy(first.rows, next.rows)
		return err
	}
	if storageCode(later) == storagepb.StorageError_OFFSET_OUT_OF_RANGE || kind(later) == codes.OutOfRange {
		return err
	}
	return later
}
