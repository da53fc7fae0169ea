package journal

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	natsd "github.com/nats-io/nats-server/v2/server"

	"github.com/sparrow-edge/sparrow/pkg/retry"
)

const (
	// maxPayload of the embedded server: the largest frame.
	maxPayload = 8 << 20
	// stopLimit bounds the shutdown of a server that may be wedged. A second one
	// must not open the directory while the first uses it.
	stopLimit = 20 * time.Second
	// progressPeriod is how often a long start logs that it goes on.
	progressPeriod = 5 * time.Second
)

// server is the JetStream server inside this process. It outlives restarts:
// connections dial through it and so reach whichever server runs now.
type server struct {
	dir string
	log *slog.Logger

	// writeError is why a stream cannot be written any more. The server then answers
	// no publish until it is restarted.
	writeError atomic.Pointer[string]

	mu      sync.Mutex
	running *natsd.Server
	wrap    func(net.Conn) net.Conn // nil but in tests
}

// InProcessConn makes server a nats.InProcessConnProvider.
func (s *server) InProcessConn() (net.Conn, error) {
	s.mu.Lock()
	running, wrap := s.running, s.wrap
	s.mu.Unlock()
	if running == nil {
		return nil, errors.New("journal server is not running")
	}
	conn, err := running.InProcessConn()
	if err == nil && wrap != nil {
		conn = wrap(conn)
	}
	return conn, err
}

func (s *server) options() *natsd.Options {
	return &natsd.Options{
		ServerName: "sparrow",
		DontListen: true,
		NoSigs:     true,
		JetStream:  true,
		StoreDir:   s.dir,
		SyncAlways: true,
		MaxPayload: maxPayload,
		// The streams have bounds of their own; the server's would only stop a
		// stream from coming back whose bound was lowered.
		JetStreamMaxStore:      math.MaxInt64 / 4,
		JetStreamMaxMemory:     16 << 20,
		DisableJetStreamBanner: true,
	}
}

// start starts a server. After a crash it reads every block of the streams again,
// which may take minutes; its progress is logged.
func (s *server) start(ctx context.Context) error {
	s.writeError.Store(nil)
	messages := &serverLog{log: s.log, writeError: &s.writeError}
	ns, err := natsd.NewServer(s.options())
	if err != nil {
		return fmt.Errorf("make journal server: %w", err)
	}
	ns.SetLoggerV2(messages, false, false, false)
	started := make(chan struct{})
	go func() {
		defer close(started)
		ns.Start()
	}()
	if err := s.await(ctx, started); err != nil {
		return errors.Join(err, stopServer(ns))
	}
	if problem := messages.fatal(); problem != "" || !ns.JetStreamEnabled() {
		return errors.Join(fmt.Errorf("start journal server: JetStream is not enabled: %s", problem), stopServer(ns))
	}
	s.mu.Lock()
	s.running = ns
	s.mu.Unlock()
	return nil
}

func (s *server) await(ctx context.Context, started <-chan struct{}) error {
	begin := time.Now()
	tick := time.Tick(progressPeriod)
	for {
		select {
		case <-started:
			return nil
		case <-tick:
			s.log.Info("journal is being scanned", "elapsed", time.Since(begin).Round(time.Second))
		case <-ctx.Done():
			return fmt.Errorf("start journal server: %w", ctx.Err())
		}
	}
}

// check reports why the server cannot store anything, or nil.
func (s *server) check() error {
	if text := s.writeError.Load(); text != nil {
		return fmt.Errorf("%s: check the disk and the permissions of %s", *text, s.dir)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.running == nil || !s.running.Running() || !s.running.JetStreamEnabled() {
		return errors.New("JetStream has switched itself off")
	}
	return nil
}

func (s *server) stop() error {
	s.mu.Lock()
	running := s.running
	s.running = nil
	s.mu.Unlock()
	if running == nil {
		return nil
	}
	return stopServer(running)
}

func stopServer(ns *natsd.Server) error {
	if within(stopLimit, func() { ns.Shutdown(); ns.WaitForShutdown() }) {
		return nil
	}
	return fmt.Errorf("journal server did not stop within %v: check its disk; what was acknowledged is stored", stopLimit)
}

// serverLog writes the server's log to ours.
type serverLog struct {
	log        *slog.Logger
	writeError *atomic.Pointer[string]
	repeats    retry.Repeats
	mu         sync.Mutex
	problem    string // of Fatalf
}

func (l *serverLog) Noticef(format string, v ...any) { l.write(slog.LevelDebug, format, v) }
func (l *serverLog) Debugf(format string, v ...any)  { l.write(slog.LevelDebug, format, v) }
func (l *serverLog) Tracef(string, ...any)           {}
func (l *serverLog) Warnf(format string, v ...any)   { l.write(slog.LevelWarn, format, v) }

// Errorf is the only sign of a stream whose file cannot be written any more.
func (l *serverLog) Errorf(format string, v ...any) {
	l.write(slog.LevelError, format, v)
	if strings.Contains(strings.ToLower(format), "critical write error") {
		text := fmt.Sprintf(format, v...)
		l.writeError.Store(&text)
	}
}

// Fatalf is called when the server gives up. We must end it.
func (l *serverLog) Fatalf(format string, v ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.problem = fmt.Sprintf(format, v...)
}

func (l *serverLog) write(level slog.Level, format string, v []any) {
	if !l.log.Enabled(context.Background(), level) {
		return
	}
	if before, due := l.repeats.Due(format); due || level < slog.LevelWarn {
		l.log.Log(context.Background(), level, "journal server says", "text", fmt.Sprintf(format, v...), "repeated", before)
	}
}

func (l *serverLog) fatal() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.problem
}
