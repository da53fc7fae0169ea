package console_test

import (
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/sparrow-edge/sparrow/pkg/console"
)

func do(t *testing.T, h http.Handler, method, target string, header ...string) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func body(t *testing.T, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// inline finds what a browser would run or apply of the page itself.
var inline = regexp.MustCompile(`(?s)<(style|script)>(.*?)</`)

func checkPage(t *testing.T, r *http.Response) string {
	t.Helper()
	page := body(t, r)
	if r.StatusCode != http.StatusOK || r.Header.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Fatalf("answer %d, %s", r.StatusCode, r.Header.Get("Content-Type"))
	}
	policy := r.Header.Get("Content-Security-Policy")
	if !strings.HasPrefix(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") {
		t.Errorf("policy %q is not strict", policy)
	}
	for _, part := range inline.FindAllStringSubmatch(page, -1) {
		sum := sha256.Sum256([]byte(part[2]))
		if hash := base64.StdEncoding.EncodeToString(sum[:]); !strings.Contains(policy, "'sha256-"+hash+"'") {
			t.Errorf("the page's %s is not allowed by its policy", part[1])
		}
	}
	if m := regexp.MustCompile(`(?:src|href)="(?:https?:)?//[^"]*"`).FindString(page); m != "" {
		t.Errorf("page loads from elsewhere: %s", m)
	}
	return page
}

func TestDemo(t *testing.T) {
	for _, path := range []string{"/s", "s", "/s/"} {
		page := checkPage(t, do(t, console.Demo("pk_live_1", path), "GET", "/"))
		for _, want := range []string{`src="/s/sparrow.js"`, `data-key="pk_live_1"`, `data-endpoint="/s/e"`, "sparrow tail"} {
			if !strings.Contains(page, want) {
				t.Errorf("path %q: page lacks %s", path, want)
			}
		}
	}
	if page := checkPage(t, do(t, console.Demo("k", "/"), "GET", "/")); !strings.Contains(page, `src="/sparrow.js"`) {
		t.Error("a browser path at the root is not kept")
	}
}

func TestDemoEscapesWhatItIsGiven(t *testing.T) {
	const evil = `"><script>alert(1)</script>`
	page := checkPage(t, do(t, console.Demo(evil, "/"+evil), "GET", "/"))
	if strings.Contains(page, "<script>alert") {
		t.Error("markup from the key or the path reached the page")
	}
}

func TestPagesAnswerOnlyTheirRequests(t *testing.T) {
	docs, err := console.Docs()
	if err != nil {
		t.Fatal(err)
	}
	demo := console.Demo("k", "/s")
	for _, c := range []struct {
		name           string
		handler        http.Handler
		method, target string
		status         int
	}{
		{"another path", demo, "GET", "/favicon.ico", http.StatusNotFound},
		{"traversal", demo, "GET", "/..%2f..%2fetc/passwd", http.StatusNotFound},
		{"write to the demo", demo, "POST", "/", http.StatusMethodNotAllowed},
		{"write to the docs", docs, "DELETE", "/docs", http.StatusMethodNotAllowed},
		{"write to a file of the docs", docs, "POST", "/docs/swagger-ui.css", http.StatusMethodNotAllowed},
		{"another file of the docs", docs, "GET", "/docs/package.json", http.StatusNotFound},
		{"traversal from the docs", docs, "GET", "/docs/../swagger-ui/NOTICE", http.StatusNotFound},
		{"write to the sdk", console.SDK(), "PUT", "/s/sparrow.js", http.StatusMethodNotAllowed},
		{"a query", demo, "GET", "/?a=%00%ff", http.StatusOK},
	} {
		t.Run(c.name, func(t *testing.T) {
			if r := do(t, c.handler, c.method, c.target); r.StatusCode != c.status {
				t.Errorf("answer %d, want %d", r.StatusCode, c.status)
			}
		})
	}
	if r := do(t, demo, "HEAD", "/"); body(t, r) != "" || r.Header.Get("Content-Length") == "" {
		t.Error("HEAD wants the headers alone")
	}
}

func TestSDK(t *testing.T) {
	h := console.SDK()
	plain := do(t, h, "GET", "/s/sparrow.js")
	script := body(t, plain)
	if ct := plain.Header.Get("Content-Type"); ct != "text/javascript; charset=utf-8" {
		t.Errorf("type %q", ct)
	}
	if len(script) < 1000 || plain.Header.Get("Content-Encoding") != "" {
		t.Fatalf("%d bytes, encoding %q", len(script), plain.Header.Get("Content-Encoding"))
	}

	packed := do(t, h, "GET", "/s/sparrow.js", "Accept-Encoding", "br;q=1, GZIP ; q=0.5")
	z, err := gzip.NewReader(packed.Body)
	if err != nil {
		t.Fatal(err)
	}
	if unpacked, err := io.ReadAll(z); err != nil || string(unpacked) != script {
		t.Errorf("gzip answer unpacks to %d bytes, error %v", len(unpacked), err)
	}

	etag := plain.Header.Get("ETag")
	if packed.Header.Get("ETag") == etag {
		t.Error("both codings have one etag")
	}
	for _, c := range []struct {
		name, tag string
		status    int
	}{
		{"same", etag, http.StatusNotModified},
		{"weak, in a list", `"x", W/` + etag, http.StatusNotModified},
		{"any", "*", http.StatusNotModified},
		{"older", `"0000"`, http.StatusOK},
		{"garbage", "\x00,,\"", http.StatusOK},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := do(t, h, "GET", "/s/sparrow.js", "If-None-Match", c.tag)
			if r.StatusCode != c.status {
				t.Errorf("answer %d, want %d", r.StatusCode, c.status)
			}
			if r.StatusCode == http.StatusNotModified && body(t, r) != "" {
				t.Error("304 has a body")
			}
		})
	}
	for _, header := range []string{"", "identity", "gzip;q=0", "*;q=0", "gzip;q=0, *"} {
		if r := do(t, h, "GET", "/s/sparrow.js", "Accept-Encoding", header); r.Header.Get("Content-Encoding") != "" {
			t.Errorf("Accept-Encoding %q got gzip", header)
		}
	}
}

// The embedded script is the build of sdk-js. Without npm's modules nothing can
// have been built: this test is skipped then, and only then. (make test builds
// sdk-js first, and npm test makes the same check from its sources.)
func TestSDKIsTheCurrentBuild(t *testing.T) {
	if _, err := os.Stat("../../sdk-js/node_modules"); os.IsNotExist(err) {
		t.Skip("sdk-js is not set up here: run npm ci and npm test in sdk-js")
	}
	built, err := os.ReadFile("../../sdk-js/dist/sparrow.js")
	if err != nil {
		t.Fatal(err)
	}
	if served := body(t, do(t, console.SDK(), "GET", "/")); served != string(built) {
		t.Error("pkg/console/sparrow.js is not the current build: run `npm run build` in sdk-js")
	}
}
