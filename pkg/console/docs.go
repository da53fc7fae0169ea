package console

import (
	"embed"
	"fmt"
	"net/http"
	"path"
)

// swaggerUI has the files of Swagger UI that the page at /docs loads, packed by
// gzip and unchanged; scripts/apidocs.sh copies them out of the npm package.
//
//go:embed swagger-ui/*.gz
var swaggerUI embed.FS

// docsPolicy allows the files beside the page, and requests to its own origin
// ("Try it out"). Swagger UI needs no 'unsafe-eval' and no 'unsafe-inline'; its
// icons are data: URLs. It does not support trusted types.
const docsPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Docs serves the page at /docs, where a person reads the HTTP API and tries
// requests, and the page's scripts and style at /docs/NAME. The page is Swagger
// UI; it loads openapi.json from beside /docs. Any other path is not found.
func Docs() (http.Handler, error) {
	html, err := pages.ReadFile("pages/docs.html")
	if err != nil {
		return nil, fmt.Errorf("read api reference: %w", err)
	}
	start, err := pages.ReadFile("pages/docs.js")
	if err != nil {
		return nil, fmt.Errorf("read api reference: %w", err)
	}
	files := map[string]http.Handler{
		"/docs":         &page{body: html, policy: docsPolicy},
		"/docs/docs.js": newAsset("text/javascript; charset=utf-8", pack(start)),
	}
	for name, contentType := range map[string]string{
		"swagger-ui-bundle.js": "text/javascript; charset=utf-8",
		"swagger-ui.css":       "text/css; charset=utf-8",
	} {
		packed, err := swaggerUI.ReadFile("swagger-ui/" + name + ".gz")
		if err != nil {
			return nil, fmt.Errorf("read api reference: %w", err)
		}
		files[path.Join("/docs", name)] = newAsset(contentType, packed)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		file, found := files[r.URL.Path]
		if !found {
			http.NotFound(w, r)
			return
		}
		file.ServeHTTP(w, r)
	}), nil
}
