package harness

import (
	"io"
	"net/http"
	"strings"
)

// Answer is what the gateway said to a request.
type Answer struct {
	Status int
	Header http.Header
	Body   string
}

// Do sends a request to a path of the public listener. header gives names and
// values in turn.
func (g *Gateway) Do(method, path, body string, header ...string) Answer {
	g.t.Helper()
	req, err := http.NewRequest(method, g.URL+path, strings.NewReader(body))
	if err != nil {
		g.t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := g.client.Do(req)
	if err != nil {
		g.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		g.t.Fatalf("%s %s: read answer: %v", method, path, err)
	}
	return Answer{resp.StatusCode, resp.Header, string(text)}
}
