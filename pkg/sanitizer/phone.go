package sanitizer

import (
	"slices"
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// anyRegion are where a national number is looked for if the operator names no
// region: these have forms that hardly anything else has.
var anyRegion = []string{"US", "GB", "DE", "FR", "NL", "CH", "AU", "JP", "BR", "CN"}

// isPhone reports that a number exists in one of the regions, as the operators of
// networks have published.
func (s *Sanitizer) isPhone(number string) bool {
	return slices.ContainsFunc(s.regions, func(region string) bool {
		n, err := phonenumbers.Parse(number, region)
		return err == nil && phonenumbers.IsValidNumber(n)
	})
}

// isComplete reports that a number has all digits with which it is written within its
// country: without its 0 a number of Germany is an order number.
func (s *Sanitizer) isComplete(number string) bool {
	return len(number) <= 24 && slices.ContainsFunc(s.regions, func(region string) bool {
		n, err := phonenumbers.Parse(number, region)
		return err == nil && phonenumbers.IsValidNumberForRegion(n, region) && onlyDigits(phonenumbers.Format(n, phonenumbers.NATIONAL)) == onlyDigits(number)
	})
}

func onlyDigits(s string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
}

// isPossiblePhone reports that a country's numbers have the length of this one,
// which begins with a +.
func isPossiblePhone(number string) bool {
	n, err := phonenumbers.Parse(number, phonenumbers.UNKNOWN_REGION)
	return err == nil && phonenumbers.IsPossibleNumber(n)
}

// namesPhone reports that a property's name says that its value is a phone number.
func namesPhone(name string) bool {
	if len(name) > 64 {
		return false
	}
	lower := strings.ToLower(name)
	return strings.Contains(lower, "phone") || strings.Contains(lower, "mobile") || strings.Contains(lower, "msisdn") ||
		lower == "tel" || strings.HasSuffix(lower, "_tel") || strings.HasPrefix(lower, "tel_") || strings.HasSuffix(name, "Tel")
}

// isPhoneProperty reports that the text of a property that is named for a phone
// number is one, also of bare digits.
func (s *Sanitizer) isPhoneProperty(text string) bool {
	const longest = 32
	return len(text) >= 7 && len(text) <= longest && strings.Trim(text, "0123456789+-./() ") == "" && s.isPhone(text)
}

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
	if g.n >= 4 && g.size(0) == 2 && g.separator(1) == "." && g.size(2) == 3 && g.separator(2) == "-" && g.separator(3) == "." {
		return span{0, i, g.list[3].end}, true // a place, by ISO 6709: +40.7128-074.0060/
	}
	return span{Phone, i, g.list[last].end}, isPossiblePhone(sc.text[i:g.list[last].end])
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
	return span{Phone, i, g.list[last].end}, sc.judged(&g, i, last)
}

// judged reports that the candidate from start to group last is a number of its own,
// not part of a longer one, and exists.
func (sc *scanner) judged(g *groups, start, last int) bool {
	end := g.list[last].end
	if start >= 2 && sc.text[start-1] == ' ' && isDigit(sc.text[start-2]) {
		return false // 9400 1877 ...
	}
	if sc.joined(end, "-.") {
		return false
	}
	for i := 1; i <= last; i++ {
		if end < len(sc.text) && sc.joined(end, g.separator(i)) {
			return false
		}
	}
	if sc.judgements++; sc.judgements > maxJudgements {
		return true
	}
	return sc.sanitizer.isPhone(sc.text[start:end])
}

// maxJudgements bounds how many candidates of a text the library judges, because a
// judgement takes many microseconds: those after them are taken for phone numbers.
const maxJudgements = 20

// ownForms are the sizes of groups that are a phone number without a 0 before it: of
// North America, also with its 1, and of China.
var ownForms = []string{"334", "1334", "344"}

// nationalPhone reads a number as it is written within a country, or with 00 and a
// country code. As bare digits it is an order number, unless it is a mobile phone's
// in Britain or Germany.
func (sc *scanner) nationalPhone(g *groups) (span, bool) {
	if g.n == 0 || g.total < 8 || sc.joinedBefore(g.list[0].start, "-._") || zip(g) {
		return span{}, false
	}
	head, last, least := g.digits(0), -1, 2
	switch {
	case strings.HasPrefix(head, "00"):
		if last, least = g.lastWithin(17), 1; last == 0 && (g.total < 12 || isGTIN(head)) {
			return span{}, false
		}
	case g.n == 1:
		if len(head) == 11 && (strings.HasPrefix(head, "07") || head[:2] == "01" && '5' <= head[2] && head[2] <= '7') {
			last = 0
		}
	case head[0] == '0' && (len(head) < 2 || len(head) > 6 || len(head) == 2 && g.total == 2*g.n && g.n != 5 && g.separator(1) == g.separator(g.n-1)):
		// Pairs are a phone number in France, where it has five; else of a lottery.
	case head[0] == '0':
		last = g.lastWithin(12)
	default:
		for _, form := range ownForms {
			if g.formed(form) {
				last = len(form) - 1
			}
		}
		if last < 0 && sc.sanitizer.ownRegions && g.n >= 3 {
			if sc.judgements++; sc.judgements > maxJudgements || sc.sanitizer.isComplete(g.text[g.list[0].start:g.list[g.n-1].end]) {
				last = g.n - 1
			}
		}
	}
	if last < 0 || !g.allGroups(last, least, plain) {
		return span{}, false
	}
	return span{Phone, g.list[0].start, g.list[last].end}, sc.judged(g, g.list[0].start, last)
}

// formed reports that the first groups have the sizes of a form.
func (g *groups) formed(form string) bool {
	for i := range len(form) {
		if i >= g.n || g.size(i) != int(form[i]-'0') {
			return false
		}
	}
	return true
}

// isGTIN reports the number of an article, of 13 or 14 digits (EAN, with zeros before
// it), right by its check digit.
func isGTIN(digits string) bool {
	if len(digits) != 13 && len(digits) != 14 {
		return false
	}
	sum := 0
	for i := range len(digits) {
		sum += int(digits[len(digits)-1-i]-'0') * (1 + i%2*2)
	}
	return sum%10 == 0
}

// zip reports a ZIP code with its four more digits (02139-4307), or an order number as
// eBay has them (08-39143-42064).
func zip(g *groups) bool {
	return (g.formed("54") || g.formed("255")) && g.separator(1) == "-"
}

func plain(separator string) bool {
	return len(separator) == 1 || separator == " / " || separator == " - " || separator == ") " || separator == " ("
}
