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

// survey reads a text once. It says which classes its bytes have, and whether it may
// hold what secrets and numbers are made of: a long run of letters and digits, seven
// digits with or without separators, four with three dots, a spelled-out at.
func survey(text string) (seen class, mayHold bool) {
	run, digits, dots := 0, 0, 0
	for i := 0; i < len(text); i++ {
		k := classes[text[i]]
		seen |= k
		switch {
		case k == letter:
			begin := i
			for i+1 < len(text) && classes[text[i+1]] == letter {
				i++
			}
			run += i - begin + 1
			digits, dots = 0, 0
		case k == space:
			run = 0
			continue
		case k == digit:
			run++
			digits++
		case k == hyphen:
			run++
		case k == dot:
			run = 0
			dots++
		default:
			run = 0
			if k == bracket && !mayHold {
				_, mayHold = spelled(text[i:], "at")
			}
			if !isSeparator(text[i]) {
				digits, dots = 0, 0
			}
		}
		mayHold = mayHold || run >= minRun || digits >= 7 || digits >= 4 && dots >= 3
	}
	return seen, mayHold
}

// minRun is the shortest run of letters, digits and hyphens of a secret; a private key
// has ten before its first space.
const minRun = 10

// ordinary reports that a text cannot contain a finding: it lacks what every shape has.
func (s *Sanitizer) ordinary(text string, seen class, mayHold bool, h Hint) bool {
	switch {
	case len(s.own) > 0 || h.URL:
		return text == ""
	case seen&(at|percent|back|equals|tilde) != 0, seen&beyond != 0 && (seen&(digit|dot) != 0 || len(text) >= minSecret):
		return false
	case seen&colon != 0 && len(text) > 2, seen&mark != 0 && seen&slash != 0:
		return false
	}
	return !mayHold
}
