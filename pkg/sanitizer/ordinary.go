package sanitizer

// class says which shapes a byte can be part of.
type class uint32

const (
	digit   class = 1 << iota
	letter        // ASCII
	at            // @
	dot           // .
	colon         // :
	slash         // /
	mark          // ? # ; what URLs are made of
	percent       // %
	bracket       // ( [ { which may hide "(at)"
	hyphen        // - _
	back          // \ and & of escapes
	beyond        // not ASCII
	space         // ASCII white space
	plus          // +
	equals        // =
	sign          // > , | between a name and its value
	tilde         // ~
	other         // what no shape is made of
)

var classes = func() (c [256]class) {
	for b := range 256 {
		c[b] = other
		switch {
		case '0' <= b && b <= '9':
			c[b] = digit
		case 'a' <= b|0x20 && b|0x20 <= 'z':
			c[b] = letter
		case b >= 0x80:
			c[b] = beyond
		case b == ' ' || b == '\t' || b == '\n' || b == '\r':
			c[b] = space
		}
	}
	for b, k := range map[byte]class{
		'@': at, '.': dot, ':': colon, '/': slash, '?': mark, '#': mark, '&': back, ';': mark, '%': percent,
		'(': bracket, '[': bracket, '{': bracket, '-': hyphen, '_': hyphen, '\\': back, '+': plus, '=': equals, '>': sign, ',': sign, '|': sign, '~': tilde,
	} {
		c[b] = k
	}
	return c
}()

// minSecret is the shortest text that can contain a key, a token or an IBAN.
const minSecret = 15

// escapes are the bytes that begin one.
const escapes = percent | back | beyond

// survey reads each byte of a text once: which classes it has, and how many digits.
func survey(text string) (seen class, digits int) {
	for i := 0; i < len(text); i++ {
		k := classes[text[i]]
		seen |= k
		digits += int(k & digit)
	}
	return seen, digits
}

// ordinary reports that a text cannot contain a finding: it lacks the bytes that
// every shape has.
func (s *Sanitizer) ordinary(text string, seen class, digits int, h Hint) bool {
	if len(s.own) > 0 || h.URL {
		return text == ""
	}
	switch {
	case seen&(at|percent|bracket|mark|back|equals) != 0, seen&beyond != 0 && (digits > 0 || seen&dot != 0 || len(text) >= minSecret):
		return false
	case seen&colon != 0 && digits+len(text) > 2:
		return false
	case digits >= 4 && seen&dot != 0, digits >= 7:
		return false
	}
	return len(text) < minSecret || digits == 0 && seen&(hyphen|colon) == 0 && !mayHoldToken(text)
}

// mayHoldToken reports a run of 15 or more letters, which a secret can be, or
// the word before one.
func mayHoldToken(text string) bool {
	run := 0
	for i := 0; i < len(text); i++ {
		if classes[text[i]]&letter == 0 {
			run = 0
			continue
		}
		if run++; run >= minSecret-3 {
			return true
		}
	}
	return false
}
