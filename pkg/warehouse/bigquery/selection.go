package bigquery

import (
	"errors"
	"fmt"
	"strings"
)

var errOnlySelect = errors.New("only one SELECT is allowed: a query can read, and nothing else")

// refusedWords are functions that read beyond the dataset.
var refusedWords = []string{"external_query", "session_user"}

// selection checks that a text is one statement that begins like a SELECT, and
// returns it with its placeholders ($1) in BigQuery's form (@p1). The decision is
// BigQuery's own, by a dry run; this only refuses early what can never be a SELECT,
// above all scripts.
func selection(query string) (string, error) {
	if len(query) > maxQuery {
		return "", fmt.Errorf("the query is %d bytes long, %d at most", len(query), maxQuery)
	}
	var out strings.Builder
	words := 0
	ended := false
	for at := 0; at < len(query); {
		token, kind, err := scan(query[at:])
		if err != nil {
			return "", err
		}
		at += len(token)
		switch kind {
		case blank:
			out.WriteByte(' ')
			continue
		case semicolon:
			ended = true
			continue
		}
		if ended {
			return "", errors.New("several statements: only one SELECT is allowed")
		}
		if words++; words == 1 && !begins(token) {
			return "", errOnlySelect
		}
		if kind == word {
			for _, refused := range refusedWords {
				if strings.EqualFold(token, refused) {
					return "", fmt.Errorf("the function %s is not allowed", refused)
				}
			}
		}
		if kind == placeholder {
			token = "@p" + token[1:]
		}
		out.WriteString(token)
	}
	if words == 0 {
		return "", errors.New("the query is empty")
	}
	return out.String(), nil
}

func begins(token string) bool {
	return token == "(" || strings.EqualFold(token, "select") || strings.EqualFold(token, "with") || strings.EqualFold(token, "from")
}

// The kinds of token that selection tells apart.
type tokenKind int

const (
	blank tokenKind = iota // white space, comments
	semicolon
	word
	placeholder // $1
	other       // strings, quoted identifiers, operators
)

// scan returns the first token of a text.
func scan(s string) (string, tokenKind, error) {
	switch c := s[0]; {
	case c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' || c == '\v':
		return s[:1], blank, nil
	case c == ';':
		return s[:1], semicolon, nil
	case c == '#' || strings.HasPrefix(s, "--"):
		if end := strings.IndexByte(s, '\n'); end >= 0 {
			return s[:end+1], blank, nil
		}
		return s, blank, nil
	case strings.HasPrefix(s, "/*"):
		end := strings.Index(s[2:], "*/")
		if end < 0 {
			return "", blank, errors.New("parse query: a comment is not closed")
		}
		return s[:end+4], blank, nil
	case c == '\'' || c == '"' || c == '`':
		return quoted(s, "")
	case c == '$':
		end := 1
		for end < len(s) && s[end] >= '0' && s[end] <= '9' {
			end++
		}
		if end == 1 {
			return s[:1], other, nil
		}
		return s[:end], placeholder, nil
	case letter(c):
		return wordOrString(s)
	default:
		return s[:1], other, nil
	}
}

func letter(c byte) bool { return c == '_' || c|0x20 >= 'a' && c|0x20 <= 'z' || c >= 0x80 }

// wordOrString scans a word, or the string that r, b, rb or br begins.
func wordOrString(s string) (string, tokenKind, error) {
	end := 1
	for end < len(s) && (letter(s[end]) || s[end] >= '0' && s[end] <= '9') {
		end++
	}
	prefix := strings.ToLower(s[:end])
	if end < len(s) && (s[end] == '\'' || s[end] == '"') && (prefix == "r" || prefix == "b" || prefix == "rb" || prefix == "br") {
		return quoted(s[end:], s[:end])
	}
	return s[:end], word, nil
}

// quoted scans a string or quoted identifier, which may have three quotes. The
// character after a backslash does not end it, in raw strings neither.
func quoted(s, prefix string) (string, tokenKind, error) {
	quote := s[:1]
	if quote != "`" && strings.HasPrefix(s, strings.Repeat(quote, 3)) {
		quote = strings.Repeat(quote, 3)
	}
	for at := len(quote); at < len(s); at++ {
		switch {
		case s[at] == '\\':
			at++
		case strings.HasPrefix(s[at:], quote):
			return prefix + s[:at+len(quote)], other, nil
		}
	}
	return "", other, errors.New("parse query: a string is not closed")
}
