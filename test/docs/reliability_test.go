package docs_test

import (
	"fmt"
	"strings"
	"testing"
)

func TestReliabilityNamesTestsThatExist(t *testing.T) {
	p, existing := read(t, "docs/RELIABILITY.md"), testNames(t)
	promises := map[string]int{}
	for heading, rows := range p.sections {
		promise, _, ok := strings.Cut(heading, ": ")
		if !ok {
			continue
		}
		for _, r := range rows[1:] {
			pkg, _ := code(r[0])
			name, _ := code(r[1])
			if !existing[pkg+" "+name] {
				t.Errorf("%s: %s names %s in %s, which does not exist", p.name, promise, name, pkg)
			}
			promises[promise]++
		}
	}
	for i := 1; i <= 9; i++ {
		if promise := fmt.Sprintf("P%d", i); promises[promise] < 2 {
			t.Errorf("%s: %s is shown by %d tests only", p.name, promise, promises[promise])
		}
	}
}
