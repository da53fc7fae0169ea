package console

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
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
	sum := sha256.Sum256(script)
	tag := hex.EncodeToString(sum[:8])
	packed := pack(script)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !readOnly(w, r) {
			return
		}
		body, etag, encoding := script, `"`+tag+`"`, ""
		if acceptsGzip(r.Header.Values("Accept-Encoding")) {
			body, etag, encoding = packed, `"`+tag+`-gzip"`, "gzip"
		}
		h := w.Header()
		h.Set("ETag", etag)
		h.Set("Vary", "Accept-Encoding")
		h.Set("Cache-Control", "public, max-age=3600, stale-while-revalidate=86400")
		h.Set("Access-Control-Allow-Origin", "*")
		h.Set("Cross-Origin-Resource-Policy", "cross-origin")
		h.Set("X-Content-Type-Options", "nosniff")
		if matches(r.Header.Values("If-None-Match"), etag) {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		h.Set("Content-Type", "text/javascript; charset=utf-8")
		h.Set("Content-Length", strconv.Itoa(len(body)))
		if encoding != "" {
			h.Set("Content-Encoding", encoding)
		}
		if r.Method != http.MethodHead {
			_, _ = w.Write(body) // the client went away: nobody to tell
		}
	})
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

// matches compares If-None-Match with etag, weakly (RFC 9110, section 13.1.2).
func matches(headers []string, etag string) bool {
	for _, header := range headers {
		for part := range strings.SplitSeq(header, ",") {
			part = strings.TrimSpace(part)
			if part == "*" || strings.TrimPrefix(part, "W/") == etag {
				return true
			}
		}
	}
	return false
}
