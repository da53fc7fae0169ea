package vendortest

import (
	"bytes"
	"errors"

	"github.com/go-json-experiment/json/jsontext"
)

// Repeated is a name that stands twice in one object of a JSON text, at any depth.
// encoding/json keeps the last of the two without a word; what a vendor does nobody
// says.
func Repeated(text []byte) (name string, found bool) {
	_, err := jsontext.NewDecoder(bytes.NewReader(text), jsontext.AllowInvalidUTF8(true)).ReadValue()
	if at, ok := errors.AsType[*jsontext.SyntacticError](err); ok && errors.Is(err, jsontext.ErrDuplicateName) {
		return at.JSONPointer.LastToken(), true
	}
	return "", false
}
