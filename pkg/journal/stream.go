package journal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/fault"
)

// Message is one message of a stream as a reader gets it.
type Message struct {
	Seq     uint64
	Time    time.Time // when the server stored it
	Subject string    // the lane, in outcomes; "" in events
	// Records is what one or several appends stored. They may be kept. They are
	// empty in a message that only announces a loss: then Seq is the last sequence
	// that is gone.
	Records [][]byte
	// Lost counts the messages before this one, since the reader's last, that are
	// missing or damaged (and this one, if it has no records).
	Lost uint64
	// LostRecords is how many records were in them; 0 if unknown.
	LostRecords uint64
}

// Stream is one of the journal's two streams: events or outcomes. Its methods are
// safe for concurrent use.
type Stream struct {
	name   string // in JetStream
	label  string // in metrics and logs
	prefix string // of subjects, before the lane
	bound  int64  // bytes

	embedded bool // the server is this process's own: nobody else writes

	reads   *link
	pins    *pinStore
	gaps    *gapReporter
	metrics *metrics
	full    *atomic.Bool    // set while appends find the stream full; nil for outcomes
	life    context.Context // ends with the journal
	period  time.Duration   // how long a reader sleeps that nobody wakes

	last   atomic.Uint64 // highest sequence seen
	epoch  atomic.Pointer[string]
	used   atomic.Int64 // bytes, when the server was last asked
	growth atomic.Int64 // bytes since the last trim
	recent recent

	mu   sync.Mutex
	news chan struct{} // closed at the next message; nil while nobody waits
}

// Epoch names the stream as it was made: a short word of a-z and 0-9. Positions
// of another epoch have nothing to do with this stream's.
func (s *Stream) Epoch() string { return *s.epoch.Load() }

// advance adds a message that is stored, wakes the readers that wait, and reports
// whether enough was added that a trim is due. The stream keeps data.
func (s *Stream) advance(seq uint64, subject string, data []byte) bool {
	if s.embedded {
		s.recent.add(stored{Subject: subject, Seq: seq, Data: data, Time: time.Now().UTC()})
	}
	s.mu.Lock()
	if seq > s.last.Load() {
		s.last.Store(seq)
	}
	if s.news != nil {
		close(s.news)
		s.news = nil
	}
	s.mu.Unlock()
	return s.growth.Add(int64(len(data))) > s.bound/16
}

// signal returns a channel that is closed when the next message comes through
// this process.
func (s *Stream) signal() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.news == nil {
		s.news = make(chan struct{})
	}
	return s.news
}

// Bounds returns the sequence of the first message that is still there and the
// one after the last. They are equal while the stream is empty.
func (s *Stream) Bounds(ctx context.Context) (first, end uint64, err error) {
	state, err := s.reads.state(ctx, s.name)
	if err != nil {
		return 0, 0, fmt.Errorf("bounds of %s: %w", s.label, unavailable(ctx, err))
	}
	return max(state.FirstSeq, 1), state.LastSeq + 1, nil
}

// Get returns one message by its sequence. The error is ErrGone if it was
// trimmed or is damaged, ErrAhead if it is not there yet.
func (s *Stream) Get(ctx context.Context, seq uint64) (_ Message, err error) {
	defer fault.Wrap(&err, "get message %d of %s", seq, s.label)
	if seq == 0 {
		return Message{}, ErrGone
	}
	m, err := s.reads.get(ctx, s.name, getRequest{Seq: seq})
	if errors.Is(err, ErrGone) {
		_, end, err := s.Bounds(ctx)
		if err == nil && seq >= end {
			err = ErrAhead
		}
		return Message{}, cmp.Or(err, ErrGone)
	}
	if err != nil {
		return Message{}, unavailable(ctx, err)
	}
	_, records, err := decodeFrame(m.Data)
	if err != nil {
		return Message{}, fmt.Errorf("%w: %w", ErrGone, err)
	}
	return Message{Seq: m.Seq, Time: m.Time, Subject: s.lane(m.Subject), Records: records}, nil
}

func (s *Stream) lane(subject string) string {
	if len(subject) < len(s.prefix) || s.prefix == "" {
		return ""
	}
	return subject[len(s.prefix):]
}

// SeqAt returns the sequence of the first message stored at or after t, or the
// end of the stream if there is none yet.
func (s *Stream) SeqAt(ctx context.Context, t time.Time) (uint64, error) {
	_, end, err := s.Bounds(ctx)
	if err != nil {
		return 0, err
	}
	t = t.UTC()
	m, err := s.reads.get(ctx, s.name, getRequest{Start: &t, NextFor: ">"})
	if errors.Is(err, ErrGone) {
		return end, nil
	}
	if err != nil {
		return 0, fmt.Errorf("find time in %s: %w", s.label, unavailable(ctx, err))
	}
	return m.Seq, nil
}
