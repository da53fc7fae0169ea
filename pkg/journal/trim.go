package journal

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

const (
	trimPeriod = 5 * time.Second
	// roomPatience is how long a publish that finds its stream full waits for the
	// readers before it is refused: a short burst then costs time, not an error.
	roomPatience = time.Second
	roomPause    = 20 * time.Millisecond
)

// trimSoon asks the keeper for a trim without waiting for it.
func (j *Journal) trimSoon() {
	select {
	case j.trimNow <- struct{}{}:
	default:
	}
}

// trim purges from each stream what no reader needs.
func (j *Journal) trim(ctx context.Context) error {
	j.trimming.Lock()
	defer j.trimming.Unlock()
	if j.server == nil { // other processes have readers too
		if err := j.holds.load(ctx); err != nil {
			return err
		}
	}
	return errors.Join(j.events.trim(ctx), j.outcomes.trim(ctx))
}

// makeRoom trims until size more bytes fit into the stream, for a publish that
// found it full. It reports whether it is worth another try. Once appends are
// refused anyway, it does not wait for the readers.
func (j *Journal) makeRoom(ctx context.Context, s *Stream, size int) bool {
	const overhead = 512 // of a message in the store
	deadline := time.Now().Add(roomPatience)
	for {
		err := j.trim(ctx)
		if err == nil && s.used.Load()+int64(size)+overhead <= s.bound {
			return true
		}
		refusing := s == j.events && j.gate.full.Load()
		if refusing || time.Now().After(deadline) || !wait(ctx, roomPause) {
			return false
		}
	}
}

// trim purges below the lowest hold. The last message stays: it carries the
// chain on over a restart, and the server cannot lose count of an empty stream.
func (s *Stream) trim(ctx context.Context) error {
	s.growth.Store(0)
	state, err := s.j.reads.state(ctx, s.name)
	if err != nil {
		return fmt.Errorf("trim %s: %w", s.label, err)
	}
	s.observe(state)
	lowest, held := lowestHold(s.j.holds.of(s.label))
	if !held || state.Msgs == 0 {
		return nil
	}
	to := min(lowest, state.LastSeq)
	if to <= state.FirstSeq {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, adminLimit)
	defer cancel()
	stream, err := s.j.reads.js.Stream(ctx, s.name)
	if err == nil {
		err = stream.Purge(ctx, jetstream.WithPurgeSequence(to))
	}
	if err != nil {
		return fmt.Errorf("trim %s: %w", s.label, err)
	}
	if state, err = s.j.reads.state(ctx, s.name); err == nil {
		s.observe(state)
	}
	return nil
}

func lowestHold(holds map[string]uint64) (lowest uint64, held bool) {
	for _, seq := range holds {
		if !held || seq < lowest {
			lowest, held = seq, true
		}
	}
	return lowest, held
}

// observe notes a stream's state as the server tells it.
func (s *Stream) observe(state jetstream.StreamState) {
	s.mu.Lock()
	if state.LastSeq > s.last.Load() {
		s.last.Store(state.LastSeq)
	}
	s.mu.Unlock()
	s.used.Store(int64(state.Bytes))
	if s == s.j.events && int64(state.Bytes)+groupLimit < s.bound {
		s.j.gate.full.Store(false)
	}
	s.j.metrics.stream(s, state)
}
