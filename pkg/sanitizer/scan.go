package sanitizer

import "strings"

// scanner looks for shapes in a text, from left to right.
type scanner struct {
	sanitizer  *Sanitizer
	text       string
	hint       Hint
	floor      int // end of the last finding: nothing before it is read again
	judgements int // of phone numbers
	lookups    int // of rules of API keys
}

// span is a finding: text[start:end]. A span of no kind is passed over.
type span struct {
	kind       Kinds
	start, end int
}

// scan replaces every finding in a text, but for those in URLs.
func (s *Sanitizer) scan(raw string, seen class, h Hint) (string, Kinds) {
	v := view{text: raw}
	if seen&escapes != 0 {
		v = viewOf(raw)
	}
	sc := scanner{sanitizer: s, text: v.text, hint: h}
	var out []byte
	var found Kinds
	last := 0
	for i := 0; i < len(sc.text); {
		k := classes[sc.text[i]]
		if k&(inert|letter|digit) != 0 {
			if n := sc.skip(i, k); n > i {
				i = n
				continue
			}
		}
		f, ok := sc.at(i)
		if !ok {
			i++
			continue
		}
		i, sc.floor = max(f.end, i+1), f.end
		if f.kind == 0 || h.Allow&f.kind != 0 {
			continue
		}
		start, end := v.raw(f.start, f.end)
		out = append(out, raw[last:start]...)
		out = append(out, '[')
		out = append(out, s.name(f.kind)...)
		out = append(out, ']')
		last = end
		found |= f.kind
	}
	if found == 0 {
		return raw, 0
	}
	return string(append(out, raw[last:]...)), found
}

// inert are the bytes that nothing begins with, or is found around.
const inert = space | dot | slash | mark | percent | back | beyond

// skip is where to go on from i: after what can be no finding, so that ordinary text
// costs little. These are words of letters and short numbers that stand alone.
func (sc *scanner) skip(i int, k class) int {
	text := sc.text
	if k&inert != 0 {
		return i + 1
	}
	j := i + 1
	for j < len(text) && classes[text[j]] == k {
		j++
	}
	switch {
	case i > 0 && isWord(text[i-1]):
		return j // the rest of a word
	case j-i > 7 && (k == digit || j-i >= minSecret-3):
		return i
	}
	if j < len(text) {
		after := classes[text[j]]
		if next := j + 1; after&(dot|sign) != 0 && text[j] != '>' && (next == len(text) || classes[text[next]] == space && !sc.longWord(next+1)) {
			after = space
		}
		if after != space && after != other {
			return i
		}
		n := j
		for n < len(text) && n < j+4 && isSeparator(text[n]) {
			n++
		}
		if k == digit && n < len(text) && isDigit(text[n]) {
			return i
		}
	}
	if k == letter && j-i >= 4 && j-i <= 6 && schemeStarts[pair(text[i:])] {
		return i // it may be a scheme, or curl
	}
	return min(j+1, len(text))
}

// longWord reports that what begins at i is so long that it may be a rule's value.
func (sc *scanner) longWord(i int) bool {
	return i < len(sc.text) && (classes[sc.text[i]]&(letter|digit) == 0 || sc.secretEnd(i, shortestValue)-i == shortestValue)
}

// at finds what is at i, or around it.
func (sc *scanner) at(i int) (span, bool) {
	switch k := classes[sc.text[i]]; k {
	case at:
		return sc.email(i)
	case bracket:
		if f, ok := sc.spelledEmail(i); ok {
			return f, true
		}
		return sc.areaPhone(i)
	case plus:
		return sc.plusPhone(i)
	case equals, sign:
		return sc.assigned(i)
	case hyphen:
		if sc.text[i] == '_' {
			return sc.key(i)
		}
		return sc.privateKey(i)
	case colon:
		if i == 0 || !isWord(sc.text[i-1]) {
			if f, ok := sc.ipv6(i); ok {
				return f, true
			}
		}
		return sc.assigned(i)
	case tilde:
		return sc.key(max(i-1, 0)) // Q~ of Azure
	case letter, digit:
		if i > 0 && isWord(sc.text[i-1]) {
			return span{}, false
		}
		if k == letter {
			return sc.word(i)
		}
		return sc.number(i)
	}
	return span{}, false
}

// word finds what begins with a letter.
func (sc *scanner) word(i int) (span, bool) {
	if sc.text[i]|0x20 == 'e' {
		if f, ok := sc.jwt(i); ok {
			return f, true
		}
	}
	if f, ok := sc.token(i); ok {
		return f, true
	}
	if f, ok := sc.key(i); ok {
		return f, true
	}
	if f, ok := sc.iban(i); ok || !isHex(sc.text[i]) {
		return f, ok
	}
	if f, ok := sc.uuid(i); ok {
		return f, true
	}
	return sc.ipv6(i)
}

// number finds what begins with a digit. It passes over dates and UUIDs first:
// their digits are not a phone number.
func (sc *scanner) number(i int) (span, bool) {
	if f, ok := sc.uuid(i); ok {
		return f, true
	}
	if f, ok := sc.date(i); ok {
		return f, true
	}
	if f, ok := sc.ipv4(i); ok {
		return f, true
	}
	if f, ok := sc.ipv6(i); ok {
		return f, ok
	}
	if f, ok := sc.key(i); ok || !manyDigits(sc.text, i) {
		return f, ok
	}
	g := groupsAt(sc.text, i)
	if f, ok := sc.card(&g); ok {
		return f, true
	}
	if f, ok := sc.ssn(&g); ok {
		return f, true
	}
	return sc.nationalPhone(&g)
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// isWord reports an ASCII letter or digit: a shape must not touch one at its edges.
func isWord(c byte) bool { return classes[c]&(letter|digit) != 0 }

func isHex(c byte) bool { return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'f' }

// endsAt reports that no letter or digit is at i.
func (sc *scanner) endsAt(i int) bool { return i >= len(sc.text) || !isWord(sc.text[i]) }

// joined reports that a number goes on at i with a separator and a digit.
func (sc *scanner) joined(i int, separators string) bool {
	if i+1 >= len(sc.text) || !isDigit(sc.text[i+1]) {
		return false
	}
	return strings.IndexByte(separators, sc.text[i]) >= 0
}

// joinedBefore reports that what begins at i goes on from a letter or digit and
// one of the separators before it.
func (sc *scanner) joinedBefore(i int, separators string) bool {
	if i < 2 || !isWord(sc.text[i-2]) {
		return false
	}
	return strings.IndexByte(separators, sc.text[i-1]) >= 0
}
