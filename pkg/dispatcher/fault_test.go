package dispatcher_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/sparrow-edge/sparrow/pkg/dispatcher"
	"github.com/sparrow-edge/sparrow/pkg/quantity"
)

// exchangeRaw writes a request's bytes and reads the answer, on a connection
// that stays open.
func exchangeRaw(t *testing.T, g *gateway, request string) answer {
	t.Helper()
	conn, err := net.Dial("tcp", g.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	return read(t, resp)
}

// TestSlowBody checks that a body that does not come is given up, whether or
// not anybody would read it.
func TestSlowBody(t *testing.T) {
	c := testConfig()
	c.Limits.BodyTimeout = 50 * time.Millisecond
	g := newGateway(t, c)
	for key, status := range map[string]int{siteKey: http.StatusRequestTimeout, "pk_test_other": http.StatusUnauthorized} {
		a := exchangeRaw(t, g, "POST /v1/events?key="+key+" HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{\"event\":")
		if a.status != status {
			t.Errorf("key %s: status %d, want %d", key, a.status, status)
		}
	}
	if records := g.log.all(); len(records) != 0 {
		t.Errorf("kept %d records of half a body", len(records))
	}
}

// TestBodyEndsEarly checks a chunked body that breaks off.
func TestBodyEndsEarly(t *testing.T) {
	g := newGateway(t, testConfig())
	a := exchangeRaw(t, g, "POST /v1/events?key="+siteKey+" HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"eve\r\nnonsense\r\n")
	if a.status != http.StatusBadRequest || a.Code != "broken" || len(g.log.all()) != 0 {
		t.Errorf("answer %d %s", a.status, a.body)
	}
}

// TestSlowAppend checks that the body's deadline does not end a slow append.
func TestSlowAppend(t *testing.T) {
	c := testConfig()
	c.Limits.BodyTimeout = 20 * time.Millisecond
	g := newGateway(t, c)
	g.log.set(func(l *memoryLog) {
		l.fault = func(ctx context.Context) error {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(200 * time.Millisecond):
				return nil
			}
		}
	})
	if a := g.post(t, purchase); a.status != http.StatusOK {
		t.Errorf("answer %d %s", a.status, a.body)
	}
}

// unreadable is a body that nobody may read.
type unreadable struct{ t *testing.T }

func (u unreadable) Read([]byte) (int, error) {
	u.t.Error("the body was read")
	return 0, io.EOF
}

// TestRefusedBodyIsNotRead checks that what the header decides costs no memory.
func TestRefusedBodyIsNotRead(t *testing.T) {
	g := newGateway(t, testConfig())
	router := chi.NewRouter()
	g.dispatcher.Mount(router, "/s")
	for name, o := range map[string]option{
		"key":      path("/v1/events?key=pk_test_other"),
		"origin":   header("Origin", "https://evil.example"),
		"type":     header("Content-Type", "image/png"),
		"encoding": header("Content-Encoding", "zstd"),
		"length":   func(r *http.Request) { r.ContentLength = 2 << 20 },
		"method":   method(http.MethodPut),
	} {
		r := httptest.NewRequest(http.MethodPost, "/v1/events?key="+siteKey, unreadable{t})
		o(r)
		w := httptest.NewRecorder()
		router.ServeHTTP(w, r)
		if w.Code < 400 {
			t.Errorf("%s: status %d", name, w.Code)
		}
	}
}

// TestMemoryIsBounded blocks the log and sends more than fits: what does not is
// answered 503 and nothing else is lost.
func TestMemoryIsBounded(t *testing.T) {
	c := testConfig()
	c.Limits.Body, c.Limits.Inflated, c.Limits.Event, c.Limits.Events = 64*quantity.KiB, 64*quantity.KiB, 64*quantity.KiB, 1
	c.Limits.InFlight = 1300 * quantity.KiB
	g := newGateway(t, c)
	release := make(chan struct{})
	g.log.set(func(l *memoryLog) { l.fault = func(context.Context) error { <-release; return nil } })
	body := `{"event":"e","deviceId":"d","properties":{"a":"` + strings.Repeat("x", 60<<10) + `"}}`
	const requests = 40
	answers := make(chan answer, requests)
	var sent sync.WaitGroup
	for range requests {
		sent.Go(func() { answers <- g.post(t, body) })
	}
	counts := map[string]int{}
	for range requests {
		a := <-answers
		if counts[fmt.Sprint(a.status, a.Code)]++; counts["503busy"] == 1 {
			close(release)
			counts["503busy"]++ // so that it is closed once
		}
	}
	sent.Wait()
	accepted, busy := counts["200"], counts["503busy"]-1
	if busy < 1 || accepted < 4 || accepted+busy != requests || len(g.log.all()) != accepted {
		t.Errorf("answers %v, %d records", counts, len(g.log.all()))
	}
	if held := g.metric(t, "sparrow_dispatcher_in_flight_bytes"); held != 0 {
		t.Errorf("%v bytes still held", held)
	}
}

// TestPanic checks that a panic is told, answered, and does not end the gateway.
func TestPanic(t *testing.T) {
	g := newGateway(t, testConfig())
	g.log.set(func(l *memoryLog) { l.fault = func(context.Context) error { panic("a client's secret") } })
	if a := g.post(t, purchase); a.status != http.StatusInternalServerError {
		t.Fatalf("status %d", a.status)
	}
	seen := g.incidents.all()
	if len(seen) != 1 || seen[0].Class != "internal" || strings.Contains(seen[0].Err.Error(), "a client's secret") || !strings.Contains(seen[0].Err.Error(), "fault_test.go") {
		t.Errorf("told %+v", seen)
	}
	g.log.set(func(l *memoryLog) { l.fault = nil })
	if a := g.post(t, purchase); a.status != http.StatusOK {
		t.Errorf("status %d after a panic", a.status)
	}
}

// TestAbort checks that the server's own panic goes on to the server, and that
// nothing is left behind.
func TestAbort(t *testing.T) {
	g := newGateway(t, testConfig())
	g.log.set(func(l *memoryLog) { l.fault = func(context.Context) error { panic(http.ErrAbortHandler) } })
	resp, err := g.Client().Post(g.URL+"/v1/events?key="+siteKey, "", strings.NewReader(purchase))
	if err == nil {
		resp.Body.Close()
		t.Fatalf("status %d, want a dropped connection", resp.StatusCode)
	}
	g.Close() // waits for the handler
	if len(g.incidents.all()) != 0 || g.metric(t, "sparrow_dispatcher_in_flight_bytes") != 0 || g.metric(t, "sparrow_dispatcher_in_flight_requests") != 0 {
		t.Error("told as an incident, or something is still held")
	}
}

// TestFailedAppendIsTold checks that a failed append reaches the observer, and
// a client that left does not.
func TestFailedAppendIsTold(t *testing.T) {
	g := newGateway(t, testConfig())
	broken := errors.New("disk on fire")
	g.log.set(func(l *memoryLog) { l.fault = func(context.Context) error { return broken } })
	g.post(t, purchase)
	if seen := g.incidents.all(); len(seen) != 1 || !errors.Is(seen[0].Err, broken) || seen[0].Component != "dispatcher" {
		t.Fatalf("told %+v", seen)
	}

	appending, finished := make(chan struct{}), make(chan struct{})
	g.log.set(func(l *memoryLog) {
		l.fault = func(ctx context.Context) error {
			defer close(finished)
			close(appending)
			<-ctx.Done()
			return ctx.Err()
		}
	})
	ctx, leave := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, g.URL+"/v1/events?key="+siteKey, strings.NewReader(purchase))
	if err != nil {
		t.Fatal(err)
	}
	go func() { <-appending; leave() }()
	if resp, err := g.Client().Do(r); err == nil {
		resp.Body.Close()
		t.Fatalf("status %d for a client that left", resp.StatusCode)
	}
	<-finished
	g.Close() // waits for the handler
	if seen := g.incidents.all(); len(seen) != 1 {
		t.Errorf("told %+v", seen)
	}
}

// TestConcurrency sends from many clients at once, some refused, and compares
// the ids that were acknowledged with those that were appended.
func TestConcurrency(t *testing.T) {
	g := newGateway(t, testConfig())
	var (
		clients sync.WaitGroup
		mu      sync.Mutex
		acked   = map[string]bool{}
	)
	for client := range 16 {
		clients.Go(func() {
			for n := range 40 {
				id := fmt.Sprintf("c%d-%d", client, n)
				one := fmt.Sprintf(`{"event":"e","deviceId":"d","eventId":"%s","properties":{"pad":"%s"}}`, id, strings.Repeat(id, n))
				body, options := one, []option(nil)
				switch n % 4 {
				case 1:
					body = zipped(t, "["+one+"]")
					options = append(options, header("Content-Encoding", "gzip"))
				case 2:
					body = `{"events":[` + one + `]}`
				case 3:
					options = append(options, path("/v1/events"))
				}
				if a := g.post(t, body, options...); a.status == http.StatusOK {
					mu.Lock()
					acked[id] = true
					mu.Unlock()
				}
			}
		})
	}
	clients.Wait()
	records := g.log.all()
	for _, r := range records {
		if !acked[r.EventID] || !strings.Contains(string(r.Data), `"eventId":"`+r.EventID+`"`) {
			t.Fatalf("record %s holds %.200s", r.EventID, r.Data)
		}
		delete(acked, r.EventID)
	}
	if len(records) != 16*30 || len(acked) != 0 {
		t.Errorf("%d records; acknowledged and missing: %v", len(records), acked)
	}
}

func TestRatesAreOfTheSource(t *testing.T) {
	c := testConfig()
	c.Sources[0].Rate, c.Sources[0].Burst = quantity.Rate(1)/3600, 2
	g := newGateway(t, c)
	g.post(t, events(2))
	for key, status := range map[string]int{siteKey: 429, "pk_test_rotated": 429, serverKey: 200} {
		if a := g.post(t, purchase, path("/v1/events?key="+key)); a.status != status {
			t.Errorf("key %s: status %d, want %d", key, a.status, status)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	if _, err := dispatcher.New(testConfig(), nil, dispatcher.Options{}); err == nil {
		t.Error("no log, no error")
	}
	if _, err := dispatcher.New(dispatcher.DefaultConfig(), &memoryLog{}, dispatcher.Options{}); err == nil || !strings.Contains(err.Error(), "sources") {
		t.Errorf("no sources: %v", err)
	}
	g := newGateway(t, testConfig())
	if _, err := dispatcher.New(testConfig(), g.log, dispatcher.Options{Registerer: g.registry}); err == nil {
		t.Error("metrics registered twice, no error")
	}
}
