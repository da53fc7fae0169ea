package api_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/sparrow-edge/sparrow/api"
	"github.com/sparrow-edge/sparrow/pkg/dispatcher"
	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/fault"
)

const (
	key   = "pk_test_site"
	plain = `{"event":"e","deviceId":"d"}`
)

// mountedElsewhere are the documented paths that other parts of the gateway serve.
var mountedElsewhere = []string{"/s/sparrow.js", "/s/config", "/metrics", "/openapi.json", "/docs"}

// log is a dispatcher's Log with a fault.
type log struct{ fault func() error }

func (l *log) Append(context.Context, [][]byte) (event.Position, error) {
	if l.fault != nil {
		return event.Position{}, l.fault()
	}
	return event.Position{Seq: 1}, nil
}

func (l *log) Ready(context.Context) error {
	if l.fault != nil {
		return l.fault()
	}
	return nil
}

// exchange is a request to a running dispatcher and the documented answer that
// it must get.
type exchange struct {
	operation string // "post /v1/events"
	status    int
	code      string
	request   string // of raw HTTP, when not "" the rest is ignored
	method    string // "" is the operation's
	path      string // "" is the operation's
	query     string
	header    []string // name, value
	body      string
	fault     func() error
	drain     bool
}

func zip(s string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = io.WriteString(w, s) // a buffer takes everything
	_ = w.Close()
	return b.String()
}

// exchanges produce every documented status of every operation.
func exchanges() []exchange {
	const send, health, ready = "post /v1/events", "get /healthz", "get /readyz"
	full := func() error { return fault.After(errors.New("full"), 3*time.Second) }
	keyed := "key=" + key
	slow := "POST /v1/events?" + keyed + " HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"
	broken := "POST /v1/events?" + keyed + " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n"
	return slices.Concat([]exchange{
		{operation: send, status: 200, query: keyed, body: plain},
		{operation: send, status: 200, query: keyed, body: `[` + plain + `,1]`},
		{operation: send, status: 200, header: []string{"Authorization", "Bearer " + key, "Content-Encoding", "gzip"}, body: zip(plain)},
		{operation: send, status: 400, code: "malformed", query: keyed, body: "{"},
		{operation: send, status: 400, code: "empty", query: keyed},
		{operation: send, status: 400, code: "broken", request: broken},
		{operation: send, status: 401, code: "key", body: plain},
		{operation: send, status: 403, code: "origin", query: keyed, header: []string{"Origin", "https://evil.example"}, body: plain},
		{operation: send, status: 405, code: "method", method: "DELETE", query: keyed},
		{operation: send, status: 408, code: "timeout", request: slow},
		{operation: send, status: 413, code: "body_size", query: keyed, body: strings.Repeat(" ", 1<<20+1)},
		{operation: send, status: 413, code: "batch_size", query: keyed, body: "[" + strings.Repeat("1,", 1000) + "1]"},
		{operation: send, status: 413, code: "event_size", query: keyed, body: `"` + strings.Repeat("x", 64<<10) + `"`},
		{operation: send, status: 413, code: "burst", query: "key=pk_test_slow", body: "[" + plain + "," + plain + "]"},
		{operation: send, status: 415, code: "type", query: keyed, header: []string{"Content-Type", "text/csv"}, body: plain},
		{operation: send, status: 415, code: "encoding", query: keyed, header: []string{"Content-Encoding", "br"}, body: plain},
		{operation: send, status: 200, query: "key=pk_test_slow", body: plain},
		{operation: send, status: 429, code: "rate", query: "key=pk_test_slow", body: plain},
		{operation: send, status: 500, code: "internal", query: keyed, body: plain, fault: func() error { panic("on purpose") }},
		{operation: send, status: 503, code: "log", query: keyed, body: plain, fault: full},
		{operation: "options /v1/events", status: 204, query: keyed, header: []string{"Origin", "https://dash.example.com"}},
	}, segmentExchanges(), []exchange{
		{operation: health, status: 200},
		{operation: health, status: 405, code: "method", method: "POST"},
		{operation: ready, status: 200},
		{operation: ready, status: 405, code: "method", method: "POST"},
		{operation: ready, status: 503, code: "log", fault: full},
		{operation: ready, status: 503, code: "draining", drain: true},
		{operation: send, status: 503, code: "draining", query: keyed, body: plain, drain: true},
	})
}

// segmentExchanges are those of the APIs that others' SDKs speak. The rate of the
// slow source is spent by then.
func segmentExchanges() []exchange {
	const send, settings, source = "post /v1/track", "get /v1/projects/{key}/settings", "get /sourceConfig"
	const message = `{"type":"track","event":"e","userId":"u"}`
	const at, unknown = "/v1/projects/" + key + "/settings", "/v1/projects/pk_unknown/settings"
	keyed := "key=" + key
	evil := []string{"Origin", "https://evil.example"}
	return []exchange{
		{operation: send, status: 200, body: message, header: []string{"Authorization", "Basic cGtfdGVzdF9zaXRlOg=="}},
		{operation: send, status: 200, query: keyed, body: `{"batch":[` + message + `,1]}`},
		{operation: send, status: 400, code: "malformed", query: keyed, body: "{"},
		{operation: send, status: 400, code: "empty", query: keyed},
		{operation: send, status: 401, code: "key", body: message},
		{operation: send, status: 403, code: "origin", query: keyed, header: evil, body: message},
		{operation: send, status: 405, code: "method", method: "PUT"},
		{operation: send, status: 413, code: "body_size", query: keyed, body: strings.Repeat(" ", 1<<20+1)},
		{operation: send, status: 415, code: "encoding", query: keyed, header: []string{"Content-Encoding", "br"}, body: message},
		{operation: send, status: 429, code: "rate", query: "key=pk_test_slow", body: message},
		{operation: send, status: 500, code: "internal", query: keyed, body: message, fault: func() error { panic("on purpose") }},
		{operation: send, status: 503, code: "timeout", request: "POST /v1/track?" + keyed + " HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"},
		{operation: settings, status: 200, path: at},
		{operation: settings, status: 401, code: "key", path: unknown},
		{operation: settings, status: 403, code: "origin", path: at, header: evil},
		{operation: settings, status: 405, code: "method", path: at, method: "POST"},
		{operation: source, status: 200, query: "writeKey=" + key},
		{operation: source, status: 401, code: "key"},
		{operation: source, status: 403, code: "origin", query: keyed, header: evil},
		{operation: source, status: 405, code: "method", method: "POST"},
	}
}

// document is the served API document.
type document struct {
	schemas
	paths map[string]any
}

func load(t testing.TB) document {
	t.Helper()
	root := decode(t, api.OpenAPI()).(map[string]any)
	if version, _ := root["openapi"].(string); !strings.HasPrefix(version, "3.1.") {
		t.Fatalf("openapi %q", version)
	}
	return document{schemas{root}, root["paths"].(map[string]any)}
}

// at follows names, and the references that stand on the way.
func (d document) at(t testing.TB, node any, names ...string) map[string]any {
	t.Helper()
	for i := -1; i < len(names); i++ {
		if i >= 0 {
			node = node.(map[string]any)[names[i]]
		}
		fields, ok := node.(map[string]any)
		if !ok {
			return nil
		}
		if ref, is := fields["$ref"].(string); is {
			target, err := d.resolve(ref)
			if err != nil {
				t.Fatal(err)
			}
			node = target
		}
	}
	return node.(map[string]any)
}

func start(t *testing.T) (*httptest.Server, *log, *dispatcher.Dispatcher) {
	t.Helper()
	c := dispatcher.DefaultConfig()
	c.Limits.BodyTimeout = 500 * time.Millisecond
	c.Sources = []dispatcher.Source{
		{Name: "site", Keys: []string{key}, Origins: []string{"https://dash.example.com"}},
		{Name: "slow", Keys: []string{"pk_test_slow"}, Rate: 0.001, Burst: 1},
	}
	l := &log{}
	d, err := dispatcher.New(c, l, dispatcher.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r := chi.NewRouter()
	d.Mount(r, "/s")
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	return server, l, d
}

// TestOpenAPIIsTrue sends every exchange and holds each answer against the
// document; what the document says beyond that is a fault as well.
func TestOpenAPIIsTrue(t *testing.T) {
	doc := load(t)
	server, l, d := start(t)
	produced := map[string]bool{}
	for _, x := range exchanges() {
		t.Run(fmt.Sprintf("%s %d %s", x.operation, x.status, x.code), func(t *testing.T) {
			if l.fault = x.fault; x.drain {
				d.Drain()
			}
			resp, body := x.perform(t, server)
			if resp.StatusCode != x.status {
				t.Fatalf("status %d, want %d: %s", resp.StatusCode, x.status, body)
			}
			produced[fmt.Sprint(x.operation, " ", x.status)] = true
			verb, path, _ := strings.Cut(x.operation, " ")
			documented := doc.at(t, doc.paths, path, verb, "responses", fmt.Sprint(x.status))
			if documented == nil {
				t.Fatalf("%s does not document %d", x.operation, x.status)
			}
			doc.compare(t, documented, resp, body, x.code)
		})
	}
	for path := range doc.paths {
		if slices.Contains(mountedElsewhere, path) || path == "/s/e" {
			continue
		}
		for verb, operation := range doc.at(t, doc.paths, path) {
			for status := range operation.(map[string]any)["responses"].(map[string]any) {
				if name := verb + " " + path + " " + status; !produced[name] {
					t.Errorf("%s is documented, but no exchange produces it", name)
				}
			}
		}
	}
}

func (x exchange) perform(t *testing.T, server *httptest.Server) (*http.Response, []byte) {
	t.Helper()
	var resp *http.Response
	if x.request != "" {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if _, err := io.WriteString(conn, x.request); err != nil {
			t.Fatal(err)
		}
		if resp, err = http.ReadResponse(bufio.NewReader(conn), nil); err != nil {
			t.Fatal(err)
		}
	} else {
		verb, path, _ := strings.Cut(x.operation, " ")
		if x.method != "" {
			verb = x.method
		}
		if x.path != "" {
			path = x.path
		}
		r, err := http.NewRequestWithContext(t.Context(), strings.ToUpper(verb), server.URL+path+"?"+x.query, strings.NewReader(x.body))
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(x.header); i += 2 {
			r.Header.Set(x.header[i], x.header[i+1])
		}
		if resp, err = server.Client().Do(r); err != nil {
			t.Fatal(err)
		}
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, body
}

// compare holds an answer against its documentation.
func (d document) compare(t *testing.T, documented map[string]any, resp *http.Response, body []byte, code string) {
	t.Helper()
	headers, _ := documented["headers"].(map[string]any)
	for name := range headers {
		header := d.at(t, headers, name)
		value := resp.Header.Get(name)
		if value == "" {
			if header["required"] == true {
				t.Errorf("no header %s", name)
			}
			continue
		}
		if err := d.check(header["schema"], value, name); err != nil {
			t.Error(err)
		}
	}
	for _, name := range []string{"Retry-After", "Allow", "X-Request-Id"} {
		if resp.Header.Get(name) != "" && headers[name] == nil {
			t.Errorf("the header %s is not documented", name)
		}
	}
	content, _ := documented["content"].(map[string]any)
	if content == nil {
		if len(body) != 0 {
			t.Errorf("an undocumented body: %s", body)
		}
		return
	}
	media := d.at(t, content, resp.Header.Get("Content-Type"))
	if media == nil {
		t.Fatalf("content type %q is not documented", resp.Header.Get("Content-Type"))
	}
	value := decode(t, body)
	if err := d.check(media["schema"], value, "body"); err != nil {
		t.Errorf("%v: %s", err, body)
	}
	if code != "" {
		if got := value.(map[string]any)["code"]; got != code {
			t.Errorf("code %v, want %s", got, code)
		}
		if description, _ := documented["description"].(string); !strings.Contains(description, "`"+code+"`") {
			t.Errorf("the answer's description does not explain the code %s", code)
		}
	}
}

// TestOpenAPIHoldsTogether checks every reference and every example.
func TestOpenAPIHoldsTogether(t *testing.T) {
	doc := load(t)
	var walk func(node any, path string)
	walk = func(node any, path string) {
		switch v := node.(type) {
		case map[string]any:
			if ref, ok := v["$ref"].(string); ok {
				if _, err := doc.resolve(ref); err != nil {
					t.Errorf("%s: %v", path, err)
				}
			}
			if schema, ok := v["schema"]; ok {
				doc.examples(t, v, schema, path)
			}
			for name, inner := range v {
				walk(inner, path+"/"+name)
			}
		case []any:
			for i, inner := range v {
				walk(inner, fmt.Sprintf("%s/%d", path, i))
			}
		}
	}
	walk(doc.root, "")
	for path := range doc.paths {
		for verb, operation := range doc.at(t, doc.paths, path) {
			fields := operation.(map[string]any)
			if fields["operationId"] == nil || fields["summary"] == nil {
				t.Errorf("%s %s: no operationId or summary", verb, path)
			}
		}
	}
}

func (d document) examples(t *testing.T, media map[string]any, schema any, path string) {
	t.Helper()
	if example, found := media["example"]; found {
		if err := d.check(schema, example, path); err != nil {
			t.Errorf("the example does not keep its schema: %v", err)
		}
	}
	named, _ := media["examples"].(map[string]any)
	for name, example := range named {
		if err := d.check(schema, example.(map[string]any)["value"], path+"/"+name); err != nil {
			t.Errorf("the example %s does not keep its schema: %v", name, err)
		}
	}
}

// TestSecondPath checks that the browser's path is the same operation.
func TestSecondPath(t *testing.T) {
	doc := load(t)
	if doc.at(t, doc.paths, "/s/e", "post")["operationId"] != "sendEvents" {
		t.Error("/s/e is not the operation of /v1/events")
	}
	server, _, _ := start(t)
	resp, err := server.Client().Post(server.URL+"/s/e?key="+key, "text/plain", strings.NewReader(plain))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("status %d", resp.StatusCode)
	}
}
