package bigquery

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

var errOnlySelect = errors.New("only one SELECT is allowed: a query can read, and nothing else")

// refusedWords are functions that read beyond the dataset.
var refusedWords = []string{"external_query", "session_user"}

// openings are the first words of a SELECT.
var openings = []string{"(", "select", "with", "from"}

// token matches the first token of a text. Exactly one of its groups is not empty.
// The character after a backslash does not end a string, not even a raw one.
var token = regexp.MustCompile(`(?is)^(?:` + strings.Join([]string{
	`([\s\v]+|(?:#|--)[^\n]*\n?|/\*.*?\*/)`, // 1: white space, a comment
	`(;)`,                                   // 2
	`\$([0-9]+)`,                            // 3: a placeholder's number
	`((?:rb?|br?)?(?:"""(?:\\.|[^\\])*?"""|'''(?:\\.|[^\\])*?'''))`,                    // 4: a string in three quotes
	`(/\*|(?:rb?|br?)?(?:"""|'''))`,                                                    // 5: not closed: otherwise group 1 or 4 matches
	`((?:rb?|br?)?(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|\x60(?:\\.|[^\x60\\])*\x60)`, // 6: a string, a quoted identifier
	`(["'\x60])`, // 7: not closed
	`([a-z_\x{80}-\x{10ffff}][\w\x{80}-\x{10ffff}]*)`, // 8: a word
	`(.)`, // 9
}, "|") + `)`)

// selection checks that a text is one statement that begins like a SELECT, and
// returns it with its placeholders ($1) in BigQuery's form (@p1). The decision is
// BigQuery's own, by a dry run; this only refuses early what can never be a SELECT,
// above all scripts.
func selection(query string) (string, error) {
	if len(query) > maxQuery {
		return "", fmt.Errorf("the query is %d bytes long, %d at most", len(query), maxQuery)
	}
	var out strings.Builder
	empty, ended := true, false
	for rest := query; rest != ""; {
		groups := token.FindStringSubmatch(rest)
		text := groups[0]
		rest = rest[len(text):]
		switch {
		case groups[1] != "": // white space
			out.WriteByte(' ')
			continue
		case groups[2] != "": // semicolon
			ended = true
			continue
		case groups[5] != "" || groups[7] != "":
			return "", fmt.Errorf("parse query: %s is not closed", text)
		case ended:
			return "", errors.New("several statements: only one SELECT is allowed")
		}
		word := strings.ToLower(text)
		if empty && !slices.Contains(openings, word) {
			return "", errOnlySelect
		}
		empty = false
		if slices.Contains(refusedWords, word) {
			return "", fmt.Errorf("the function %s is not allowed", word)
		}
		if groups[3] != "" {
			text = "@p" + groups[3]
		}
		out.WriteString(text)
	}
	if empty {
		return "", errors.New("the query is empty")
	}
	return out.String(), nil
}
