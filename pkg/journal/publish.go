package journal

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/sparrow-edge/sparrow/pkg/fault"
)

// Publish stores payload as the lane's next message in the outcomes stream and
// returns its sequence when it is durable. after is the sequence of the lane's
// last message as the caller knows it, 0 for none: if it has another, nothing is
// stored and the error is ErrFenced. A lane is 1 to 96 letters, digits, "-" or "_".
//
// Errors: ErrFenced, ErrFull, ErrUnavailable, ErrTooLarge, or the context's. After
// ErrUnavailable or the end of ctx the message may have been stored: ask Last.
func (j *Journal) Publish(ctx context.Context, lane string, payload []byte, after uint64) (seq uint64, err error) {
	defer fault.Wrap(&err, "publish outcomes of %s", lane)
	if err := checkName(lane); err != nil {
		return 0, err
	}
	if size := headerSize + recordSize(payload); size > j.largest {
		return 0, fault.Permanent(fmt.Errorf("%w: %d bytes, at most %d", ErrTooLarge, size, j.largest))
	}
	if j.life.Err() != nil {
		return 0, ErrClosed
	}
	if err := j.gate.outcomes(); err != nil {
		return 0, err
	}
	last, err := j.tailAt(ctx, lane, after)
	if err != nil {
		return 0, err
	}
	frame := appendRecord(make([]byte, headerSize, headerSize+recordSize(payload)), payload)
	h := last.next(1)
	seal(frame, h)
	msg := &nats.Msg{Subject: outcomesPrefix + lane, Data: frame, Header: j.messageID()}
	msg.Header[jetstream.ExpectedLastSubjSeqHeader] = []string{strconv.FormatUint(after, 10)}
	seq, err = j.fencedPublish(ctx, msg)
	if err != nil {
		return 0, err
	}
	j.tails.Store(lane, h.at(seq))
	if j.outcomes.advance(seq, msg.Subject, frame) {
		j.trimSoon()
	}
	return seq, nil
}

// tailAt returns the lane's tail, which must be at the sequence after.
func (j *Journal) tailAt(ctx context.Context, lane string, after uint64) (tail, error) {
	if known, ok := j.tails.Load(lane); ok && known.(tail).Seq == after {
		return known.(tail), nil
	}
	last, err := j.writes.get(ctx, outcomesStream, getRequest{LastFor: outcomesPrefix + lane})
	if errors.Is(err, ErrGone) {
		last.Seq, err = 0, nil
	}
	if err != nil {
		return tail{}, unavailable(ctx, err)
	}
	if last.Seq != after {
		return tail{}, fault.Permanent(fmt.Errorf("%w: its last message is %d, not %d", ErrFenced, last.Seq, after))
	}
	if after == 0 {
		return tail{}, nil
	}
	h, err := decodeHeader(last.Data)
	if err != nil { // damaged: the count begins again
		return tail{Seq: after}, nil
	}
	return h.at(after), nil
}

// fencedPublish publishes msg. The server checks the fence before it checks for a
// repetition. So a repeated message that was stored the first time is answered as
// fenced; then the lane's last message shows whether it is this very one.
func (j *Journal) fencedPublish(ctx context.Context, msg *nats.Msg) (uint64, error) {
	limited, cancel := context.WithTimeout(ctx, j.patience)
	defer cancel()
	ack, _, err := j.publish(limited, msg, j.outcomes)
	if err == nil {
		return ack.Sequence, nil
	}
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}
	if !errors.Is(err, ErrFenced) {
		return 0, err
	}
	last, getErr := j.writes.get(ctx, outcomesStream, getRequest{LastFor: msg.Subject})
	if getErr != nil && !errors.Is(getErr, ErrGone) {
		return 0, unavailable(ctx, getErr)
	}
	header, _ := nats.DecodeHeadersMsg(last.Header) // without an id it is not ours
	if id := header.Get(jetstream.MsgIDHeader); id != "" && id == msg.Header.Get(jetstream.MsgIDHeader) {
		return last.Seq, nil
	}
	return 0, fault.Permanent(err)
}

// Last returns the lane's last message in the outcomes stream; ok is false if
// it has none. Errors: ErrGone if it is damaged, ErrUnavailable, the context's.
func (j *Journal) Last(ctx context.Context, lane string) (seq uint64, payload []byte, ok bool, err error) {
	if err := checkName(lane); err != nil {
		return 0, nil, false, err
	}
	last, err := j.reads.get(ctx, outcomesStream, getRequest{LastFor: outcomesPrefix + lane})
	if errors.Is(err, ErrGone) {
		return 0, nil, false, nil
	}
	if err != nil {
		return 0, nil, false, fmt.Errorf("read last outcomes of %s: %w", lane, unavailable(ctx, err))
	}
	_, records, err := decodeFrame(last.Data)
	if err != nil || len(records) != 1 {
		return last.Seq, nil, false, fmt.Errorf("read last outcomes of %s: %w: damaged", lane, ErrGone)
	}
	return last.Seq, records[0], true, nil
}

// unavailable returns ctx's error if the caller ended a request, and otherwise err
// as ErrUnavailable.
func unavailable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return errUnavailable(err)
}

// validName is what a token of a subject may contain. It has room for a tracker's
// name, which may have 64 characters, behind a prefix.
var validName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,96}$`)

func checkName(name string) error {
	if !validName.MatchString(name) {
		return fault.Permanent(fmt.Errorf("name %q: want 1 to 96 letters, digits, \"-\" or \"_\"", name))
	}
	return nil
}

// How long things may take. A journal copies them, so that tests can be quick.
const (
	attemptLimit = 4 * time.Second
	patience     = 20 * time.Second // the whole of the repeated attempts
	retryPause   = 50 * time.Millisecond
	drainLimit   = 5 * time.Second
)
