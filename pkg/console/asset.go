package console

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"io"
	"net/http"
	"strconv"
	"strings"
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

// asset is a file that is sent packed by gzip where the client takes that. Its ETag
// changes with its content, so a browser that asks again gets 304 for a file that it has.
type asset struct {
	contentType   string
	plain, packed []byte
	tag           string // of the ETag, without the coding
}

// newAsset makes an asset of a file packed by gzip.
func newAsset(contentType string, packed []byte) *asset {
	a := &asset{contentType: contentType, packed: packed, tag: tag(packed)}
	if z, err := gzip.NewReader(bytes.NewReader(packed)); err == nil {
		a.plain, _ = io.ReadAll(z) // a fault of our own file would show in this package's tests
	}
	return a
}

// ServeHTTP sets Cache-Control only where the caller has not.
func (a *asset) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !readOnly(w, r) {
		return
	}
	h := w.Header()
	h.Set("Vary", "Accept-Encoding")
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "no-cache") // ask each time: the file may change with the binary
	}
	if acceptsGzip(r.Header.Values("Accept-Encoding")) {
		h.Set("ETag", `"`+a.tag+`-gzip"`)
		h.Set("Content-Encoding", "gzip")
		serve(w, r, a.contentType, a.packed)
		return
	}
	h.Set("ETag", `"`+a.tag+`"`)
	serve(w, r, a.contentType, a.plain)
}

func pack(b []byte) []byte {
	var packed bytes.Buffer
	z, _ := gzip.NewWriterLevel(&packed, gzip.BestCompression) // the level is valid
	_, _ = z.Write(b)                                          // a bytes.Buffer takes everything
	_ = z.Close()
	return packed.Bytes()
}

// acceptsGzip reads Accept-Encoding (RFC 9110, section 12.5.3): gzip, or any
// coding, unless its weight is zero.
func acceptsGzip(headers []string) bool {
	accepted := false
	for _, header := range headers {
		for part := range strings.SplitSeq(header, ",") {
			coding, parameter, _ := strings.Cut(part, ";")
			coding = strings.TrimSpace(coding)
			_, weight, _ := strings.Cut(parameter, "=")
			q, err := strconv.ParseFloat(strings.TrimSpace(weight), 64)
			refused := err == nil && q == 0
			switch {
			case strings.EqualFold(coding, "gzip"):
				return !refused
			case coding == "*":
				accepted = !refused
			}
		}
	}
	return accepted
}
