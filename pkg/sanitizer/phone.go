package sanitizer

import "strings"

// plusPhone reads an international number behind the + at i.
func (sc *scanner) plusPhone(i int) (span, bool) {
	first := i + 1
	if first < len(sc.text) && sc.text[first] == '(' {
		first++
	}
	if first >= len(sc.text) || sc.text[first] < '1' || sc.text[first] > '9' || i > 0 && isWord(sc.text[i-1]) {
		return span{}, false
	}
	if f, ok := sc.date(first); ok {
		return f, true
	}
	g := groupsAt(sc.text, first)
	most := 15
	if g.n > 0 && g.text[first] == '1' {
		most = 11
	}
	last := g.lastWithin(most)
	if last < 0 || g.list[last].sum < 8 || last == 1 && g.separator(1) == "." {
		return span{}, false // too short, or a decimal
	}
	return span{Phone, i, g.list[last].end}, true
}

// lastWithin is the last group up to which there are at most so many digits.
func (g *groups) lastWithin(most int) int {
	last := -1
	for i := range g.n {
		if g.list[i].sum <= most {
			last = i
		}
	}
	return last
}

// areaPhone reads a number whose area code is in brackets at i.
func (sc *scanner) areaPhone(i int) (span, bool) {
	if sc.text[i] != '(' || i+1 >= len(sc.text) || !isDigit(sc.text[i+1]) {
		return span{}, false
	}
	g := groupsAt(sc.text, i+1)
	if g.n < 2 || g.size(0) < 2 || g.size(0) > 5 || !strings.HasPrefix(g.separator(1), ")") {
		return span{}, false
	}
	if g.size(0) == 4 && g.digits(0)[0] != '0' {
		return span{}, false // a year
	}
	last := g.lastWithin(12)
	if last < 1 || g.list[last].sum < 9 || !g.allGroups(last, 2, func(string) bool { return true }) {
		return span{}, false
	}
	return span{Phone, i, g.list[last].end}, true
}

// nationalPhone reads a number as it is written within a country.
func (sc *scanner) nationalPhone(g *groups) (span, bool) {
	if g.n == 0 || g.total < 9 || sc.joinedBefore(g.list[0].start, "-._") {
		return span{}, false
	}
	last := exitCode(g)
	if last < 0 {
		last = trunk(g)
	}
	if last < 0 {
		last = northAmerican(g)
	}
	if last < 0 {
		last = chinese(g)
	}
	if last < 0 || sc.joined(g.list[last].end, "-.") {
		return span{}, false
	}
	return span{Phone, g.list[0].start, g.list[last].end}, true
}

func plain(separator string) bool {
	return len(separator) == 1 || separator == " / " || separator == " - " || separator == ") " || separator == " ("
}

// exitCode is 00 and a country code.
func exitCode(g *groups) int {
	head := g.digits(0)
	if !strings.HasPrefix(head, "00") || len(head) > 2 && head[2] == '0' {
		return -1
	}
	last := g.lastWithin(17)
	if last < 0 || !g.allGroups(last, 1, plain) {
		return -1
	}
	if last == 0 && (g.total < 12 || g.total > 15) || g.list[last].sum < 10 {
		return -1
	}
	return last
}

// trunk is a 0, an area code and a number, with separators: 030/1234567. As
// bare digits it is an order number, unless it is a mobile phone's in Britain
// or Germany.
func trunk(g *groups) int {
	head := g.digits(0)
	if head[0] != '0' || len(head) < 2 || head[1] == '0' {
		return -1
	}
	if g.n == 1 {
		if len(head) == 11 && (head[1] == '7' || head[1] == '1' && '5' <= head[2] && head[2] <= '7') {
			return 0
		}
		return -1
	}
	last := g.lastWithin(12)
	if last < 1 || len(head) > 6 || g.list[last].sum < 9 || !g.allGroups(last, 2, plain) {
		return -1
	}
	return last
}

// northAmerican is 3-3-4, also with a 1 before it.
func northAmerican(g *groups) int {
	first := 0
	if g.digits(0) == "1" {
		first = 1
	}
	last := first + 2
	if g.n <= last || g.size(first) != 3 || g.size(first+1) != 3 || g.size(last) != 4 {
		return -1
	}
	if g.digits(first)[0] < '2' || g.digits(first + 1)[0] < '2' || !g.allGroups(last, 1, plain) {
		return -1
	}
	return last
}

// chinese is 3-4-4, beginning with 13 to 19.
func chinese(g *groups) int {
	if g.n < 3 || g.size(0) != 3 || g.size(1) != 4 || g.size(2) != 4 || g.digits(0)[0] != '1' || g.digits(0)[1] < '3' || !g.allGroups(2, 4, plain) {
		return -1
	}
	return 2
}
