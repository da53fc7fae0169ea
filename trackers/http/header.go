package http

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strconv"

	"github.com/sparrow-edge/sparrow/pkg/tracker"
)

// headerOf is what every request carries, and the credentials in it that no
// other key holds in that form.
func headerOf(c Config) (http.Header, []tracker.Secret) {
	header := http.Header{"Content-Type": {"application/json"}}
	for name, value := range c.Headers {
		header.Set(name, value)
	}
	for name, value := range c.SecretHeaders {
		header.Set(name, value.Reveal())
	}
	if c.BasicAuth == (BasicAuth{}) {
		return header, nil
	}
	encoded := base64.StdEncoding.EncodeToString([]byte(c.BasicAuth.User.Reveal() + ":" + c.BasicAuth.Password.Reveal()))
	header.Set("Authorization", "Basic "+encoded)
	return header, []tracker.Secret{c.BasicAuth.User, c.BasicAuth.Password, tracker.Secret(encoded)}
}

// signer signs a body into its headers; newest is the receipt of its newest
// event, in seconds since 1970.
func signer(c HMAC) func(header http.Header, body []byte, newest int64) {
	if c.Secret == "" {
		return func(http.Header, []byte, int64) {}
	}
	key := []byte(c.Secret.Reveal())
	return func(header http.Header, body []byte, newest int64) {
		mac := hmac.New(sha256.New, key)
		if c.Timestamp != "" {
			at := strconv.FormatInt(newest, 10)
			header.Set(c.Timestamp, at)
			mac.Write([]byte(at + ".")) // a hash's Write never fails
		}
		mac.Write(body)
		signature := hex.EncodeToString(mac.Sum(nil))
		if c.Encoding == "base64" {
			signature = base64.StdEncoding.EncodeToString(mac.Sum(nil))
		}
		header.Set(c.Header, c.Prefix+signature)
	}
}
