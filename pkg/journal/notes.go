package journal

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go"
)

// Notes are short texts that the processes of a cluster write for each other, one
// under each name: the last one holds. A name is of parts with dots between them,
// each 1 to 96 letters, digits, "-" or "_". Notes is a lease.Board.
type KV struct{ j *Journal }

// Notes are those of the journal's cluster. With an embedded server there is
// nobody else to write for, and no notes.
func (j *Journal) KV() *KV { return &KV{j} }

// Write replaces the note under a name and returns its number, which is higher
// than that of any note before it. With after it does so only while the note
// there has that number, 0 for none; otherwise written is false. The error wraps
// ErrUnavailable, or is the context's; the note may have been written then.
func (n *KV) Put(ctx context.Context, name string, text []byte, after *uint64) (number uint64, written bool, err error) {
	if err := checkNote(name); err != nil {
		return 0, false, err
	}
	number, err = n.j.writes.store(ctx, notesPrefix+name, text, after)
	if errors.Is(err, ErrFenced) {
		return 0, false, nil
	}
	if errors.Is(err, nats.ErrNoResponders) { // somebody deleted the stream
		err = errors.Join(err, n.j.prepare(ctx))
	}
	if err != nil {
		return 0, false, fmt.Errorf("write note %s: %w", name, n.j.unavailable(ctx, err))
	}
	return number, true, nil
}

// Read returns the note under a name as the servers' leader knows it. The number
// is 0 if there is none. Errors are those of Write.
func (n *KV) Get(ctx context.Context, name string) (number uint64, text []byte, err error) {
	if err := checkNote(name); err != nil {
		return 0, nil, err
	}
	last, err := n.j.writes.get(ctx, notesStream, getRequest{LastFor: notesPrefix + name})
	if errors.Is(err, ErrGone) {
		return 0, nil, nil
	}
	if err != nil {
		return 0, nil, fmt.Errorf("read note %s: %w", name, n.j.unavailable(ctx, err))
	}
	return last.Seq, last.Data, nil
}

// Each calls do for every note, in the order they were written, perhaps as a
// replica that is behind knows it. A note that is replaced meanwhile may come
// twice, the newer one later, or not at all. Errors are those of Write.
func (n *KV) Each(ctx context.Context, do func(name string, number uint64, text []byte)) error {
	err := n.j.reads.each(ctx, notesStream, func(subject string, seq uint64, data []byte) {
		do(strings.TrimPrefix(subject, notesPrefix), seq, data)
	})
	if err != nil {
		return fmt.Errorf("read notes: %w", n.j.unavailable(ctx, err))
	}
	return nil
}

func checkNote(name string) error {
	for part := range strings.SplitSeq(name, ".") {
		if err := checkName(part); err != nil {
			return err
		}
	}
	return nil
}
