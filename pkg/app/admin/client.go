package admin

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/trail"
)

// ErrNoGateway is returned, wrapped, when no gateway listens in the data
// directory.
var ErrNoGateway = errors.New("no gateway is running")

// Client asks the gateway that runs on a data directory. It implements
// Operations.
type Client struct {
	http *http.Client
}

// Dial makes a client and checks that a gateway answers; ErrNoGateway if none
// does.
func Dial(ctx context.Context, data string) (*Client, error) {
	path := filepath.Join(data, socketName)
	var d net.Dialer
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) { return d.DialContext(ctx, "unix", path) }
	conn, err := dial(ctx, "", "")
	switch {
	case errors.Is(err, syscall.ENOENT), errors.Is(err, syscall.ECONNREFUSED):
		return nil, fmt.Errorf("%s: %w", path, ErrNoGateway)
	case err != nil:
		return nil, fmt.Errorf("reach gateway: %w", err)
	}
	return &Client{&http.Client{Transport: &http.Transport{DialContext: dial}}}, conn.Close()
}

// Close ends idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Query implements Questions.
func (c *Client) Query(ctx context.Context, sql string, maxRows int) (*Table, error) {
	return call[*Table](ctx, c, http.MethodPost, "/query", nil, queryRequest{sql, maxRows})
}

// Event implements Questions.
func (c *Client) Event(ctx context.Context, id string, withRequest bool) ([]trail.Trail, error) {
	return call[[]trail.Trail](ctx, c, http.MethodGet, "/events/"+url.PathEscape(id), url.Values{"request": {strconv.FormatBool(withRequest)}}, nil)
}

// Reconcile implements Questions.
func (c *Client) Reconcile(ctx context.Context, since time.Time) (*Table, error) {
	return call[*Table](ctx, c, http.MethodGet, "/reconcile", url.Values{"since": {since.UTC().Format(time.RFC3339)}}, nil)
}

// Verify implements Questions.
func (c *Client) Verify(ctx context.Context, since time.Time) (Verification, error) {
	return call[Verification](ctx, c, http.MethodGet, "/verify", url.Values{"since": {since.UTC().Format(time.RFC3339)}}, nil)
}

// UncountedDays implements Questions.
func (c *Client) UncountedDays(ctx context.Context, since time.Time) ([]UncountedDay, error) {
	return call[[]UncountedDay](ctx, c, http.MethodGet, "/uncounted", url.Values{"since": {since.UTC().Format(time.RFC3339)}}, nil)
}

// CountDay implements Questions.
func (c *Client) CountDay(ctx context.Context, day time.Time) (UncountedDay, error) {
	return call[UncountedDay](ctx, c, http.MethodPost, "/uncounted", nil, UncountedDay{Day: day.UTC().Format(time.DateOnly)})
}

// Trackers implements Operations.
func (c *Client) Trackers(ctx context.Context) ([]TrackerStatus, error) {
	return call[[]TrackerStatus](ctx, c, http.MethodGet, "/trackers", nil, nil)
}

// RemoveTracker implements Operations.
func (c *Client) RemoveTracker(ctx context.Context, name string) (Removal, error) {
	return call[Removal](ctx, c, http.MethodDelete, "/trackers/"+url.PathEscape(name), nil, nil)
}

// ApplyViews implements Operations.
func (c *Client) ApplyViews(ctx context.Context, drop bool) (ViewChange, error) {
	return call[ViewChange](ctx, c, http.MethodPost, "/views", nil, viewsRequest{drop})
}

// Tail implements Operations.
func (c *Client) Tail(ctx context.Context, filter TailFilter, emit func(TailEvent) error) error {
	resp, err := c.do(ctx, http.MethodGet, "/tail", url.Values{"source": {filter.Source}, "event": {filter.Event}}, nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 16<<20) // an event as large as the largest request, escaped
	for lines.Scan() {
		var e TailEvent
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return fmt.Errorf("read tail: %w", err)
		}
		if err := emit(e); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil && ctx.Err() == nil {
		return fmt.Errorf("read tail: %w", err)
	}
	if ctx.Err() == nil {
		return errors.New("the gateway ended the stream: it is stopping")
	}
	return nil
}

func (c *Client) do(ctx context.Context, method, path string, query url.Values, body any) (*http.Response, error) {
	var payload io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, fmt.Errorf("encode request: %w", err)
		}
		payload = bytes.NewReader(text)
	}
	target := "http://gateway" + path
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, target, payload)
	if err != nil {
		return nil, fmt.Errorf("ask gateway: %w", err)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask gateway: %w", err)
	}
	if resp.StatusCode == http.StatusOK {
		return resp, nil
	}
	defer resp.Body.Close()
	var f failure
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxRequest)).Decode(&f); err != nil || f.Error == "" {
		return nil, fmt.Errorf("ask gateway: status %d", resp.StatusCode)
	}
	switch resp.StatusCode {
	case http.StatusNotFound:
		return nil, NotFound(errors.New(f.Error))
	case http.StatusBadRequest:
		return nil, BadRequest(errors.New(f.Error))
	}
	return nil, errors.New(f.Error)
}

func call[T any](ctx context.Context, c *Client, method, path string, query url.Values, body any) (T, error) {
	var value T
	resp, err := c.do(ctx, method, path, query, body)
	if err != nil {
		return value, err
	}
	defer resp.Body.Close()
	d := json.NewDecoder(resp.Body)
	d.UseNumber()
	if err := d.Decode(&value); err != nil {
		return value, fmt.Errorf("read answer: %w", err)
	}
	return value, nil
}
