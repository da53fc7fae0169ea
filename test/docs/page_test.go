// Package docs_test keeps the documents in docs/ true: what they list is what
// the code has, no more and no less.
package docs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// root is the repository's, seen from this directory.
const root = "../.."

// documents are the pages that this package keeps true.
var documents = []string{"docs/CONFIGURATION.md", "docs/OPERATIONS.md", "docs/RELIABILITY.md", "docs/TRACKERS.md"}

// row is a row of a table, its cells without the white space around them.
type row []string

// page is a document: the rows of its tables, by the heading above them.
type page struct {
	name     string
	text     string
	sections map[string][]row
}

func read(t *testing.T, name string) page {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	p := page{name, string(text), map[string][]row{}}
	heading := ""
	for line := range strings.Lines(p.text) {
		line = strings.TrimSpace(line)
		if title, ok := strings.CutPrefix(strings.TrimLeft(line, "#"), " "); ok && strings.HasPrefix(line, "#") {
			heading = title
		}
		if strings.HasPrefix(line, "|") && !strings.HasPrefix(line, "|---") {
			p.sections[heading] = append(p.sections[heading], cells(line))
		}
	}
	return p
}

func cells(line string) row {
	var r row
	for _, cell := range strings.Split(strings.Trim(line, "|"), "|") {
		r = append(r, strings.TrimSpace(cell))
	}
	return r
}

// table returns the rows below a heading, without the table's head.
func (p page) table(t *testing.T, heading string) []row {
	t.Helper()
	rows := p.sections[heading]
	if len(rows) < 2 {
		t.Fatalf("%s has no table below %q", p.name, heading)
	}
	return rows[1:]
}

var quoted = regexp.MustCompile("^`([^`]+)`$")

// code is the text of a cell that is one piece of code; false for others.
func code(cell string) (string, bool) {
	match := quoted.FindStringSubmatch(cell)
	if match == nil {
		return "", false
	}
	return match[1], true
}
