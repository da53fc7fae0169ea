package journal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// errInterrupted means that the answer will not come: ask again.
var errInterrupted = errors.New("interrupted while reading")

// fetcher asks for batches of messages by direct get. Each request has a reply
// subject of its own, so that a late answer to an earlier one is recognised.
type fetcher struct {
	link   *link
	stream string
	sub    *nats.Subscription
	inbox  string
	serial uint64
	reply  string          // of the request whose answer is awaited, "" for none
	up     context.Context // of the connection it was sent on
	behind bool            // more followed the last complete answer
}

func newFetcher(l *link, stream string) (*fetcher, error) {
	f := &fetcher{link: l, stream: stream, inbox: nats.NewInbox() + "."}
	sub, err := l.conn.SubscribeSync(f.inbox + "*")
	if err != nil {
		return nil, err
	}
	f.sub = sub
	return f, nil
}

func (f *fetcher) close() error { return f.sub.Unsubscribe() }

// awaiting reports whether a request is under way.
func (f *fetcher) awaiting() bool { return f.reply != "" }

func (f *fetcher) cancel() { f.reply = "" }

func (f *fetcher) request(want getRequest) error {
	body, err := json.Marshal(want)
	if err != nil {
		return err
	}
	f.serial++
	f.up = f.link.alive()
	f.reply = f.inbox + strconv.FormatUint(f.serial, 36)
	if err := f.link.conn.PublishRequest("$JS.API.DIRECT.GET."+f.stream, f.reply, body); err != nil {
		f.cancel()
		return errInterrupted
	}
	return nil
}

// next returns the next message of the answer, nil at its end. When ctx ends,
// what has not been returned yet comes with the next call.
func (f *fetcher) next(ctx context.Context) (*nats.Msg, error) {
	for {
		msg, err := f.receive(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
			f.cancel()
			return nil, errInterrupted
		}
		if msg.Subject != f.reply {
			continue
		}
		switch msg.Header.Get("Status") {
		case "":
			return msg, nil
		case "204", "404": // end of the batch, nothing found
			f.cancel()
			pending := msg.Header.Get("Nats-Num-Pending")
			f.behind = pending != "" && pending != "0"
			return nil, nil
		default: // nobody answers, ...
			f.cancel()
			return nil, errInterrupted
		}
	}
}

func (f *fetcher) receive(ctx context.Context) (*nats.Msg, error) {
	if n, _, err := f.sub.Pending(); err == nil && n > 0 {
		return f.sub.NextMsgWithContext(ctx)
	}
	ctx, cancel := context.WithTimeout(ctx, requestLimit)
	defer cancel()
	defer context.AfterFunc(f.up, cancel)()
	return f.sub.NextMsgWithContext(ctx)
}

// direct makes a stored message of a direct get's answer.
func direct(msg *nats.Msg) (stored, error) {
	m := stored{Subject: msg.Header.Get(jetstream.SubjectHeader), Seq: sequence(msg), Data: msg.Data}
	if m.Seq == 0 {
		return stored{}, errors.New("message without a sequence")
	}
	var err error
	if m.Time, err = time.Parse(time.RFC3339Nano, msg.Header.Get(jetstream.TimeStampHeaer)); err != nil {
		return stored{}, fmt.Errorf("message %d: %w", m.Seq, err)
	}
	return m, nil
}

// sequence returns 0 if there is none.
func sequence(msg *nats.Msg) uint64 {
	seq, _ := strconv.ParseUint(msg.Header.Get(jetstream.SequenceHeader), 10, 64)
	return seq
}
