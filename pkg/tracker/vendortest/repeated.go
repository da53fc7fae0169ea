package vendortest

import (
	"bytes"
	"encoding/json"
)

// Repeated is a name that stands twice in one object of a JSON text, at any depth.
// Go keeps the last of the two without a word; what a vendor does nobody says. A
// text that is not JSON has none.
func Repeated(text []byte) (name string, found bool) {
	if !json.Valid(text) {
		return "", false
	}
	return repeated(json.NewDecoder(bytes.NewReader(text)))
}

// repeated reads one value of a sound text, or what comes before the first
// repeated name.
func repeated(d *json.Decoder) (string, bool) {
	token, err := d.Token()
	opening, compound := token.(json.Delim)
	if err != nil || !compound {
		return "", false
	}
	names := map[string]bool{}
	for d.More() {
		if opening == '{' {
			member, err := d.Token()
			name, _ := member.(string)
			if err != nil || names[name] {
				return name, true
			}
			names[name] = true
		}
		if name, found := repeated(d); found {
			return name, true
		}
	}
	_, err = d.Token() // the closing one
	return "", err != nil
}
