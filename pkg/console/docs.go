package console

import (
	"embed"
	"errors"
	"fmt"
	"net/http"
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
	html, htmlErr := pages.ReadFile("pages/docs.html")
	start, startErr := pages.ReadFile("pages/docs.js")
	bundle, bundleErr := swaggerUI.ReadFile("swagger-ui/swagger-ui-bundle.js.gz")
	style, styleErr := swaggerUI.ReadFile("swagger-ui/swagger-ui.css.gz")
	if err := errors.Join(htmlErr, startErr, bundleErr, styleErr); err != nil {
		return nil, fmt.Errorf("read api reference: %w", err)
	}
	files := map[string]http.Handler{
		"/docs":                      &page{body: html, policy: docsPolicy},
		"/docs/docs.js":              newAsset("text/javascript; charset=utf-8", pack(start)),
		"/docs/swagger-ui-bundle.js": newAsset("text/javascript; charset=utf-8", bundle),
		"/docs/swagger-ui.css":       newAsset("text/css; charset=utf-8", style),
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
