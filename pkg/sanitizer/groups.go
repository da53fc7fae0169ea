package sanitizer

// groups are the groups of digits of a number as people write it, with separators
// between them.
type groups struct {
	text  string
	n     int
	list  [maxGroups]group
	total int // digits
}

type group struct {
	start, end int // of the digits
	sum        int // digits up to and with this group
}

const (
	maxGroups = 20
	maxDigits = 20 // one more than the longest card
)

func (g *groups) size(i int) int { return g.list[i].end - g.list[i].start }

func (g *groups) digits(i int) string { return g.text[g.list[i].start:g.list[i].end] }

// separator is the text before group i.
func (g *groups) separator(i int) string { return g.text[g.list[i-1].end:g.list[i].start] }

// groupsAt reads groups of digits from the digit at i: with up to three separators
// between them, and no more groups and digits than any shape has. It ignores a
// group that touches a letter.
func groupsAt(text string, i int) groups {
	g := groups{text: text}
	for g.n < maxGroups {
		end := i
		for end < len(text) && isDigit(text[end]) && g.total+end-i <= maxDigits {
			end++
		}
		if end < len(text) && isWord(text[end]) {
			return g // it goes on, with digits or letters
		}
		g.total += end - i
		g.list[g.n] = group{i, end, g.total}
		g.n++
		i = end
		for n := 0; n < 3 && i < len(text) && isSeparator(text[i]); n++ {
			i++
		}
		if i == end || i >= len(text) || !isDigit(text[i]) {
			return g
		}
	}
	return g
}

// manyDigits reports that at least as many digits begin at i, with or without
// separators, as the shortest number that is read in groups has.
func manyDigits(text string, i int) bool {
	const least = 8
	for digits, end := 0, min(len(text), i+maxGroups*4); i < end; i++ {
		if isDigit(text[i]) {
			if digits++; digits == least {
				return true
			}
		} else if !isSeparator(text[i]) {
			break
		}
	}
	return false
}

func isSeparator(c byte) bool {
	return c == ' ' || c == '-' || c == '.' || c == '/' || c == '(' || c == ')'
}

// allGroups reports that every group from the second to the last has at least
// least digits and a separator before it that ok accepts.
func (g *groups) allGroups(last, least int, ok func(string) bool) bool {
	for i := 1; i <= last; i++ {
		if g.size(i) < least || !ok(g.separator(i)) {
			return false
		}
	}
	return true
}
