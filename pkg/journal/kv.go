package journal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// KV is the key-value store that the processes of a cluster share, a lease.Store.
// A key is of parts with dots between them, each 1 to 96 letters, digits, "-" or
// "_". A revision is the sequence of the entry's message.
type KV struct {
	writes, reads *link
	prepare       func(context.Context) error // makes a stream anew that was deleted
}

// KV returns the store of the journal's cluster. An embedded server has none,
// because no other process uses it.
func (j *Journal) KV() *KV { return &KV{j.writes, j.reads, j.prepare} }

// Put is lease.Store's. The error wraps ErrUnavailable, or is the context's; the entry
// may have been written then.
func (kv *KV) Put(ctx context.Context, key string, value []byte, after *uint64) (revision uint64, written bool, err error) {
	if err := checkKey(key); err != nil {
		return 0, false, err
	}
	revision, err = kv.writes.store(ctx, kvPrefix+key, value, after)
	if errors.Is(err, ErrFenced) {
		return 0, false, nil
	}
	if errors.Is(err, nats.ErrNoResponders) { // somebody deleted the stream
		err = errors.Join(err, kv.prepare(ctx))
	}
	if err != nil {
		return 0, false, fmt.Errorf("put %s: %w", key, unavailable(ctx, err))
	}
	return revision, true, nil
}

// Get is lease.Store's. Errors are those of Put.
func (kv *KV) Get(ctx context.Context, key string) (revision uint64, value []byte, err error) {
	if err := checkKey(key); err != nil {
		return 0, nil, err
	}
	last, err := kv.writes.get(ctx, kvStream, getRequest{LastFor: kvPrefix + key})
	if errors.Is(err, ErrGone) {
		return 0, nil, nil
	}
	if err != nil {
		return 0, nil, fmt.Errorf("get %s: %w", key, unavailable(ctx, err))
	}
	return last.Seq, last.Data, nil
}

// Each is lease.Store's: it calls do in the order in which the entries were written.
// An entry that is replaced meanwhile may come twice, the newer one later, or not at
// all. Errors are those of Put.
func (kv *KV) Each(ctx context.Context, do func(key string, revision uint64, value []byte)) error {
	err := kv.reads.each(ctx, kvStream, func(subject string, seq uint64, data []byte) {
		do(strings.TrimPrefix(subject, kvPrefix), seq, data)
	})
	if err != nil {
		return fmt.Errorf("read all entries: %w", unavailable(ctx, err))
	}
	return nil
}

func checkKey(key string) error {
	for part := range strings.SplitSeq(key, ".") {
		if err := checkName(part); err != nil {
			return err
		}
	}
	return nil
}

// The small streams keep entries: for each subject the last message. An empty
// message says that there is no entry any more.

// put stores an entry as JSON, or none for a nil value.
func (l *link) put(ctx context.Context, subject string, value any) error {
	var data []byte
	if value != nil {
		var err error
		if data, err = json.Marshal(value); err != nil {
			return err
		}
	}
	_, err := l.store(ctx, subject, data, nil)
	return err
}

// store stores an entry and returns its sequence. With after, the subject's last
// message must have that sequence, 0 for no message; otherwise nothing is stored
// and the error is ErrFenced.
func (l *link) store(ctx context.Context, subject string, data []byte, after *uint64) (uint64, error) {
	msg := &nats.Msg{Subject: subject, Data: data}
	if after != nil {
		msg.Header = nats.Header{jetstream.ExpectedLastSubjSeqHeader: []string{strconv.FormatUint(*after, 10)}}
	}
	ack, err := l.publish(ctx, msg, requestLimit)
	if err != nil {
		return 0, err
	}
	return ack.Sequence, nil
}

// each calls do for every entry of a stream, in the order they were stored. An
// entry that is stored anew meanwhile may come twice, the newer one later, or not
// at all.
func (l *link) each(ctx context.Context, stream string, do func(subject string, seq uint64, data []byte)) error {
	f, err := newFetcher(l, stream)
	if err != nil {
		return err
	}
	defer f.close()
	for seq := uint64(1); ; {
		if !f.awaiting() {
			if err := f.request(getRequest{Seq: seq, Batch: fetchMessages}); err != nil {
				return err
			}
		}
		msg, err := f.next(ctx)
		switch {
		case err != nil:
			return err
		case msg == nil && !f.behind:
			return nil
		case msg != nil:
			do(msg.Header.Get(jetstream.SubjectHeader), sequence(msg), msg.Data)
			seq = sequence(msg) + 1
		}
	}
}
