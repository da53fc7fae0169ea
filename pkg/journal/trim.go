package journal

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/sparrow-edge/sparrow/pkg/retry"
)

const (
	trimPeriod = 5 * time.Second
	// fullPatience is how long a publish that finds its stream full waits for the
	// readers before it is refused, so that a short burst costs time and no error.
	fullPatience = time.Second
	fullPause    = 20 * time.Millisecond
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
		if err := j.pins.load(ctx); err != nil {
			return err
		}
	}
	return errors.Join(j.events.trim(ctx), j.outcomes.trim(ctx))
}

// trimFor trims until size more bytes fit into the stream, for a publish that found
// it full. It reports whether the publish should try again. Once appends are refused
// anyway, it does not wait for the readers.
func (j *Journal) trimFor(ctx context.Context, s *Stream, size int) bool {
	const overhead = 512 // of a message in the store
	deadline := time.Now().Add(fullPatience)
	for {
		err := j.trim(ctx)
		if err == nil && s.used.Load()+int64(size)+overhead <= s.bound {
			return true
		}
		refusing := s.full != nil && s.full.Load()
		if refusing || time.Now().After(deadline) || retry.Sleep(ctx, fullPause) != nil {
			return false
		}
	}
}

// trim purges below the lowest pin. The last message stays: with it the chain goes
// on after a restart, and an empty stream could lose its sequence.
func (s *Stream) trim(ctx context.Context) error {
	s.growth.Store(0)
	state, err := s.reads.state(ctx, s.name)
	if err != nil {
		return fmt.Errorf("trim %s: %w", s.label, err)
	}
	s.observe(state)
	lowest, pinned := lowestPin(s.pins.of(s.label))
	if !pinned || state.Msgs == 0 {
		return nil
	}
	to := min(lowest, state.LastSeq)
	if to <= state.FirstSeq {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, adminLimit)
	defer cancel()
	stream, err := s.reads.js.Stream(ctx, s.name)
	if err == nil {
		err = stream.Purge(ctx, jetstream.WithPurgeSequence(to))
	}
	if err != nil {
		return fmt.Errorf("trim %s: %w", s.label, err)
	}
	if state, err = s.reads.state(ctx, s.name); err == nil {
		s.observe(state)
	}
	return nil
}

func lowestPin(pins map[string]uint64) (lowest uint64, pinned bool) {
	if len(pins) == 0 {
		return 0, false
	}
	return slices.Min(slices.Collect(maps.Values(pins))), true
}

// observe remembers a stream's state as the server gave it.
func (s *Stream) observe(state jetstream.StreamState) {
	s.mu.Lock()
	if state.LastSeq > s.last.Load() {
		s.last.Store(state.LastSeq)
	}
	s.mu.Unlock()
	s.recent.trimmed(state.FirstSeq)
	s.used.Store(int64(state.Bytes))
	if s.full != nil && int64(state.Bytes)+groupLimit < s.bound {
		s.full.Store(false)
	}
	s.metrics.stream(s, state)
}
