package console

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// asset is a file kept packed by gzip. It is sent so where the client takes
// gzip, and unpacked otherwise. Its ETag changes with its content, so a browser
// that asks again gets 304 for a file that it has.
type asset struct {
	contentType string
	packed      []byte
	size        int    // unpacked
	tag         string // of the ETag, without the coding
}

// newAsset keeps packed, which must be a single gzip stream of less than 4 GiB.
func newAsset(contentType string, packed []byte) *asset {
	sum := sha256.Sum256(packed)
	size := binary.LittleEndian.Uint32(packed[len(packed)-4:]) // RFC 1952: the stream ends with it
	return &asset{contentType, packed, int(size), hex.EncodeToString(sum[:8])}
}

// ServeHTTP sets Cache-Control only where the caller has not.
func (a *asset) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !readOnly(w, r) {
		return
	}
	h := w.Header()
	packed := acceptsGzip(r.Header.Values("Accept-Encoding"))
	etag := `"` + a.tag + `"`
	if packed {
		etag = `"` + a.tag + `-gzip"`
	}
	h.Set("ETag", etag)
	h.Set("Vary", "Accept-Encoding")
	h.Set("X-Content-Type-Options", "nosniff")
	if h.Get("Cache-Control") == "" {
		h.Set("Cache-Control", "no-cache") // ask each time: the file may change with the binary
	}
	if matches(r.Header.Values("If-None-Match"), etag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", a.contentType)
	size := a.size
	if packed {
		size = len(a.packed)
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("Content-Length", strconv.Itoa(size))
	if r.Method != http.MethodHead {
		a.write(w, packed)
	}
}

// write ignores errors: the only one is a client that went away.
func (a *asset) write(w io.Writer, packed bool) {
	if packed {
		_, _ = w.Write(a.packed)
		return
	}
	if z, err := gzip.NewReader(bytes.NewReader(a.packed)); err == nil {
		_, _ = io.Copy(w, z) //nolint:gosec // our own file, of a known size
	}
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
