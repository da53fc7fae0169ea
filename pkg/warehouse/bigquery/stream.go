package bigquery

import (
	"context"
	"errors"
	"fmt"

	"cloud.google.com/go/bigquery/storage/apiv1/storagepb"
	"cloud.google.com/go/bigquery/storage/managedwriter"
	"google.golang.org/grpc/codes"

	"github.com/sparrow-edge/sparrow/pkg/quantity"
)

// chunk is about how many bytes of rows an append carries.
const chunk = quantity.MiB

// chunkRows is how many rows it carries at most.
const chunkRows = 10_000

// stream is a stream of a table that rows are appended to.
type stream struct {
	table   *table
	name    string
	managed *managedwriter.ManagedStream
	offset  int64         // rows that it holds; of a default stream managedwriter.NoStreamOffset
	flights chan struct{} // the store's: a place for each append in flight
}

// makeStream makes a committed stream.
func (s *Store) makeStream(ctx context.Context, t *table) (*stream, error) {
	made, err := s.control.CreateWriteStream(ctx, &storagepb.CreateWriteStreamRequest{
		Parent: s.path(t), WriteStream: &storagepb.WriteStream{Type: storagepb.WriteStream_COMMITTED},
	})
	if err != nil {
		return nil, fmt.Errorf("make stream of %s: %w", t.name, judged(err))
	}
	return s.openStream(ctx, t, made.GetName(), 0)
}

// defaultStream is a table's default stream, which is never gone and keeps no
// offsets.
func (s *Store) defaultStream(ctx context.Context, t *table) (*stream, error) {
	s.mu.Lock()
	known := s.streams[t]
	s.mu.Unlock()
	if known != nil {
		return known, nil
	}
	made, err := s.openStream(ctx, t, s.path(t)+"/streams/_default", managedwriter.NoStreamOffset)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.streams[t] = made
	return made, nil
}

// openStream connects to a stream that is there.
func (s *Store) openStream(ctx context.Context, t *table, name string, offset int64) (*stream, error) {
	// The client keeps the context it is given for the stream's life.
	life, cancel := context.WithCancel(s.life)
	stop := context.AfterFunc(ctx, cancel)
	managed, err := s.writer.NewManagedStream(life, managedwriter.WithStreamName(name),
		managedwriter.WithSchemaDescriptor(t.descriptor()), managedwriter.WithMaxInflightRequests(s.config.InFlight), managedwriter.WithTraceID("sparrow:"+t.name))
	if !stop() || err != nil {
		cancel()
		if managed != nil {
			_ = managed.Close()
		}
		return nil, fmt.Errorf("open stream of %s: %w", t.name, judged(errors.Join(err, ctx.Err())))
	}
	return &stream{table: t, name: name, managed: managed, offset: offset, flights: s.flights}, nil
}

func (st *stream) close() {
	if st != nil {
		_ = st.managed.Close() // it says EOF, or what its appends said before
	}
}

// answer is an append that waits for its result.
type answer struct {
	result *managedwriter.AppendResult
	first  int // of its rows
	rows   int
}

// refusal is returned by append for rows that BigQuery refuses for good.
type refusal struct{ rows map[int]string }

func (r *refusal) Error() string { return fmt.Sprintf("%d rows are refused", len(r.rows)) }

// append appends the rows from first up to n, several requests in flight, and
// returns how many of them are stored for certain. Only if the error is a
// *refusal, or there is none, are these all that are stored.
func (st *stream) append(ctx context.Context, first, n int, encode func(i int) ([]byte, error)) (stored int, err error) {
	var waiting []answer
	take := func() {
		a := waiting[0]
		waiting = waiting[1:]
		taken := a.wait(ctx)
		<-st.flights
		switch {
		case taken == nil && err == nil:
			stored += a.rows
		case err == nil:
			err = taken
		default:
			err = worse(err, taken)
		}
	}
	sent := 0
	for at := first; at < n && err == nil; {
		rows, encodeErr := st.table.gather(at, n, encode)
		if encodeErr != nil {
			err = encodeErr
			break
		}
		if err = st.board(ctx, func() bool {
			if len(waiting) == 0 {
				return false
			}
			take()
			return true
		}); err != nil {
			break
		}
		var options []managedwriter.AppendOption
		if st.offset != managedwriter.NoStreamOffset {
			options = append(options, managedwriter.WithOffset(st.offset+int64(sent)))
		}
		result, sendErr := st.managed.AppendRows(ctx, rows, options...)
		if sendErr != nil {
			<-st.flights
			err = sendErr
			break
		}
		waiting = append(waiting, answer{result, at, len(rows)})
		at, sent = at+len(rows), sent+len(rows)
	}
	for len(waiting) > 0 {
		take()
	}
	if st.offset != managedwriter.NoStreamOffset {
		st.offset += int64(stored)
	}
	if err != nil {
		return stored, fmt.Errorf("append to %s: %w", st.table.name, judged(err))
	}
	return stored, nil
}

// board takes a place for an append. While there is none it takes an answer of
// the same table, which frees one; only without any it waits for other tables.
func (st *stream) board(ctx context.Context, take func() bool) error {
	for {
		select {
		case st.flights <- struct{}{}:
			return nil
		default:
		}
		if take() {
			continue
		}
		select {
		case st.flights <- struct{}{}:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// gather encodes the rows of one append.
func (t *table) gather(at, n int, encode func(i int) ([]byte, error)) (rows [][]byte, err error) {
	size, most := 0, chunk
	if t.whole {
		most = largestRow
	}
	for ; at < n && len(rows) < chunkRows; at++ {
		row, err := encode(at)
		if err != nil {
			return nil, err
		}
		if size += len(row); size > int(most) && len(rows) > 0 {
			break
		}
		rows = append(rows, row)
	}
	return rows, nil
}

func (a answer) wait(ctx context.Context) error {
	response, err := a.result.FullResponse(ctx)
	if list := response.GetRowErrors(); len(list) > 0 {
		bad := map[int]string{}
		for _, e := range list {
			bad[a.first+int(e.GetIndex())] = e.GetMessage()
		}
		return &refusal{bad}
	}
	return err
}

// worse keeps of two errors the one that says less about what is stored. Behind
// a refused request those in flight are out of range: that is nothing new.
func worse(err, later error) error {
	var first *refusal
	if !errors.As(err, &first) || later == nil {
		return err
	}
	if next, also := errors.AsType[*refusal](later); also {
		for i, reason := range next.rows {
			first.rows[i] = reason
		}
		return err
	}
	if code := storageCode(later); code == storagepb.StorageError_OFFSET_OUT_OF_RANGE || kind(later) == codes.OutOfRange {
		return err
	}
	return later
}
