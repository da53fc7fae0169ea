package console_test

import (
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/sparrow-edge/sparrow/pkg/console"
)

func docs(t *testing.T) http.Handler {
	t.Helper()
	h, err := console.Docs()
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestDocs(t *testing.T) {
	h := docs(t)
	r := do(t, h, "GET", "/docs")
	policy := r.Header.Get("Content-Security-Policy")
	page := checkPage(t, r)
	if strings.Contains(policy, "http") || strings.Contains(policy, "*") {
		t.Errorf("policy %q allows other hosts", policy)
	}
	for _, want := range []string{"script-src 'self';", "style-src 'self';", "connect-src 'self';", "img-src 'self' data:;", "frame-ancestors 'none'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("policy %q lacks %s", policy, want)
		}
	}
	if inline.MatchString(page) || strings.Contains(page, "style=") {
		t.Error("the page has an inline script or style, which its policy forbids")
	}
	loads := regexp.MustCompile(`(?:src|href)="(docs/[^"]+)"`).FindAllStringSubmatch(page, -1)
	if len(loads) != 3 {
		t.Errorf("page loads %v, want a style and two scripts", loads)
	}
	for _, load := range loads {
		wantType := "text/javascript; charset=utf-8"
		if strings.HasSuffix(load[1], ".css") {
			wantType = "text/css; charset=utf-8"
		}
		r := do(t, h, "GET", "/"+load[1])
		if r.StatusCode != http.StatusOK || r.Header.Get("Content-Type") != wantType || r.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: answer %d, %v", load[1], r.StatusCode, r.Header)
		}
	}
}

// What the page itself and the script that starts Swagger UI name is of the same
// origin. Swagger UI's own files contain links, which its policy does not load.
func TestDocsNameNoOtherHost(t *testing.T) {
	h := docs(t)
	for _, path := range []string{"/docs", "/docs/docs.js"} {
		if text := body(t, do(t, h, "GET", path)); strings.Contains(text, "//validator") || regexp.MustCompile(`["'(]\s*(?:https?:)?//`).MatchString(text) {
			t.Errorf("%s names another host:\n%s", path, text)
		}
	}
	if style := body(t, do(t, h, "GET", "/docs/swagger-ui.css")); regexp.MustCompile(`url\(["']?[^"'d)]|@import`).MatchString(style) {
		t.Error("the style loads something that is not a data: URL")
	}
	if start := body(t, do(t, h, "GET", "/docs/docs.js")); !strings.Contains(start, `url: "openapi.json"`) || !strings.Contains(start, "validatorUrl: null") {
		t.Errorf("the page loads another document, or has it validated elsewhere:\n%s", start)
	}
}

// The embedded files are, unpacked, those of the pinned npm package.
func TestDocsHaveThePinnedFiles(t *testing.T) {
	var pinned struct{ Dependencies map[string]string }
	var lock struct {
		Packages map[string]struct{ Version, Integrity string }
	}
	readJSON(t, "swagger-ui/package.json", &pinned)
	readJSON(t, "swagger-ui/package-lock.json", &lock)
	version := pinned.Dependencies["swagger-ui-dist"]
	locked := lock.Packages["node_modules/swagger-ui-dist"]
	if version == "" || locked.Version != version || !strings.HasPrefix(locked.Integrity, "sha512-") {
		t.Fatalf("package.json wants %q, package-lock.json has %+v", version, locked)
	}
	recorded, err := os.ReadFile("swagger-ui/SHA256SUMS")
	if err != nil {
		t.Fatal(err)
	}
	heading, sums, _ := strings.Cut(string(recorded), "\n")
	if !strings.HasPrefix(heading, "# swagger-ui-dist "+version+",") {
		t.Errorf("SHA256SUMS is of %q, package.json pins %s: run scripts/apidocs.sh", heading, version)
	}
	h, files := docs(t), 0
	for line := range strings.Lines(sums) {
		files++
		sum, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		plain := do(t, h, "GET", "/docs/"+name)
		packed := do(t, h, "GET", "/docs/"+name, "Accept-Encoding", "gzip")
		z, err := gzip.NewReader(packed.Body)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		unpacked, err := io.ReadAll(z)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		text := body(t, plain)
		if text != string(unpacked) || int64(len(text)) != plain.ContentLength {
			t.Errorf("%s: %d bytes plain, %d announced, %d unpacked", name, len(text), plain.ContentLength, len(unpacked))
		}
		if got := sha256.Sum256(unpacked); hex.EncodeToString(got[:]) != sum {
			t.Errorf("%s is not the file of swagger-ui-dist %s: run scripts/apidocs.sh", name, version)
		}
	}
	if files != 2 {
		t.Errorf("SHA256SUMS has %d files, want 2", files)
	}
	for _, name := range []string{"LICENSE", "NOTICE", "swagger-ui-bundle.js.LICENSE.txt"} {
		if _, err := os.Stat("swagger-ui/" + name); err != nil {
			t.Error(err)
		}
	}
}

func readJSON(t *testing.T, name string, into any) {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}
