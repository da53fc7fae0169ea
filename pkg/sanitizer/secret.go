package sanitizer

import (
	"bytes"
	"encoding/base64"
	"slices"
	"strings"
	"unicode/utf8"
)

// key reads an API key that begins at i, or that has a rule's keyword there.
func (sc *scanner) key(i int) (span, bool) {
	rest := sc.text[i:]
	if len(rest) < 2 {
		return span{}, false
	}
	for _, w := range prefixed.begin(rest) {
		if !w.begins(rest) {
			continue
		}
		if sc.lookups++; sc.lookups > maxLookups {
			return span{Key, i, sc.secretEnd(i+len(w.text), len(sc.text))}, true
		}
		from := i
		for w.rule.inside && from > sc.floor && i-from < maxSecretHead && (isTokenByte(sc.text[from-1]) || sc.text[from-1] == '.' || sc.text[from-1] == '~') {
			from--
		}
		if start, end, ok := w.rule.match(sc.text[from:]); ok {
			return span{Key, from + start, from + end}, true
		}
	}
	return span{}, false
}

// maxLookups bounds how many rules of API keys run on a text, because one takes many
// microseconds: what stands at the keywords after them is taken for a key.
const maxLookups = 200

// maxSecretHead is how far before its keyword a key begins.
const maxSecretHead = 64

// The text around the sign of an assignment.
const (
	longestName   = 72
	shortestValue = 14 // of the values of rules
)

// assigned reads the value of name=value, with a name that says it is a secret, or
// that a rule has.
func (sc *scanner) assigned(i int) (span, bool) {
	if i == 0 || strings.IndexByte("=:>|,", sc.text[i-1]) >= 0 {
		return span{}, false // the sign before has been read
	}
	value := i + 1
	for n := 0; n < 8 && value < len(sc.text) && strings.IndexByte("=:>| \t\n'\"`", sc.text[value]) >= 0; n++ {
		value++
	}
	end := sc.secretEnd(value, shortestValue)
	if end-value < leastSecret {
		return span{}, false
	}
	if _, ok := sc.jwt(value); ok {
		return span{}, false
	}
	if sc.text[i-1] == '?' {
		i-- // name ?= value
	}
	name := sc.text[max(sc.floor, i-longestName, 0):i]
	if c := sc.text[i]; c == '=' || c == ':' || c == '?' {
		if n := secretName(strings.TrimRight(name, " \t'\"")); n != notSecret {
			end = sc.secretEnd(value, longestValue)
			if isSecretValue(sc.text[value:end], n, c == '=' && value == i+1) {
				return span{Secret, value, sc.secretEnd(value, len(sc.text))}, true
			}
		}
	}
	if end-value < shortestValue {
		return span{}, false
	}
	var tried []*rule // a rule reads the whole name, however often it has the keyword
	around := sc.text[i-len(name) : value+2]
	for j := range len(around) - 1 {
		for _, w := range named.begin(around[j:]) {
			if !w.begins(sc.text[i-len(name)+j:]) || slices.Contains(tried, w.rule) {
				continue
			}
			tried = append(tried, w.rule)
			if sc.lookups++; sc.lookups > maxLookups {
				return span{Key, value, sc.secretEnd(value, len(sc.text))}, true
			}
			if !w.rule.names().MatchString(name) {
				continue
			}
			if start, end, ok := w.rule.match(sc.text[value:]); ok {
				return span{Key, value + start, value + end}, true
			}
		}
	}
	return span{}, false
}

// secretEnd is where the secret that begins at i ends, after most bytes at the latest.
func (sc *scanner) secretEnd(i, most int) int {
	end := i
	for end < len(sc.text) && end-i < most && isSecretByte(sc.text[end]) {
		end++
	}
	return end
}

// leastSecret is the length of the shortest value that is a secret for its name.
const leastSecret = 5

// secretNames are the ends of names whose values are secret. A token can be many
// things, so its value must look like a secret.
var secretNames = []string{
	"password", "passwd", "passphrase", "secret", "api_key", "apikey", "api-key", "access_key", "accesskey", "secret_key", "secretkey",
	"private_key", "privatekey", tokenName,
}

const tokenName = "token"

const notSecret = ""

// secretName is the end of a name that says that its value is secret, or notSecret.
func secretName(name string) string {
	if len(name) < len(tokenName) || strings.IndexByte("detyn", name[len(name)-1]|0x20) < 0 {
		return notSecret
	}
	for _, end := range secretNames {
		if n := len(name) - len(end); n >= 0 && strings.EqualFold(name[n:], end) {
			return end
		}
	}
	return notSecret
}

// isSecretProperty reports that the whole text of a property is a secret.
func isSecretProperty(name, text string) bool {
	end := secretName(name)
	return !strings.ContainsAny(text, " \t\n[") && isSecretValue(text, end, len(end) == len(name))
}

// isSecretValue reports that a value can be a secret, and is not a word about one
// (password: required). sure says that such a word would not stand here.
func isSecretValue(value, name string, sure bool) bool {
	letters := 0
	for letters < len(value) && (isLetter(value[letters]) || value[letters] == '_' || value[letters] == '-') {
		letters++
	}
	switch {
	case len(value) < leastSecret || value == "false" || value == "undefined":
		return false
	case name == tokenName:
		return len(value) >= 16 && random(value)
	}
	return sure || letters < len(value) || len(value) >= 20 && random(value)
}

// isSecretByte reports the characters of secrets without spaces.
func isSecretByte(c byte) bool { return secretBytes[c] }

var secretBytes = func() (set [256]bool) {
	for c := range set {
		set[c] = isTokenByte(byte(c)) || strings.IndexByte(".~+/=%:!$*@^", byte(c)) >= 0
	}
	return set
}()

// isTokenByte reports the alphabet of base64 for URLs.
func isTokenByte(c byte) bool { return isWord(c) || c == '-' || c == '_' }

// jwt reads a JSON web token: base64 of {" and two to four more parts.
func (sc *scanner) jwt(i int) (span, bool) {
	if !strings.HasPrefix(sc.text[i:], "eyJ") || i > 0 && isTokenByte(sc.text[i-1]) {
		return span{}, false
	}
	end, parts := i, 0
	for parts < 5 {
		begin := end
		for end < len(sc.text) && isTokenByte(sc.text[end]) {
			end++
		}
		if end-begin < 5 && parts < 2 {
			return span{}, false
		}
		parts++
		if end >= len(sc.text) || sc.text[end] != '.' || parts == 5 {
			break
		}
		end++
	}
	if parts < 2 {
		return span{}, false
	}
	return span{JWT, i, end}, true
}

// schemes are what stands before the credentials of an Authorization header.
var schemes = [...]string{"bearer", "basic", "token", "apikey"}

// schemeStarts marks the first two letters of schemes, and of curl.
var schemeStarts = func() (starts [1 << 14]bool) {
	for _, word := range append(schemes[:], "curl") {
		starts[pair(word)] = true
	}
	return starts
}()

// token reads the credentials of an Authorization header.
func (sc *scanner) token(i int) (span, bool) {
	rest := sc.text[i:]
	scheme := ""
	if len(rest) < 2 || !schemeStarts[pair(rest)] {
		return span{}, false
	}
	for _, s := range schemes {
		if len(rest) > len(s) && strings.EqualFold(rest[:len(s)], s) {
			scheme = s
		}
	}
	begin := len(scheme)
	for begin < len(rest) && begin < len(scheme)+4 && strings.IndexByte(" \t:", rest[begin]) >= 0 {
		begin++
	}
	if scheme == "" || begin == len(scheme) {
		return span{}, false
	}
	n, telling := begin, false
	for n < len(rest) && (isTokenByte(rest[n]) || strings.IndexByte(".~+/=", rest[n]) >= 0) {
		telling = telling || isDigit(rest[n]) || rest[n] == '='
		n++
	}
	value := rest[begin:n]
	ok := len(value) >= 12 && (telling || len(value) >= 40 || random(value))
	switch scheme {
	case "basic":
		plain, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(value, "="))
		ok = err == nil && len(plain) >= 3 && bytes.IndexByte(plain, ':') >= 0 && utf8.Valid(plain)
	case "token", "apikey":
		ok = ok && len(value) >= 16 && random(value[:min(len(value), longestValue)])
	}
	return span{Token, i, i + n}, ok
}

const pemBegin, pemEnd = "-----BEGIN", "-----END "

// privateKey reads a PEM block at i with a private key, or what is left
// of one.
func (sc *scanner) privateKey(i int) (span, bool) {
	const longestLabel = 64
	rest := sc.text[i:]
	if !strings.HasPrefix(rest, pemBegin) || !strings.Contains(rest[:min(len(rest), len(pemBegin)+longestLabel)], "PRIVATE KEY") {
		return span{}, false
	}
	end := strings.Index(rest, pemEnd)
	if end < 0 {
		return span{PrivateKey, i, len(sc.text)}, true
	}
	closing := strings.Index(rest[end+len(pemEnd):], "-----")
	if closing < 0 {
		return span{PrivateKey, i, len(sc.text)}, true
	}
	return span{PrivateKey, i, i + end + len(pemEnd) + closing + 5}, true
}
