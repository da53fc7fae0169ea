package vendortest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/tracker/vendortest"
)

// fake takes every body and answers 200.
func fake(t *testing.T) (*vendortest.Faults, *vendortest.Log, *httptest.Server) {
	t.Helper()
	faults, taken := &vendortest.Faults{}, vendortest.NewLog(nil)
	server := httptest.NewServer(faults.Wrap(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := vendortest.ReadBody(r)
		if err != nil {
			t.Error(err)
		}
		taken.Add(vendortest.Entry{Name: string(body), Data: json.RawMessage("{}")})
	})))
	t.Cleanup(func() { faults.Clear(); server.Close() })
	return faults, taken, server
}

func post(ctx context.Context, t *testing.T, server *httptest.Server) (int, http.Header, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL, strings.NewReader("event"))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := server.Client().Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return 0, nil, err
	}
	return resp.StatusCode, resp.Header, nil
}

func TestAnswersToOrder(t *testing.T) {
	faults, taken, server := fake(t)
	faults.Order(
		vendortest.Fault{Status: 429, Header: http.Header{"retry-after": {"7"}}, Times: 2},
		vendortest.Fault{Times: 1},
	)
	for i, want := range []int{429, 429, 500, 200} {
		code, header, err := post(t.Context(), t, server)
		if err != nil || code != want || code == 429 && header.Get("Retry-After") != "7" {
			t.Errorf("request %d: status %d, %v, %v; want %d", i, code, header, err, want)
		}
	}
	if taken.Total() != 1 || faults.Met() != 3 {
		t.Errorf("taken %d, met %d", taken.Total(), faults.Met())
	}
}

func TestBrokenConnections(t *testing.T) {
	for name, try := range map[string]struct {
		stage vendortest.Stage
		taken int
	}{
		"reset unread":        {vendortest.ResetUnread, 0},
		"reset after reading": {vendortest.ResetRead, 0},
		"reset after taking":  {vendortest.ResetTaken, 1},
	} {
		t.Run(name, func(t *testing.T) {
			faults, taken, server := fake(t)
			faults.Order(vendortest.Fault{Stage: try.stage})
			if code, _, err := post(t.Context(), t, server); err == nil {
				t.Errorf("status %d, want no answer", code)
			}
			if got := taken.Total(); got < try.taken || try.taken == 0 && got != 0 { // net/http may send again by itself
				t.Errorf("taken %d, want %d", got, try.taken)
			}
		})
	}
}

func TestHangsUntilTheClientGivesUpOrTheFaultIsCleared(t *testing.T) {
	for stage, wantTaken := range map[vendortest.Stage]int{vendortest.HangRead: 0, vendortest.HangTaken: 1} {
		faults, taken, server := fake(t)
		faults.Order(vendortest.Fault{Stage: stage, Times: 1})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() {
			_, _, err := post(ctx, t, server)
			done <- err
		}()
		for faults.Met() == 0 || taken.Total() < wantTaken {
			select {
			case err := <-done:
				t.Fatalf("stage %d: answered: %v", stage, err)
			case <-time.After(time.Millisecond):
			}
		}
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("stage %d: %v", stage, err)
		}
		if taken.Total() != wantTaken {
			t.Errorf("stage %d: taken %d, want %d", stage, taken.Total(), wantTaken)
		}
	}
	faults, _, server := fake(t)
	faults.Order(vendortest.Fault{Stage: vendortest.HangRead})
	done := make(chan error, 1)
	go func() {
		_, _, err := post(t.Context(), t, server)
		done <- err
	}()
	for faults.Met() == 0 {
		select {
		case err := <-done:
			t.Fatalf("answered: %v", err)
		case <-time.After(time.Millisecond):
		}
	}
	faults.Clear()
	if err := <-done; err == nil {
		t.Error("the hanging request was answered")
	}
}

func TestWithoutAConnectionToTakeOver(t *testing.T) {
	var faults vendortest.Faults
	faults.Order(vendortest.Fault{Stage: vendortest.ResetUnread})
	defer func() {
		if p := recover(); p != http.ErrAbortHandler {
			t.Errorf("recovered %v, want net/http's ErrAbortHandler", p)
		}
	}()
	faults.Wrap(http.NotFoundHandler()).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/", nil))
}

func TestLogKeepsTheLastAndWritesAll(t *testing.T) {
	var out bytes.Buffer
	log := vendortest.NewLog(&out)
	const n = 1<<18 + 10
	batch := make([]vendortest.Entry, n)
	for i := range batch {
		batch[i] = vendortest.Entry{Key: strconv.Itoa(i), Data: json.RawMessage("1")}
	}
	log.Add(batch...)
	entries := log.Entries()
	if log.Total() != n || len(entries) != 1<<18 || entries[0].Key != "10" || bytes.Count(out.Bytes(), []byte("\n")) != n || log.Err() != nil {
		t.Errorf("total %d, kept %d from %s, %v", log.Total(), len(entries), entries[0].Key, log.Err())
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func TestLogTellsThatItsFileBroke(t *testing.T) {
	log := vendortest.NewLog(brokenWriter{})
	log.Add(vendortest.Entry{Data: json.RawMessage("1")})
	log.Add(vendortest.Entry{Data: json.RawMessage("1")})
	if !errors.Is(log.Err(), io.ErrShortWrite) || log.Total() != 2 {
		t.Errorf("%v, total %d", log.Err(), log.Total())
	}
}

func TestSeenForgetsTheOldest(t *testing.T) {
	var seen vendortest.Seen
	const bound = 1 << 20
	for i := range bound + 1 {
		if !seen.Add(strconv.Itoa(i)) {
			t.Fatalf("%d is not new", i)
		}
	}
	if seen.Add("1") || !seen.Add("0") || seen.Repeats() != 1 {
		t.Errorf("repeats %d; the oldest key is kept, or another forgotten", seen.Repeats())
	}
}

func TestViolationsAreBounded(t *testing.T) {
	var v vendortest.Violations
	for range 600 {
		v.Add(vendortest.Violation{Rule: "a", Detail: "b"}, vendortest.Violation{Rule: "c", Detail: "d"})
	}
	if v.Total() != 1200 || len(v.First()) != 1000 || v.First()[0].String() != "a: b" {
		t.Errorf("total %d, kept %d", v.Total(), len(v.First()))
	}
}
