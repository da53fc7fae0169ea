package sanitizer

import "strings"

// email reads an address around the @ at i.
func (sc *scanner) email(i int) (span, bool) {
	start := sc.localStart(i)
	end, ok := sc.domainEnd(i + 1)
	if start == i || !ok || retina(sc.text[i+1:end]) {
		return span{}, false
	}
	return span{Email, start, end}, true
}

// localStart goes back over the part before the @.
func (sc *scanner) localStart(i int) int {
	start := i
	for start > sc.floor && isLocal(sc.text[start-1]) {
		start--
	}
	for start < i && (sc.text[start] == '.' || sc.text[start] == '-' || sc.text[start] == '\'') {
		start++
	}
	return start
}

func isLocal(c byte) bool {
	return isWord(c) || c >= 0x80 || strings.IndexByte("._%+-'~", c) >= 0
}

// domainEnd reads a domain with a top level of letters.
func (sc *scanner) domainEnd(i int) (int, bool) {
	end, begin := 0, i // of what is a domain so far, of the label at hand
	labels := 0
	for j := i; ; j++ {
		if j < len(sc.text) && (isWord(sc.text[j]) || sc.text[j] == '-' || sc.text[j] >= 0x80) {
			continue
		}
		if j == begin {
			break
		}
		labels++
		if labels > 1 {
			if n := topLevel(sc.text[begin:j]); n > 0 {
				end = begin + n
			} else if labels == 2 && isDigit(sc.text[i]) && isDigit(sc.text[begin]) {
				return 0, false // a version: pkg@1.2.3-rc.one
			}
		}
		if j >= len(sc.text) || sc.text[j] != '.' {
			break
		}
		begin = j + 1
	}
	return end, end > 0
}

// topLevel is how much of a label is letters, if that is at least two, or the
// whole label for one that is written in punycode.
func topLevel(label string) int {
	if len(label) > 4 && strings.EqualFold(label[:4], "xn--") {
		return len(label)
	}
	n := 0
	for n < len(label) && (isLetter(label[n]) || label[n] >= 0x80) {
		n++
	}
	if n < 2 {
		return 0
	}
	return n
}

// retina reports the end of a picture's file name: icon@2x.png.
func retina(domain string) bool {
	return len(domain) >= 5 && isDigit(domain[0]) && domain[1] == 'x' && domain[2] == '.'
}

// spelledEmail reads an address with a spelled-out at around the bracket at i.
func (sc *scanner) spelledEmail(i int) (span, bool) {
	after, ok := spelled(sc.text[i:], "at")
	if !ok {
		return span{}, false
	}
	before := i
	for n := 0; n < 3 && before > sc.floor && sc.text[before-1] == ' '; n++ {
		before--
	}
	start := sc.localStart(before)
	end, ok := sc.spelledDomain(i + after)
	if start == before || !ok {
		return span{}, false
	}
	return span{Email, start, end}, true
}

// spelledDomain reads labels with dots that may be spelled out, too.
func (sc *scanner) spelledDomain(i int) (int, bool) {
	i += blanks(sc.text[i:])
	end, labels := 0, 0
	for {
		begin := i
		for i < len(sc.text) && (isWord(sc.text[i]) || sc.text[i] == '-' || sc.text[i] >= 0x80) {
			i++
		}
		if i == begin {
			return end, end > 0
		}
		if labels++; labels > 1 {
			if n := topLevel(sc.text[begin:i]); n > 0 {
				end = begin + n
			}
		}
		if i < len(sc.text) && sc.text[i] == '.' {
			i++
			continue
		}
		next := i + blanks(sc.text[i:])
		n, ok := spelled(sc.text[next:], "dot")
		if !ok {
			return end, end > 0
		}
		i = next + n
		i += blanks(sc.text[i:])
	}
}

// spelled reads "(at)" and the like: the word in any brackets, any case.
func spelled(s, word string) (int, bool) {
	if s == "" || classes[s[0]] != bracket {
		return 0, false
	}
	n := 1 + blanks(s[1:])
	if len(s) < n+len(word) || !strings.EqualFold(s[n:n+len(word)], word) {
		return 0, false
	}
	n += len(word)
	n += blanks(s[n:])
	if n >= len(s) || strings.IndexByte(")]}", s[n]) < 0 {
		return 0, false
	}
	return n + 1, true
}

// blanks is how many spaces s begins with, three at most.
func blanks(s string) int {
	n := 0
	for n < len(s) && n < 3 && s[n] == ' ' {
		n++
	}
	return n
}
