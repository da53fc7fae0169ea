package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/trail"
)

// socketName is the socket's file in the data directory.
const socketName = "sparrow.sock"

// maxRequest bounds the body of a request, in bytes.
const maxRequest = 1 << 20

// Listen opens the unix socket in the data directory, readable and writable for
// its owner only. A socket left by a process that is gone is replaced; the
// data directory's lock makes sure that there is no other.
func Listen(data string) (net.Listener, error) {
	path := filepath.Join(data, socketName)
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("replace admin socket: %w", err)
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("open admin socket: %w (a socket's path may have about 100 characters: shorten `data`)", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("protect admin socket: %w", err), l.Close())
	}
	return l, nil
}

// Handler serves the routes of the package over ops.
func Handler(ops Operations) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /query", body(func(ctx context.Context, q queryRequest) (*Table, error) { return ops.Query(ctx, q.SQL, q.MaxRows) }))
	mux.HandleFunc("GET /events/{id}", answer(func(r *http.Request) ([]trail.Trail, error) {
		withRequest, _ := strconv.ParseBool(r.URL.Query().Get("request"))
		return ops.Event(r.Context(), r.PathValue("id"), withRequest)
	}))
	mux.HandleFunc("GET /tail", func(w http.ResponseWriter, r *http.Request) { tail(ops, w, r) })
	mux.HandleFunc("GET /reconcile", since(ops.Reconcile))
	mux.HandleFunc("GET /verify", since(ops.Verify))
	mux.HandleFunc("GET /uncounted", since(ops.UncountedDays))
	mux.HandleFunc("POST /uncounted", body(func(ctx context.Context, d UncountedDay) (UncountedDay, error) {
		day, err := time.Parse(time.DateOnly, d.Day)
		if err != nil {
			return d, BadRequest(fmt.Errorf("day: %w", err))
		}
		return ops.CountDay(ctx, day)
	}))
	mux.HandleFunc("GET /trackers", answer(func(r *http.Request) ([]TrackerStatus, error) { return ops.Trackers(r.Context()) }))
	mux.HandleFunc("DELETE /trackers/{name}", answer(func(r *http.Request) (Removal, error) {
		return ops.RemoveTracker(r.Context(), r.PathValue("name"))
	}))
	mux.HandleFunc("POST /views", body(func(ctx context.Context, v viewsRequest) (ViewChange, error) { return ops.ApplyViews(ctx, v.Drop) }))
	return mux
}

type queryRequest struct {
	SQL     string `json:"sql"`
	MaxRows int    `json:"maxRows"`
}

type viewsRequest struct {
	Drop bool `json:"drop"`
}

func tail(ops Operations, w http.ResponseWriter, r *http.Request) {
	control := http.NewResponseController(w)
	w.Header().Set("Content-Type", "application/x-ndjson")
	w.WriteHeader(http.StatusOK)
	if err := control.Flush(); err != nil {
		return
	}
	out := json.NewEncoder(w)
	filter := TailFilter{Source: r.URL.Query().Get("source"), Event: r.URL.Query().Get("event")}
	// The answer has begun: an error can only end it, which the reader sees.
	_ = ops.Tail(r.Context(), filter, func(e TailEvent) error {
		if err := out.Encode(e); err != nil {
			return err
		}
		return control.Flush()
	})
}

// since serves an operation on the days since a time.
func since[T any](operation func(context.Context, time.Time) (T, error)) http.HandlerFunc {
	return answer(func(r *http.Request) (value T, err error) {
		from, err := time.Parse(time.RFC3339, r.URL.Query().Get("since"))
		if err != nil {
			return value, BadRequest(errors.New("since: want an RFC 3339 time"))
		}
		return operation(r.Context(), from)
	})
}

// body serves an operation whose arguments are the request's body, in JSON.
func body[Q, T any](operation func(context.Context, Q) (T, error)) http.HandlerFunc {
	return answer(func(r *http.Request) (value T, err error) {
		var q Q
		if err := json.NewDecoder(io.LimitReader(r.Body, maxRequest)).Decode(&q); err != nil {
			return value, BadRequest(fmt.Errorf("read request: %w", err))
		}
		return operation(r.Context(), q)
	})
}

type failure struct {
	Error string `json:"error"`
}

// answer serves what an operation returns, or its error with the status of its kind.
func answer[T any](operation func(*http.Request) (T, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		value, err := operation(r)
		var result any = value
		status := http.StatusOK
		if err != nil {
			result, status = failure{err.Error()}, http.StatusInternalServerError
		}
		switch {
		case errors.Is(err, ErrNotFound):
			status = http.StatusNotFound
		case errors.Is(err, ErrBadRequest):
			status = http.StatusBadRequest
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(result) // fails only if the reader went away
	}
}
