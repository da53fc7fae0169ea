package sanitizer

import "strings"

// ssn reads a US social security number, 3-2-4, in the ranges that are issued.
func (sc *scanner) ssn(g *groups) (span, bool) {
	if g.n < 3 || g.size(0) != 3 || g.size(1) != 2 || g.size(2) != 4 {
		return span{}, false
	}
	separator := g.separator(1)
	if separator != g.separator(2) || separator != "-" && separator != " " {
		return span{}, false
	}
	area := g.digits(0)
	if area == "000" || area == "666" || area[0] == '9' || g.digits(1) == "00" || g.digits(2) == "0000" {
		return span{}, false
	}
	if start, end := g.list[0].start, g.list[2].end; !sc.joinedBefore(start, "-.") && !sc.joined(end, "-.") {
		return span{SSN, start, end}, true
	}
	return span{}, false
}

// uuid passes over a UUID: its digits can look like any number.
func (sc *scanner) uuid(i int) (span, bool) {
	const length = 36
	if len(sc.text)-i < length || sc.text[i+8] != '-' || sc.text[i+13] != '-' || sc.text[i+18] != '-' || sc.text[i+23] != '-' || !sc.endsAt(i+length) {
		return span{}, false
	}
	for j := range length {
		if j != 8 && j != 13 && j != 18 && j != 23 && !isHex(sc.text[i+j]) {
			return span{}, false
		}
	}
	return span{0, i, i + length}, true
}

// date passes over a date of digits: 2026-11-20, 20.11.2026, 11/20/26.
func (sc *scanner) date(i int) (span, bool) {
	var parts, sizes [3]int
	j := i
	separator := byte(0)
	for n := range 3 {
		for j < len(sc.text) && isDigit(sc.text[j]) && sizes[n] < 5 {
			parts[n] = parts[n]*10 + int(sc.text[j]-'0')
			sizes[n]++
			j++
		}
		if n == 2 {
			break
		}
		if sizes[n] == 0 || j >= len(sc.text) || strings.IndexByte("-/.", sc.text[j]) < 0 || n == 1 && sc.text[j] != separator {
			return span{}, false
		}
		separator = sc.text[j]
		j++
	}
	if j < len(sc.text) && isDigit(sc.text[j]) || sc.joined(j, "-/.") || !plausible(parts, sizes) {
		return span{}, false
	}
	return span{0, i, j}, true
}

func plausible(parts, sizes [3]int) bool {
	year, a, b := 0, 1, 2
	if sizes[0] <= 2 {
		year, a, b = 2, 0, 1
	}
	if sizes[year] != 4 && (sizes[year] != 2 || year == 0) || sizes[a] > 2 || sizes[b] > 2 {
		return false
	}
	if sizes[year] == 4 && (parts[year] < 1800 || parts[year] > 2200) {
		return false
	}
	low, high := min(parts[a], parts[b]), max(parts[a], parts[b])
	return low >= 1 && low <= 12 && high <= 31
}
