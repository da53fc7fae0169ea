package sanitizer_test

import (
	"math/rand/v2"
	"os"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// sample writes a text that an expression matches. Keys are made here, at test time,
// so that no scanner of repositories takes one in this repository for real.
func sample(r *rand.Rand, re *syntax.Regexp) string {
	switch re.Op {
	case syntax.OpLiteral:
		return string(re.Rune)
	case syntax.OpCharClass:
		var choice []rune
		for i := 0; i < len(re.Rune); i += 2 {
			for c := max(re.Rune[i], ' '); c <= min(re.Rune[i+1], '~'); c++ {
				choice = append(choice, c)
			}
		}
		if len(choice) == 0 {
			return ""
		}
		return string(choice[r.IntN(len(choice))])
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return "."
	case syntax.OpCapture:
		return sample(r, re.Sub[0])
	case syntax.OpAlternate:
		return sample(r, re.Sub[r.IntN(len(re.Sub))])
	case syntax.OpConcat:
		var b strings.Builder
		for _, sub := range re.Sub {
			b.WriteString(sample(r, sub))
		}
		return b.String()
	case syntax.OpStar, syntax.OpPlus, syntax.OpQuest, syntax.OpRepeat:
		least, most := re.Min, re.Max
		switch re.Op {
		case syntax.OpStar:
			least, most = 0, 4
		case syntax.OpPlus:
			least, most = 1, 12
		case syntax.OpQuest:
			least, most = 0, 1
		}
		if most < 0 || most > least+8 {
			most = least + 8
		}
		var b strings.Builder
		for range least + r.IntN(most-least+1) {
			b.WriteString(sample(r, re.Sub[0]))
		}
		return b.String()
	}
	return ""
}

// secretRule is a rule of rules/gitleaks.tsv.
type secretRule struct {
	id      string
	entropy float64
	match   *syntax.Regexp
}

func gitleaks(t testing.TB) []secretRule {
	t.Helper()
	content, err := os.ReadFile("rules/gitleaks.tsv")
	if err != nil {
		t.Fatal(err)
	}
	var rules []secretRule
	for line := range strings.Lines(string(content)) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(fields) != 4 {
			continue
		}
		match, err := syntax.Parse(fields[3], syntax.Perl)
		if err != nil {
			t.Fatalf("%s: %v", fields[0], err)
		}
		entropy, err := strconv.ParseFloat(fields[1], 64)
		if err != nil {
			t.Fatalf("%s: %v", fields[0], err)
		}
		rules = append(rules, secretRule{fields[0], entropy, match})
	}
	if len(rules) < 200 {
		t.Fatalf("%d rules only", len(rules))
	}
	return rules
}

// fill writes a value by its pattern: 9 is a digit, Á and á are letters, ĥ is a digit
// of hex, ŵ is a word, and everything else stands for itself.
func fill(r *rand.Rand, pattern string) string {
	var b strings.Builder
	for _, c := range pattern {
		switch c {
		case '9':
			b.WriteByte(byte('0' + r.IntN(10)))
		case 'č': // the check digit of a GTIN
			sum, weight := 0, 3
			for _, d := range slices.Backward([]byte(b.String())) {
				if '0' <= d && d <= '9' {
					sum, weight = sum+int(d-'0')*weight, 4-weight
				}
			}
			b.WriteByte(byte('0' + (10-sum%10)%10))
		case 'Á':
			b.WriteByte(byte('A' + r.IntN(26)))
		case 'á':
			b.WriteByte(byte('a' + r.IntN(26)))
		case 'ĥ':
			b.WriteByte("0123456789abcdef"[r.IntN(16)])
		case 'ŵ':
			b.WriteString(words[r.IntN(len(words))])
		default:
			b.WriteRune(c)
		}
	}
	return b.String()
}

var words = strings.Fields(`access basic bearer blue bonus bottle cart chair checkout conference cotton credit daily design
	discount email enterprise express garden guide health holiday hotel how indoor jacket journey key kitchen leather light mobile
	monthly mountain number office organic password phone premium product protect report routine sale season secret service shirt
	silver skin skincare sofa spring summer table task telephone ticket token travel vintage waterproof weekly winter yellow`)
