package console

import (
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
	page, err := render("demo.html", "demo.css", "demo.js", data)
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
