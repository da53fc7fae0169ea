package sanitizer

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// view is a text with its escapes undone. What is found in it is replaced in the raw
// text.
type view struct {
	text string
	from []int32 // where each byte of text, and its end, is in the raw text; nil when they are the same
}

// rounds is how often escapes within escapes are undone (%2540).
const rounds = 3

// raw is the part of the raw text that a part of the view stands for.
func (v *view) raw(start, end int) (int, int) {
	if v.from == nil {
		return start, end
	}
	return int(v.from[start]), int(v.from[end])
}

func viewOf(raw string) view {
	v := view{text: raw}
	for range rounds {
		if !escaped(v.text) {
			break
		}
		text, from, changed := unescape(v.text)
		if !changed {
			break
		}
		if v.from != nil {
			for i := range from {
				from[i] = v.from[from[i]]
			}
		}
		v = view{text, from}
	}
	return v
}

// escaped reports whether unescape could change the text.
func escaped(text string) bool {
	for i := 0; i < len(text); i++ {
		if c := text[i]; c == '%' || c == '&' || c == '\\' || c >= 0x80 {
			return true
		}
	}
	return false
}

func unescape(text string) (string, []int32, bool) {
	out := make([]byte, 0, len(text))
	from := make([]int32, 0, len(text)+1)
	changed := false
	for i := 0; i < len(text); {
		c, size, ok := escape(text[i:])
		if ok {
			changed = true
			if c != 0 {
				out, from = append(out, c), append(from, int32(i))
			}
			i += size
			continue
		}
		for range size {
			out, from = append(out, text[i]), append(from, int32(i))
			i++
		}
	}
	return string(out), append(from, int32(len(text))), changed
}

// escape reads an escape at the start of s: the byte it stands for (0 for
// nothing visible) and its length. ok is false for what stands for itself;
// size is then the length of that.
func escape(s string) (c byte, size int, ok bool) {
	switch {
	case s[0] >= utf8.RuneSelf:
		r, size := utf8.DecodeRuneInString(s)
		c, ok := folded(r)
		return c, size, ok
	case s[0] == '%' && len(s) >= 3:
		c, ok = unhex(s[1:3])
		return c, pick(ok && c != 0, 3), ok && c != 0
	case s[0] == '\\' && len(s) >= 6 && s[1] == 'u' && s[2] == '0' && s[3] == '0':
		c, ok = unhex(s[4:6])
		ok = ok && c != 0 && c < utf8.RuneSelf
		return c, pick(ok, 6), ok
	case s[0] == '&' && len(s) >= 4:
		return entity(s)
	}
	return 0, 1, false
}

func pick(ok bool, size int) int {
	if ok {
		return size
	}
	return 1
}

func unhex(two string) (byte, bool) {
	var v byte
	for i := range 2 {
		switch c := two[i]; {
		case '0' <= c && c <= '9':
			v = v<<4 | (c - '0')
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			v = v<<4 | (c | 0x20 - 'a' + 10)
		default:
			return 0, false
		}
	}
	return v, true
}

// entities are the HTML names of the characters that shapes are made of.
var entities = map[string]byte{"commat": '@', "period": '.', "colon": ':', "amp": '&', "sol": '/', "lowbar": '_', "nbsp": ' ', "quest": '?', "num": '#', "plus": '+', "hyphen": '-'}

func entity(s string) (byte, int, bool) {
	end := strings.IndexByte(s[:min(len(s), 10)], ';')
	if end < 3 {
		return 0, 1, false
	}
	name := s[1:end]
	if name[0] != '#' {
		c, ok := entities[name]
		return c, pick(ok, end+1), ok
	}
	base, digits := 10, name[1:]
	if digits[0]|0x20 == 'x' {
		base, digits = 16, digits[1:]
	}
	code, err := strconv.ParseUint(digits, base, 7)
	ok := err == nil && code != 0
	return byte(code), pick(ok, end+1), ok
}

// folded is the ASCII character that r looks like; 0 for an invisible one.
func folded(r rune) (byte, bool) {
	switch {
	case 0xFF01 <= r && r <= 0xFF5E: // full-width
		return byte(r - 0xFEE0), true
	case 0x2010 <= r && r <= 0x2015, r == 0x2212:
		return '-', true
	case r == 0xA0, 0x2000 <= r && r <= 0x200A, r == 0x202F, r == 0x205F, r == 0x3000:
		return ' ', true
	case 0x200B <= r && r <= 0x200F, 0x2060 <= r && r <= 0x2064, r == 0xFEFF, r == 0xAD, r == 0x180E:
		return 0, true
	case 0x0660 <= r && r <= 0x0669:
		return byte(r-0x0660) + '0', true
	case 0x06F0 <= r && r <= 0x06F9:
		return byte(r-0x06F0) + '0', true
	case 0x0966 <= r && r <= 0x096F:
		return byte(r-0x0966) + '0', true
	case r == 0x3002, r == 0xFF61:
		return '.', true
	case r == 0xFE6B:
		return '@', true
	}
	return 0, false
}
