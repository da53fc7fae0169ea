package journal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	reconnectWait = 50 * time.Millisecond
	connectLimit  = 10 * time.Second
	requestLimit  = 5 * time.Second
)

// link is one connection to the server. It reconnects for ever by itself, also
// to an embedded server that was restarted. It buffers nothing while it is down:
// what cannot be sent at once is an error for the caller, who may have given up by
// the time the connection is back.
//
// There are two links, one for writes and one for reads: the server handles a
// direct get in the reading loop of its connection, which would delay the appends.
type link struct {
	conn *nats.Conn
	js   jetstream.JetStream

	mu   sync.Mutex
	up   context.Context // ends when the connection goes down
	down context.CancelFunc
}

func connect(ctx context.Context, name, url string, embedded *server, log *slog.Logger) (*link, error) {
	l := &link{}
	l.up, l.down = context.WithCancel(context.Background())
	dial := &dialer{starting: ctx, established: make(chan struct{})}
	opts := []nats.Option{
		nats.SetCustomDialer(dial),
		nats.Name("sparrow " + name),
		nats.Timeout(connectLimit),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(reconnectWait),
		nats.ReconnectJitter(reconnectWait, reconnectWait),
		nats.ReconnectBufSize(-1),
		nats.PingInterval(10 * time.Second),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			l.down()
			if err != nil {
				log.Warn("journal connection lost", "connection", name, "err", err)
			}
		}),
		nats.ReconnectHandler(func(*nats.Conn) { l.renew() }),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			log.Warn("journal connection error", "connection", name, "err", err)
		}),
	}
	if embedded != nil {
		opts = append(opts, nats.InProcessServer(embedded))
	}
	conn, err := nats.Connect(url, opts...)
	close(dial.established)
	if err != nil {
		l.down()
		return nil, fmt.Errorf("connect to journal server: %w", err)
	}
	l.conn = conn
	l.js, err = jetstream.New(conn)
	if err != nil {
		l.close()
		return nil, fmt.Errorf("connect to journal server: %w", err)
	}
	return l, nil
}

// dialer opens the connections to a cluster. Until the first is established they
// are closed when starting ends: a server that accepts and says nothing must not
// delay a process that must stop while it starts.
type dialer struct {
	starting    context.Context
	established chan struct{} // closed then
}

// Dial is nats.CustomDialer's.
func (d *dialer) Dial(network, address string) (net.Conn, error) {
	dial := net.Dialer{Timeout: connectLimit}
	select {
	case <-d.established:
		return dial.Dial(network, address)
	default:
	}
	conn, err := dial.DialContext(d.starting, network, address)
	if err == nil {
		context.AfterFunc(d.starting, func() {
			select {
			case <-d.established:
			default:
				_ = conn.Close() // its reader gets the error
			}
		})
	}
	return conn, err
}

func (l *link) renew() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down()
	l.up, l.down = context.WithCancel(context.Background())
}

// alive returns a context that ends when the connection that is up now goes down.
func (l *link) alive() context.Context {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.up
}

// bound makes a context that ends with ctx, after limit, or when the connection
// goes down, because then no answer can come.
func (l *link) bound(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	stop := context.AfterFunc(l.alive(), cancel)
	return ctx, func() { stop(); cancel() }
}

func (l *link) close() {
	l.conn.Close()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down()
}

// stored is a message as the server keeps it.
type stored struct {
	Subject string    `json:"subject"`
	Seq     uint64    `json:"seq"`
	Header  []byte    `json:"hdrs"`
	Data    []byte    `json:"data"`
	Time    time.Time `json:"time"`
}

type getRequest struct {
	Seq      uint64     `json:"seq,omitempty"`
	LastFor  string     `json:"last_by_subj,omitempty"`
	NextFor  string     `json:"next_by_subj,omitempty"`
	Start    *time.Time `json:"start_time,omitempty"`
	Batch    int        `json:"batch,omitempty"`
	MaxBytes int        `json:"max_bytes,omitempty"`
}

const (
	codeNoMessage = 10037
	codeNoStream  = 10059
)

// ask sends a request and reads the server's answer, or returns the error in it as a
// *jetstream.APIError.
func (l *link) ask(ctx context.Context, msg *nats.Msg, limit time.Duration, answer any) error {
	ctx, cancel := l.bound(ctx, limit)
	defer cancel()
	reply, err := l.conn.RequestMsgWithContext(ctx, msg)
	if err != nil {
		return err
	}
	var failed struct {
		Error *jetstream.APIError `json:"error"`
	}
	if err := errors.Join(json.Unmarshal(reply.Data, &failed), json.Unmarshal(reply.Data, answer)); err != nil {
		return fmt.Errorf("decode the journal server's answer: %w", err)
	}
	if failed.Error != nil {
		return failed.Error
	}
	return nil
}

// get asks the stream's leader for one message, because a replica may lag behind.
// The error is ErrGone if there is none.
func (l *link) get(ctx context.Context, stream string, want getRequest) (stored, error) {
	body, err := json.Marshal(want)
	if err != nil {
		return stored{}, err
	}
	var answer struct {
		Message stored `json:"message"`
	}
	err = l.ask(ctx, &nats.Msg{Subject: "$JS.API.STREAM.MSG.GET." + stream, Data: body}, requestLimit, &answer)
	if refusal, ok := errors.AsType[*jetstream.APIError](err); ok && (refusal.ErrorCode == codeNoMessage || refusal.Code == 404) {
		return stored{}, ErrGone
	}
	return answer.Message, err
}

// state asks for a stream's bounds and size.
func (l *link) state(ctx context.Context, stream string) (jetstream.StreamState, error) {
	var answer struct {
		State jetstream.StreamState `json:"state"`
	}
	err := l.ask(ctx, &nats.Msg{Subject: "$JS.API.STREAM.INFO." + stream}, requestLimit, &answer)
	return answer.State, err
}

// publish sends msg once, and returns the server's answer. The error is ErrFenced if
// the subject's last message is not the one that msg expects.
func (l *link) publish(ctx context.Context, msg *nats.Msg, limit time.Duration) (*jetstream.PubAck, error) {
	ack := &jetstream.PubAck{}
	err := l.ask(ctx, msg, limit, ack)
	switch code := apiCode(err); {
	case code == codeWrongLast || code == codeWrongLastOnly:
		return nil, ErrFenced
	case err != nil:
		return nil, err
	}
	if ack.Stream == "" || ack.Sequence == 0 {
		return nil, errors.New("acknowledgement without a sequence")
	}
	return ack, nil
}

// apiCode is the code of a server's answer, 0 if err is not one.
func apiCode(err error) jetstream.ErrorCode {
	if e, ok := errors.AsType[*jetstream.APIError](err); ok {
		return e.ErrorCode
	}
	return 0
}
