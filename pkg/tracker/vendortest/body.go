package vendortest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"unicode/utf16"

	"github.com/go-json-experiment/json/jsontext"
)

// maxRequest is how many bytes of a request are read.
const maxRequest = 64 << 20

// ReadBody reads a request's whole body, up to 64 MiB.
func ReadBody(r *http.Request) ([]byte, error) { return io.ReadAll(io.LimitReader(r.Body, maxRequest)) }

// Body is a handler that is also given the request's body, as ReadBody reads it.
// If the client is gone before the end of its body, the request is ignored.
func Body(handle func(w http.ResponseWriter, r *http.Request, body []byte)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if body, err := ReadBody(r); err == nil {
			handle(w, r, body)
		}
	})
}

// ReplyJSON answers with a status and a value as JSON.
func ReplyJSON(w http.ResponseWriter, status int, value any) {
	body, err := json.Marshal(value)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client may be gone
}

// Decode decodes exactly one JSON value. Numbers keep their digits, as json.Number.
func Decode(text []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("more than one value")
	}
	return nil
}

// Repeated finds a name that appears twice in one object of a JSON text, at any
// depth. encoding/json silently keeps the last of the two; vendors do not document
// what they do.
func Repeated(text []byte) (name string, found bool) {
	_, err := jsontext.NewDecoder(bytes.NewReader(text), jsontext.AllowInvalidUTF8(true)).ReadValue()
	if at, ok := errors.AsType[*jsontext.SyntacticError](err); ok && errors.Is(err, jsontext.ErrDuplicateName) {
		return at.JSONPointer.LastToken(), true
	}
	return "", false
}

// Length counts characters as JavaScript does, and so most vendors: in UTF-16 code
// units.
func Length(s string) int { return len(utf16.Encode([]rune(s))) }
