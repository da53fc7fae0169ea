package journal

import (
	"context"
	"encoding/json"
	"strconv"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

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
	switch code := apiCode(err); {
	case code == codeWrongLast || code == codeWrongLastOnly:
		return 0, ErrFenced
	case err != nil:
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
