package console

import (
	_ "embed"
	"net/http"
)

// script is the browser SDK's script-tag build; `npm run build` in sdk-js
// writes it and `npm test` fails when it is not the current build.
//
//go:embed sparrow.js
var script []byte

// SDK serves the browser SDK, compressed where the client takes gzip. Browsers
// keep it for an hour and then ask whether it changed; a page of another
// origin may load it, also with an integrity attribute.
func SDK() http.Handler {
	sdk := newAsset("text/javascript; charset=utf-8", pack(script))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Cache-Control", "public, max-age=3600, stale-while-revalidate=86400")
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Cross-Origin-Resource-Policy", "cross-origin")
		sdk.ServeHTTP(w, r)
	})
}
