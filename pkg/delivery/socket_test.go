package delivery_test

import (
	"bufio"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/delivery"
	"github.com/sparrow-edge/sparrow/pkg/event"
)

// peer is a server on a real socket that treats each connection by hand.
type peer struct {
	listener net.Listener
	wait     sync.WaitGroup
	mu       sync.Mutex
	conns    []net.Conn
	requests int
}

func newPeer(t testing.TB, serve func(p *peer, c *net.TCPConn)) *peer {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &peer{listener: listener}
	p.wait.Go(func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			p.mu.Lock()
			p.conns = append(p.conns, c)
			p.mu.Unlock()
			p.wait.Go(func() { serve(p, c.(*net.TCPConn)) })
		}
	})
	t.Cleanup(func() {
		listener.Close()
		p.mu.Lock()
		for _, c := range p.conns {
			c.Close()
		}
		p.mu.Unlock()
		p.wait.Wait()
	})
	return p
}

func (p *peer) url() string { return "http://" + p.listener.Addr().String() }

// readRequest reads one whole request.
func (p *peer) readRequest(r *bufio.Reader) bool {
	req, err := http.ReadRequest(r)
	if err != nil {
		return false
	}
	_, err = io.Copy(io.Discard, req.Body)
	p.mu.Lock()
	p.requests++
	p.mu.Unlock()
	return err == nil
}

// reset closes a connection with RST.
func reset(c *net.TCPConn) {
	_ = c.SetLinger(0)
	_ = c.Close()
}

// answers makes a handler of each raw answer, given once the request was read.
func answers(raw string) func(*peer, *net.TCPConn) {
	return func(p *peer, c *net.TCPConn) {
		if p.readRequest(bufio.NewReader(c)) {
			_, _ = io.WriteString(c, raw)
			_ = c.CloseWrite()
			_, _ = io.Copy(io.Discard, c)
		}
		_ = c.Close()
	}
}

const (
	waits     = event.Pending
	uncertain = event.Uncertain
)

func TestFaultsOnRealSockets(t *testing.T) {
	head := "HTTP/1.1 %s\r\nContent-Length: %d\r\n%s\r\n%s"
	answer := func(status, header, body string) func(*peer, *net.TCPConn) {
		return answers(fmt.Sprintf(head, status, len(body), header, body))
	}
	cases := map[string]struct {
		serve   func(*peer, *net.TCPConn)
		pad     int
		class   string
		dedup   event.Outcome // with a dedup key
		without event.Outcome
	}{
		"500":               {serve: answer("500 Internal Server Error", "", "oops "+secret+" ann@example.com"), class: "http 500", dedup: waits, without: waits},
		"429":               {serve: answer("429 Too Many Requests", "Retry-After: 5\r\n", ""), class: "http 429", dedup: waits, without: waits},
		"400":               {serve: answer("400 Bad Request", "", "bad "+secret+" ann@example.com"), class: "http 400", dedup: event.Rejected, without: event.Rejected},
		"401":               {serve: answer("401 Unauthorized", "", "wrong key "+secret), class: "http 401", dedup: waits, without: waits},
		"redirect":          {serve: answer("302 Found", "Location: http://127.0.0.1:1/?key="+secret+"\r\n", ""), class: "http 302", dedup: waits, without: waits},
		"html":              {serve: answer("200 OK", "Content-Type: text/html\r\n", "<html>"), dedup: event.Delivered, without: event.Delivered},
		"bad gzip":          {serve: answer("200 OK", "Content-Encoding: gzip\r\n", "this is no gzip at all"), class: "transport", dedup: waits, without: uncertain},
		"no http":           {serve: answers("SSH-2.0-OpenSSH " + secret + "\r\n"), class: "transport", dedup: waits, without: uncertain},
		"cut answer":        {serve: answers("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"), class: "connection closed", dedup: waits, without: uncertain},
		"closed unanswered": {serve: answers(""), class: "connection closed", dedup: waits, without: uncertain},
		"no answer in time": {serve: func(p *peer, c *net.TCPConn) {
			p.readRequest(bufio.NewReader(c))
			_, _ = io.Copy(io.Discard, c)
		}, class: "timeout", dedup: waits, without: uncertain},
		"body not read in time": {serve: func(_ *peer, c *net.TCPConn) {
			_ = c.SetReadBuffer(1 << 10)
		}, pad: 16 << 20, class: "timeout", dedup: waits, without: waits},
		"reset before the body": {serve: func(_ *peer, c *net.TCPConn) { reset(c) }, pad: 16 << 20, class: "connection reset|connection closed", dedup: waits, without: waits},
		"reset in the body": {serve: func(_ *peer, c *net.TCPConn) {
			_, _ = io.CopyN(io.Discard, c, 1<<16)
			reset(c)
		}, pad: 16 << 20, class: "connection reset|connection closed", dedup: waits, without: waits},
		"reset after the body": {serve: func(p *peer, c *net.TCPConn) {
			p.readRequest(bufio.NewReader(c))
			reset(c)
		}, class: "connection reset|connection closed", dedup: waits, without: uncertain},
		"refused": {class: "connection refused", dedup: waits, without: waits},
	}
	for name, c := range cases {
		for _, dedup := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/dedup=%v", name, dedup), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, dedup)
				w.transport, w.config.Timeout, w.tracker.pad = nil, 300*time.Millisecond, c.pad
				if c.pad > 0 {
					w.config.Timeout = time.Second
				}
				serve := c.serve
				if serve == nil {
					serve = func(_ *peer, c *net.TCPConn) { c.Close() }
				}
				p := newPeer(t, serve)
				w.tracker.base = p.url()
				if c.serve == nil {
					p.listener.Close()
				}
				want := c.without
				if dedup {
					want = c.dedup
				}
				w.journal.add("buy")
				w.run()
				w.until(func() bool {
					st := w.lane.Status()
					return st.Breaker != delivery.Closed || len(st.Outcomes) > 0
				})
				if err := w.stop(); err != nil {
					t.Fatal(err)
				}
				got := event.Pending
				row, has := w.outcomeLog.rows()[event.Position{Seq: 1}]
				if has {
					got = row.Outcome
				}
				if got != want {
					t.Errorf("outcome %s, want %s: %+v; incidents %s", got, want, row, w.incidents.text())
				}
				if classes := strings.Join(w.incidents.classes(), ","); !slices.Contains(strings.Split(c.class, "|"), classes) {
					t.Errorf("incidents %q, want %q", classes, c.class)
				}
				if last := w.outcomeLog.last(); len(last.Intents)+len(last.Parked) > 0 {
					t.Errorf("last checkpoint: %+v", last)
				}
				w.discreet()
			})
		}
	}
}

// until waits for a state on real sockets.
func (w *world) until(done func() bool) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			w.t.Fatalf("did not happen in time; status %+v, incidents %s", w.lane.Status(), w.incidents.text())
		}
	}
}

// discreet looks for the key and for personal data in all that a lane shows.
func (w *world) discreet() {
	w.t.Helper()
	reported := w.logs.String() + w.incidents.text() + fmt.Sprintf("%+v %+v", w.outcomeLog.checkpoints(), w.lane.Status())
	for _, word := range []string{secret, "ann@example.com", "api_secret=", "Bearer"} {
		if strings.Contains(reported, word) {
			w.t.Errorf("%q is reported: %s", word, reported)
		}
	}
}

func TestStaleConnectionIsNotRetriedBehindOurBack(t *testing.T) {
	w := newWorld(t, false)
	p := newPeer(t, func(p *peer, c *net.TCPConn) {
		defer c.Close()
		r := bufio.NewReader(c)
		if !p.readRequest(r) {
			return
		}
		_, _ = io.WriteString(c, "HTTP/1.1 204 No Content\r\n\r\n")
		p.readRequest(r) // a second request on this connection gets no answer
	})
	w.transport, w.tracker.base = nil, p.url()
	w.journal.add("buy")
	w.run()
	w.until(func() bool { return w.lane.Status().Outcomes[event.Delivered] == 1 })
	w.journal.add("buy")
	w.until(func() bool { return w.lane.Status().Outcomes[event.Uncertain] == 1 })
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.requests != 2 || len(p.conns) != 1 {
		t.Errorf("%d requests on %d connections, want 2 on 1", p.requests, len(p.conns))
	}
}

func TestConnectionClosedWhileIdleLosesAndDoublesNothing(t *testing.T) {
	w := newWorld(t, false)
	server := httptest.NewServer(w.vendor)
	defer server.Close()
	w.transport, w.tracker.base = nil, server.URL
	w.run()
	for n := range 8 {
		w.journal.add("buy")
		w.until(func() bool {
			st := w.lane.Status()
			return st.Outcomes[event.Delivered]+st.Outcomes[event.Uncertain] == uint64(n+1)
		})
		server.CloseClientConnections()
	}
	w.quit()
}

func TestAnswersAreBounded(t *testing.T) {
	for name, compress := range map[string]bool{"plain": false, "gzip bomb": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, true)
			server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				out := io.Writer(rw)
				if compress {
					rw.Header().Set("Content-Encoding", "gzip")
					z := gzip.NewWriter(rw)
					defer z.Close()
					out = z
				}
				rw.WriteHeader(http.StatusBadRequest)
				line := []byte(strings.Repeat("a", 1<<16))
				for range 1 << 10 {
					if _, err := out.Write(line); err != nil {
						return
					}
				}
			}))
			defer server.Close()
			w.transport, w.tracker.base, w.tracker.each = nil, server.URL, 1
			w.journal.add("buy")
			w.run()
			w.until(func() bool { return w.lane.Status().Outcomes[event.Rejected] == 1 })
			w.quit()
			for _, i := range w.incidents.list {
				if len(i.ResponseBody) != 8<<10 || len(i.RequestBody) > 8<<10 {
					t.Errorf("incident of %d and %d bytes", len(i.RequestBody), len(i.ResponseBody))
				}
			}
		})
	}
}

func TestPlainHTTPStaysOnThisMachine(t *testing.T) {
	w := newWorld(t, true)
	w.transport, w.tracker.base = nil, "http://collector.example.com"
	w.journal.add("buy")
	w.run()
	w.until(func() bool { return w.lane.Status().Breaker != delivery.Closed })
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	st := w.lane.Status()
	if !st.BreakerAlarm || !strings.Contains(st.BreakerWhy, "plain http to collector.example.com is refused") {
		t.Errorf("status: %+v", st)
	}
	if got := w.incidents.classes(); !slices.Equal(got, []string{"refused"}) {
		t.Errorf("incidents %v", got)
	}
	w.discreet()
}

func TestShutdownDrainsRequestsUnderWay(t *testing.T) {
	for _, patient := range []bool{true, false} {
		for _, dedup := range []bool{true, false} {
			t.Run(fmt.Sprintf("patient=%v/dedup=%v", patient, dedup), func(t *testing.T) {
				w := newWorld(t, dedup)
				arrived, release := make(chan struct{}), make(chan struct{})
				var once sync.Once
				server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
					body, _ := io.ReadAll(r.Body)
					r.Body = io.NopCloser(strings.NewReader(string(body)))
					once.Do(func() { close(arrived) })
					<-release
					w.vendor.ServeHTTP(rw, r)
				}))
				defer server.Close()
				w.transport, w.tracker.base = nil, server.URL
				w.config.Drain = 10 * time.Second
				if !patient {
					w.config.Drain = 10 * time.Millisecond
				}
				w.journal.add("buy")
				w.run()
				<-arrived
				ended := make(chan error, 1)
				go func() { ended <- w.stop() }()
				if !patient {
					if err := <-ended; err != nil {
						t.Errorf("Run() = %v", err)
					}
				}
				close(release)
				if patient {
					if err := <-ended; err != nil {
						t.Errorf("Run() = %v", err)
					}
				}
				want := map[bool]event.Outcome{true: event.Delivered, false: event.Uncertain}[patient]
				row, has := w.outcomeLog.rows()[event.Position{Seq: 1}]
				if dedup && !patient {
					if has {
						t.Errorf("row %+v, want none: it is sent again", row)
					}
				} else if row.Outcome != want {
					t.Errorf("row %+v, want %s", row, want)
				}
			})
		}
	}
}
