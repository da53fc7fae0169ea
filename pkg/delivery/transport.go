package delivery

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/loopback"
	"github.com/sparrow-edge/sparrow/pkg/tracker"
)

const (
	dialTimeout      = 10 * time.Second
	keepAlive        = 15 * time.Second // idle connections are closed early: a stale one makes an event uncertain
	maxResponseHead  = 64 << 10
	defaultUserAgent = "Sparrow/devel"
)

// client performs one lane's requests: its own connections, HTTP/1.1 only, no
// redirects, no proxy, no repeats, bounded responses.
type client struct {
	http     *http.Client
	own      *http.Transport // nil when one was given
	timeout  time.Duration
	plain    bool // plain HTTP may leave this machine
	agent    string
	secrets  []tracker.Secret
	sanitize func(string) string // removes personal data
}

// roundTrip is what became of one request.
type roundTrip struct {
	response tracker.Response
	text     string // the response, or why there is none, without secrets and personal data
	latency  time.Duration
	refused  error // the request broke our own rules and was not sent
}

func newClient(config Config, traits tracker.Traits, deps Deps) *client {
	c := &client{
		timeout: config.Timeout, plain: config.Insecure || traits.Unencrypted,
		agent: defaultUserAgent, secrets: traits.Secrets, sanitize: deps.Sanitize,
	}
	if deps.Release != "" {
		c.agent = "Sparrow/" + deps.Release
	}
	transport := deps.Transport
	if transport == nil {
		c.own = newTransport(traits.Concurrency)
		transport = c.own
	}
	c.http = &http.Client{
		Transport: transport,
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse // a redirect is a response; following it would send events elsewhere
		},
	}
	return c
}

// newTransport speaks HTTP/1.1 only, where a request's bytes and its
// connection's are the same thing, so that how far it got can be told exactly.
func newTransport(connections int) *http.Transport {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	dialer := &net.Dialer{Timeout: dialTimeout}
	return &http.Transport{
		Proxy:                  nil, // never from the environment
		DialContext:            dialer.DialContext,
		TLSHandshakeTimeout:    dialTimeout,
		Protocols:              protocols,
		MaxIdleConns:           connections,
		MaxIdleConnsPerHost:    connections,
		MaxConnsPerHost:        connections,
		IdleConnTimeout:        keepAlive,
		MaxResponseHeaderBytes: maxResponseHead,
		DisableCompression:     true, // a compressed response is inflated here, within a bound
	}
}

func (c *client) close() {
	if c.own != nil {
		c.own.CloseIdleConnections()
	}
}

// do performs a request, within the time-out and ctx.
func (c *client) do(ctx context.Context, r *tracker.Request) roundTrip {
	if err := c.allowed(r.URL); err != nil {
		return roundTrip{refused: c.strip(err)}
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	route := newRoute(r.Body, cancel)
	req, err := http.NewRequestWithContext(route.trace(ctx), r.Method, r.URL, nil)
	if err != nil {
		return roundTrip{refused: errors.New("the tracker made a request that is not valid HTTP")}
	}
	for name, values := range r.Header {
		req.Header[http.CanonicalHeaderKey(name)] = values
	}
	req.Header.Set("User-Agent", c.agent)
	if len(r.Body) > 0 { // GetBody stays nil, so that net/http cannot send the request a second time by itself
		req.Body, req.ContentLength = route.body, int64(len(r.Body))
	}
	begun := time.Now()
	resp, err := c.http.Do(req)
	response := tracker.Response{Err: c.strip(err)}
	if err == nil {
		response = c.read(resp)
	}
	response.Received = time.Now()
	if response.Err == nil {
		response.Reach = tracker.Answered
	} else {
		response.Reach = route.reach()
		if resp != nil { // a response began, so the request was not lost on the way
			response.Reach = tracker.Written
		}
	}
	said := response.Body
	if response.Err != nil {
		said = []byte(response.Err.Error())
	}
	return roundTrip{response: response, text: c.clean(said), latency: response.Received.Sub(begun)}
}

// read reads the response's body, up to tracker.MaxResponse bytes of it.
func (c *client) read(resp *http.Response) tracker.Response {
	defer resp.Body.Close() //nolint:errcheck // what matters of it was read
	var body io.Reader = resp.Body
	compressed := strings.EqualFold(resp.Header.Get("Content-Encoding"), "gzip")
	if compressed {
		inflated, err := gzip.NewReader(resp.Body)
		if err != nil {
			return tracker.Response{Err: c.strip(fmt.Errorf("read response: %w", err))}
		}
		body = inflated
	}
	data, err := io.ReadAll(io.LimitReader(body, tracker.MaxResponse+1))
	if err != nil {
		return tracker.Response{Err: c.strip(fmt.Errorf("read response: %w", err))}
	}
	r := tracker.Response{Status: resp.StatusCode, Header: resp.Header, Body: data}
	if len(data) > tracker.MaxResponse {
		r.Body, r.Truncated = data[:tracker.MaxResponse], true
	}
	return r
}

// allowed refuses a URL that would send events in the clear to another machine.
func (c *client) allowed(raw string) error {
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Host == "":
		return errors.New("the tracker made a request without a valid URL")
	case u.Scheme == "https":
		return nil
	case u.Scheme != "http":
		return fmt.Errorf("scheme %q is refused: use https", event.Truncate(u.Scheme, 20))
	case c.plain || loopback.IsHost(u.Hostname()):
		return nil
	default:
		return fmt.Errorf("plain http to %s is refused: use https, or set insecure: true on this tracker", u.Hostname())
	}
}

// strip removes the URL, which may contain a key, from an error.
func (c *client) strip(err error) error {
	if err == nil {
		return nil
	}
	for {
		u, ok := errors.AsType[*url.Error](err)
		if !ok {
			break
		}
		err = u.Err
	}
	if text := err.Error(); c.redact(text) != text {
		return errors.New(c.redact(text))
	}
	return err
}

// excerpt is the beginning of a text, at most n bytes, with the tracker's
// secrets masked. A secret that the cut would have split is left out whole.
func (c *client) excerpt(text []byte, n int) string {
	if len(text) <= n {
		return c.redact(string(text))
	}
	masked := c.redact(string(text[:n]))
	longest := 0
	for _, s := range c.secrets {
		longest = max(longest, 6*len(s.Reveal())) // escaped for JSON, the longest form
	}
	return event.Truncate(masked, max(0, len(masked)-longest))
}

// redact masks the tracker's secrets in a text.
func (c *client) redact(text string) string {
	if len(c.secrets) == 0 || text == "" {
		return text
	}
	return string(tracker.Redact([]byte(text), c.secrets))
}

// clean is the beginning of a request or response, as valid UTF-8 without
// secrets and personal data.
func (c *client) clean(text []byte) string {
	return c.sanitize(strings.ToValidUTF8(c.excerpt(text, 2*maxIncidentBody), "\uFFFD"))
}

// shownResponse is the part of a response's body that an incident shows.
func (x *roundTrip) shownResponse() []byte {
	if len(x.response.Body) == 0 {
		return nil
	}
	return []byte(event.Truncate(x.text, maxIncidentBody))
}
