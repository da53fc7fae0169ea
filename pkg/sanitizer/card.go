package sanitizer

import "strings"

// card reads the longest payment card number that the groups begin with.
func (sc *scanner) card(g *groups) (span, bool) {
	if g.n == 0 || g.total < 13 || sc.joinedBefore(g.list[0].start, ".") {
		return span{}, false // a fraction is no card
	}
	for last := g.n - 1; last >= 0; last-- {
		sum := g.list[last].sum
		if sum < 13 {
			break
		}
		if sum > 19 || !g.cardShaped(last) {
			continue
		}
		var number [19]byte
		n := 0
		for i := range last + 1 {
			n += copy(number[n:], g.digits(i))
		}
		start, end := g.list[0].start, g.list[last].end
		inside := last > 0 && start >= 2 && isDigit(sc.text[start-2]) && sc.text[start-1] == ' ' && sc.joined(end, g.separator(1))
		goesOn := last > 0 && last+1 < g.n && g.size(last+1) == g.size(0) && g.separator(last+1) == g.separator(1)
		if !inside && !goesOn && !(n == 13 && isGTIN(string(number[:n]))) && isCard(number[:n]) {
			return span{Card, start, end}, true
		}
	}
	return span{}, false
}

// cardShaped reports groups as people write cards: without any, all of a size
// (the last may be shorter), 4-6-5 or 4-6-4.
func (g *groups) cardShaped(last int) bool {
	if !g.allGroups(last, 1, func(s string) bool { return len(s) == 1 && strings.Contains(" -.", s) }) {
		return false
	}
	if last == 2 && g.size(0) == 4 && g.size(1) == 6 {
		return g.size(2) == 5 || g.size(2) == 4
	}
	if last > 0 && g.list[last].sum == 14 {
		return false // Diners Club are 4-6-4
	}
	for i := 1; i <= last; i++ {
		if g.size(i) > g.size(0) || i < last && g.size(i) != g.size(0) {
			return false
		}
	}
	return true
}

// issuer is a range of first digits and the lengths of its numbers.
type issuer struct{ low, high, digits, least, most int }

var issuers = []issuer{
	{4, 4, 1, 13, 13}, {4, 4, 1, 16, 16}, {4, 4, 1, 19, 19}, // Visa
	{51, 55, 2, 16, 16}, {2221, 2720, 4, 16, 16}, // Mastercard
	{34, 34, 2, 15, 15}, {37, 37, 2, 15, 15}, // American Express
	{6011, 6011, 4, 16, 19}, {644, 649, 3, 16, 19}, {65, 65, 2, 16, 19}, // Discover
	{3528, 3589, 4, 16, 19},                                         // JCB
	{300, 305, 3, 14, 16}, {36, 36, 2, 14, 16}, {38, 39, 2, 14, 16}, // Diners Club
	{62, 62, 2, 16, 19},                                                                                // UnionPay
	{2200, 2204, 4, 16, 19},                                                                            // Mir
	{5018, 5018, 4, 13, 19}, {5020, 5020, 4, 13, 19}, {5038, 5038, 4, 13, 19}, {5893, 5893, 4, 13, 19}, // Maestro
	{6304, 6304, 4, 13, 19}, {6759, 6759, 4, 13, 19}, {6761, 6763, 4, 13, 19},
	{508, 508, 3, 16, 16}, {60, 60, 2, 16, 16}, {81, 82, 2, 16, 16}, // RuPay
}

// isCard reports whether 13 to 19 digits are a card's: an issuer's and right by
// Luhn's sum.
func isCard(number []byte) bool {
	return issued(number) && luhn(number)
}

func issued(number []byte) bool {
	head := [5]int{}
	for i := range 4 {
		head[i+1] = head[i]*10 + int(number[i]-'0')
	}
	for _, s := range issuers {
		if v := head[s.digits]; s.low <= v && v <= s.high && s.least <= len(number) && len(number) <= s.most {
			return true
		}
	}
	return false
}

func luhn(number []byte) bool {
	sum := 0
	for i := range number {
		d := int(number[len(number)-1-i] - '0')
		if i%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return sum%10 == 0
}

// numberIsCard reports whether the literal of a JSON number is a card's number
// of 15 to 19 digits, also with a fraction of zeros or an exponent.
func numberIsCard(literal string) bool {
	if len(literal) < 15 || len(literal) > 48 {
		return false
	}
	mantissa, exponent, _ := strings.Cut(strings.ToLower(strings.TrimPrefix(literal, "-")), "e")
	whole, fraction, _ := strings.Cut(mantissa, ".")
	shift := 0
	for _, c := range []byte(strings.TrimPrefix(exponent, "+")) {
		if !isDigit(c) || shift > 99 {
			return false
		}
		shift = shift*10 + int(c-'0')
	}
	fraction = strings.TrimRight(fraction, "0")
	if len(fraction) > shift || len(whole)+shift > 19 {
		return false
	}
	number := whole + fraction + strings.Repeat("0", shift-len(fraction))
	return len(number) >= 15 && isCard([]byte(number))
}
