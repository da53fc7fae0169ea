package tracker

import (
	"fmt"
	"strings"

	"github.com/sparrow-edge/sparrow/pkg/secret"
)

// Secret is a credential of a tracker. It never prints; only Reveal gives its value.
type Secret = secret.Value

// CheckSecret checks a required credential that has no spaces, such as an API key.
// key is its name in the configuration; where tells people where to find it.
func CheckSecret(key string, s Secret, where string) error {
	switch {
	case strings.TrimSpace(string(s)) == "":
		return fmt.Errorf("%s: required; %s", key, where)
	case strings.ContainsFunc(string(s), func(r rune) bool { return r <= ' ' || r >= 0x7F }):
		return fmt.Errorf("%s: contains a space or a character outside ASCII", key)
	}
	return nil
}
