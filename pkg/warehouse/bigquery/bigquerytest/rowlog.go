package bigquerytest

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// rowLog is a table's rows, in the order in which they were committed: a file of
// the server's own, kept apart from anything that is being tested.
//
//	append  time uvarint  stream uvarint  offset+1 uvarint  plan uvarint  rows uvarint  row...
//	row     length uvarint  bytes
//
// Time is in microseconds since 1970; stream and plan are places in the lists
// that the log holds in memory; offset+1 is 0 in a default stream. In a log that
// keeps one column, a row is that column's text.
type rowLog struct {
	mu      sync.Mutex
	path    string
	file    *os.File
	out     *bufio.Writer
	rows    int64
	bytes   int64 // of rows as they were sent
	size    int64 // of the file
	maxSize int64
	keep    string // the one column that is kept; "": whole rows
	streams []string
	places  map[string]int
	plans   []*rowPlan
	indexes map[*rowPlan]int
	scratch []byte
}

func openRowLog(path, keep string, maxSize int64) (*rowLog, error) {
	file, err := os.Create(path)
	if err != nil {
		return nil, fmt.Errorf("open row log: %w", err)
	}
	return &rowLog{
		path: path, file: file, out: bufio.NewWriterSize(file, 1<<18), keep: keep, maxSize: maxSize,
		places: map[string]int{}, indexes: map[*rowPlan]int{},
	}, nil
}

var errLogFull = errors.New("the row log is full")

// add commits rows; an error says that none was.
func (l *rowLog) add(stream string, offset int64, plan *rowPlan, rows [][]byte, at time.Time) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.size > l.maxSize {
		return errLogFull
	}
	place, found := l.places[stream]
	if !found {
		place = len(l.streams)
		l.places[stream], l.streams = place, append(l.streams, stream)
	}
	planPlace, found := l.indexes[plan]
	if !found {
		planPlace = len(l.plans)
		l.indexes[plan], l.plans = planPlace, append(l.plans, plan)
	}
	b := binary.AppendUvarint(l.scratch[:0], uint64(at.UnixMicro()))
	b = binary.AppendUvarint(b, uint64(place))
	b = binary.AppendUvarint(b, uint64(offset+1))
	b = binary.AppendUvarint(b, uint64(planPlace))
	b = binary.AppendUvarint(b, uint64(len(rows)))
	for _, row := range rows {
		kept := row
		if l.keep != "" {
			text, _, err := plan.text(row, l.keep)
			if err != nil {
				return err
			}
			kept = []byte(text)
		}
		b = appendFrame(b, kept)
	}
	l.scratch = b
	if _, err := l.out.Write(b); err != nil {
		return fmt.Errorf("write row log: %w", err)
	}
	l.size += int64(len(b))
	l.rows += int64(len(rows))
	for _, row := range rows {
		l.bytes += int64(len(row))
	}
	return nil
}

// entry is one append of the log.
type entry struct {
	at     time.Time
	stream string
	offset int64 // of the first row; -1 in a default stream
	plan   *rowPlan
	rows   [][]byte
}

// read calls each for all that was committed before it was called. The rows are
// valid until each returns.
func (l *rowLog) read(each func(e *entry) (more bool, err error)) error {
	l.mu.Lock()
	err := l.out.Flush()
	size, streams, plans := l.size, l.streams, l.plans
	l.mu.Unlock()
	if err != nil {
		return fmt.Errorf("write row log: %w", err)
	}
	file, err := os.Open(l.path)
	if err != nil {
		return fmt.Errorf("read row log: %w", err)
	}
	defer func() { _ = file.Close() }() // it was only read
	in := bufio.NewReaderSize(io.LimitReader(file, size), 1<<18)
	for {
		e, err := readEntry(in, streams, plans)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read row log: %w", err)
		}
		if more, err := each(e); err != nil || !more {
			return err
		}
	}
}

func readEntry(in *bufio.Reader, streams []string, plans []*rowPlan) (*entry, error) {
	var head [5]uint64
	for i := range head {
		n, err := binary.ReadUvarint(in)
		if err != nil {
			if i > 0 {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
		head[i] = n
	}
	if head[1] >= uint64(len(streams)) || head[3] >= uint64(len(plans)) {
		return nil, errors.New("an append names a stream or schema that the log does not have")
	}
	e := &entry{at: time.UnixMicro(int64(head[0])).UTC(), stream: streams[head[1]], offset: int64(head[2]) - 1, plan: plans[head[3]]}
	for range head[4] {
		length, err := binary.ReadUvarint(in)
		if err != nil {
			return nil, io.ErrUnexpectedEOF
		}
		row := make([]byte, length)
		if _, err := io.ReadFull(in, row); err != nil {
			return nil, io.ErrUnexpectedEOF
		}
		e.rows = append(e.rows, row)
	}
	return e, nil
}

func (l *rowLog) counts() (rows, bytes int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.rows, l.bytes
}

func (l *rowLog) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return errors.Join(l.out.Flush(), l.file.Close())
}
