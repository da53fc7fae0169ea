package console

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"html/template"
	"net/http"
	"strings"
)

// Demo is the page at the root of `sparrow dev`: it loads the SDK from
// browserPath/sparrow.js, records a pageview, and lets a visitor record a
// purchase or an event of their own and see what becomes of each. key is the
// source's write key; browserPath is where the SDK and its intake are mounted,
// such as "/s". Any path but "/" is not found.
func Demo(key, browserPath string) http.Handler {
	data := struct{ Key, Path string }{key, strings.TrimSuffix("/"+strings.Trim(browserPath, "/"), "/")}
	page, err := renderDemo(data)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case err != nil: // a fault of this package's own files, which its tests would show
			http.Error(w, "the demo page cannot be rendered", http.StatusInternalServerError)
		case r.URL.Path != "/":
			http.NotFound(w, r)
		default:
			page.ServeHTTP(w, r)
		}
	})
}

// renderDemo executes the page's template, with its style and script inlined, once for
// all requests. The template gets data as .Data.
func renderDemo(data any) (*page, error) {
	css, err := pages.ReadFile("pages/demo.css")
	if err != nil {
		return nil, fmt.Errorf("read style: %w", err)
	}
	js, err := pages.ReadFile("pages/demo.js")
	if err != nil {
		return nil, fmt.Errorf("read script: %w", err)
	}
	t, err := template.ParseFS(pages, "pages/demo.html")
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
