package sanitizer

import (
	"net/netip"
	"strings"
)

// ipv4 reads four numbers with dots that are no version.
func (sc *scanner) ipv4(i int) (span, bool) {
	j := i
	for n := range 4 {
		value, begin := 0, j
		for j < len(sc.text) && isDigit(sc.text[j]) && j-begin < 4 {
			value = value*10 + int(sc.text[j]-'0')
			j++
		}
		if j == begin || value > 255 || j-begin > 1 && sc.text[begin] == '0' {
			return span{}, false
		}
		if n == 3 {
			break
		}
		if j >= len(sc.text) || sc.text[j] != '.' {
			return span{}, false
		}
		j++
	}
	if !sc.endsAt(j) || sc.joined(j, ".") || sc.joinedBefore(i, ".") && isDigit(sc.text[i-2]) || sc.version(i, j) {
		return span{}, false
	}
	return span{IP, i, j}, true
}

// version reports that the numbers from i to j are a version, by the text around
// them.
func (sc *scanner) version(i, j int) bool {
	if sc.hint.Version {
		return true
	}
	if j+1 < len(sc.text) && (sc.text[j] == '-' || sc.text[j] == '+') && isLetter(sc.text[j+1]) {
		return true // 1.2.3.4-rc1
	}
	end := i
	if end > 0 && sc.text[end-1] == '/' { // a product of a user agent: Chrome/141.0.0.0
		begin := end - 1
		for begin > 0 && end-begin < 32 && (isWord(sc.text[begin-1]) || sc.text[begin-1] == '_') {
			begin--
		}
		alone := begin == 0 || sc.text[begin-1] == ' ' || sc.text[begin-1] == ';' || sc.text[begin-1] == '('
		return alone && begin < end-1 && 'A' <= sc.text[begin] && sc.text[begin] <= 'Z'
	}
	for n := 0; n < 3 && end > 0 && strings.IndexByte(" =:\"'-(#", sc.text[end-1]) >= 0; n++ {
		end--
	}
	begin := end
	for begin > 0 && end-begin < 12 && isLetter(sc.text[begin-1]) {
		begin--
	}
	return versionWords[strings.ToLower(sc.text[begin:end])]
}

var versionWords = map[string]bool{
	"version": true, "ver": true, "v": true, "release": true, "rel": true, "build": true, "rev": true, "revision": true,
	"firmware": true, "fw": true, "sdk": true, "update": true, "upgrade": true, "patch": true, "kernel": true, "driver": true,
	"section": true, "chapter": true, "clause": true,
}

// namesVersion reports whether a property's name says that its values are versions.
func namesVersion(name string) bool {
	if len(name) > 64 {
		return false
	}
	for _, word := range [...]string{"version", "build", "release", "firmware", "revision"} {
		for i := 0; i+len(word) <= len(name); i++ {
			if strings.EqualFold(name[i:i+len(word)], word) {
				return true
			}
		}
	}
	return false
}

// ipv6 reads an IPv6 address, which may begin with a colon.
func (sc *scanner) ipv6(i int) (span, bool) {
	const longest = 45
	end, colons, double, digits := i, 0, false, 0
	for end < len(sc.text) && end-i <= longest && (isHex(sc.text[end]) || sc.text[end] == ':' || sc.text[end] == '.') {
		switch {
		case sc.text[end] == ':':
			colons++
			double = double || end+1 < len(sc.text) && sc.text[end+1] == ':'
		case isDigit(sc.text[end]):
			digits++
		}
		end++
	}
	if colons < 2 || digits == 0 || !double && colons < 6 || end-i > longest {
		return span{}, false
	}
	for end > i && (sc.text[end-1] == '.' || sc.text[end-1] == ':' && (end-i < 2 || sc.text[end-2] != ':')) {
		end--
	}
	if !sc.endsAt(end) {
		return span{}, false
	}
	if _, err := netip.ParseAddr(sc.text[i:end]); err != nil {
		return span{}, false
	}
	return span{IP, i, end}, true
}
