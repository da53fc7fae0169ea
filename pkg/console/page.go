package console

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"net/http"
	"strconv"
)

//go:embed pages
var pages embed.FS

// render executes the template pages/name, with the named style and script of
// the same folder inlined, once and for all requests: pages do not change
// while the gateway runs. The template gets data as .Data.
func render(name, style, script string, data any) (*page, error) {
	css, err := pages.ReadFile("pages/" + style)
	if err != nil {
		return nil, fmt.Errorf("read style: %w", err)
	}
	js, err := pages.ReadFile("pages/" + script)
	if err != nil {
		return nil, fmt.Errorf("read script: %w", err)
	}
	t, err := template.ParseFS(pages, "pages/"+name)
	if err != nil {
		return nil, fmt.Errorf("parse page: %w", err)
	}
	var body bytes.Buffer
	err = t.Execute(&body, struct {
		Style  template.CSS
		Script template.JS
		Data   any
	}{template.CSS(css), template.JS(js), data}) //nolint:gosec // both are files of this package
	if err != nil {
		return nil, fmt.Errorf("render page: %w", err)
	}
	return &page{body: body.Bytes(), policy: policy(css, js)}, nil
}

// policy allows the page's own style and script, and of its origin the SDK and
// the intake; nothing else, no frame around it and no string turned into code.
func policy(css, js []byte) string {
	return "default-src 'none'; script-src 'self' " + source(js) + "; style-src " + source(css) +
		"; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
}

func source(inline []byte) string {
	sum := sha256.Sum256(inline)
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// page is a rendered page and its content security policy.
type page struct {
	body   []byte
	policy string
}

func (p *page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !readOnly(w, r) {
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", p.policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cache-Control", "no-cache")
	h.Set("Content-Length", strconv.Itoa(len(p.body)))
	if r.Method != http.MethodHead {
		_, _ = w.Write(p.body) // the client went away: nobody to tell
	}
}

// readOnly answers 405 to anything but GET and HEAD.
func readOnly(w http.ResponseWriter, r *http.Request) bool {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return true
	}
	w.Header().Set("Allow", "GET, HEAD")
	http.Error(w, "method not allowed: this is a page, use GET", http.StatusMethodNotAllowed)
	return false
}
