package sanitizer

import (
	"fmt"
	"math/bits"
	"slices"
	"strings"
)

// Kinds is a set of kinds of findings.
type Kinds uint64

// The kinds that are built in; the operator's own patterns follow them.
const (
	Email Kinds = 1 << iota
	Phone
	Card
	IBAN
	SSN
	IP
	JWT
	Token
	Key
	PrivateKey
	Secret // a value whose name says that it is one
	Credentials
	Query
	Fragment
	Oversized // a value that was replaced whole, because every removal made new findings
	firstOwn
)

var builtin = []string{
	"email", "phone", "card", "iban", "ssn", "ip", "jwt", "token", "key", "private-key", "secret",
	"credentials", "query", "fragment", "redacted",
}

// maxOwn is the most patterns that an operator can have.
const maxOwn = 32

// Names are the names of all kinds: those built in and the operator's own.
func (s *Sanitizer) Names() []string { return slices.Clone(s.names) }

// NamesOf are the names of the kinds in a set; nil for none.
func (s *Sanitizer) NamesOf(k Kinds) []string {
	var list []string
	for k != 0 {
		list = append(list, s.name(k&-k))
		k &= k - 1
	}
	return list
}

// Set is the set of the named kinds.
func (s *Sanitizer) Set(names []string) (Kinds, error) {
	var set Kinds
	for _, name := range names {
		i := slices.Index(s.names, name)
		if i < 0 {
			return 0, fmt.Errorf("unknown kind %q; the kinds are %s", name, strings.Join(s.names, ", "))
		}
		set |= 1 << i
	}
	return set, nil
}

// name is the name of a single kind.
func (s *Sanitizer) name(k Kinds) string { return s.names[bits.TrailingZeros64(uint64(k))] }
