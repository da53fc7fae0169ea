package bigquerytest

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// selection is a query of the few kinds by which a loader reads back what it
// wrote; anything else is refused. SQL belongs to a real engine.
//
//	select [distinct] item, ... from table [where condition]
//	    [group by column, ...] [order by column [desc], ...] [limit number]
//
//	item       operand [[as] name] | count(*) | max(column)
//	condition  and, or, parentheses; = < > <= >= <> between operands;
//	           operand in (selection)
//	operand    column | @parameter | number | 'text' | date(operand) |
//	           struct(operand, ...) | (selection)
type selection struct {
	distinct bool
	items    []item
	table    string // as written, without quotes
	where    expression
	group    []string
	order    []sortKey
	limit    int // -1: none
}

type item struct {
	value expression
	max   bool // of value
	count bool
	name  string
}

type sortKey struct {
	column     string
	descending bool
}

// expression is an operand or a condition.
type expression interface{}

type (
	columnRef string
	parameter string
	literal   struct{ value any }
	dateOf    struct{ operand expression }
	tuple     []expression
	subquery  struct{ *selection }
	junction  struct {
		or   bool
		list []expression
	}
	comparison struct {
		operator    string
		left, right expression
	}
)

var lexeme = regexp.MustCompile("^(?:`[^`]*`|'[^'\\\\]*'|@?[A-Za-z_][A-Za-z0-9_.]*|[0-9]+|<=|>=|<>|!=|[()*,=<>])")

// lex cuts a text into tokens.
func lex(text string) ([]string, error) {
	var list []string
	for text = strings.TrimSpace(text); text != ""; text = strings.TrimSpace(text) {
		token := lexeme.FindString(text)
		if token == "" {
			return nil, fmt.Errorf("unexpected %q", text[:min(len(text), 20)])
		}
		list = append(list, token)
		text = text[len(token):]
	}
	return list, nil
}

// parser reads tokens. The first thing that it does not know ends it.
type parser struct {
	tokens []string
	err    error
	depth  int
}

const maxDepth = 20

func parse(text string) (*selection, error) {
	tokens, err := lex(text)
	if err != nil {
		return nil, err
	}
	p := &parser{tokens: tokens}
	s := p.selection()
	if p.err == nil && len(p.tokens) > 0 {
		p.fail("the end")
	}
	return s, p.err
}

func (p *parser) peek() string {
	if len(p.tokens) == 0 || p.err != nil {
		return ""
	}
	return p.tokens[0]
}

func (p *parser) next() string {
	token := p.peek()
	if token != "" {
		p.tokens = p.tokens[1:]
	}
	return token
}

// is takes the words when they are next.
func (p *parser) is(words ...string) bool {
	if p.err != nil || len(p.tokens) < len(words) {
		return false
	}
	for i, w := range words {
		if !strings.EqualFold(p.tokens[i], w) {
			return false
		}
	}
	p.tokens = p.tokens[len(words):]
	return true
}

func (p *parser) want(word string) {
	if !p.is(word) {
		p.fail(word)
	}
}

func (p *parser) fail(wanted string) {
	if p.err == nil {
		found := "the end"
		if len(p.tokens) > 0 {
			found = strconv.Quote(p.tokens[0])
		}
		p.err = fmt.Errorf("expected %s, found %s", wanted, found)
	}
}

func (p *parser) selection() *selection {
	if p.depth++; p.depth > maxDepth {
		p.fail("less nesting")
		return nil
	}
	defer func() { p.depth-- }()
	p.want("select")
	s := &selection{distinct: p.is("distinct"), limit: -1}
	for more := true; more; more = p.is(",") {
		s.items = append(s.items, p.item())
	}
	p.want("from")
	s.table = strings.Trim(p.next(), "`")
	if p.is("where") {
		s.where = p.condition()
	}
	if p.is("group", "by") {
		for more := true; more; more = p.is(",") {
			s.group = append(s.group, p.name())
		}
	}
	if p.is("order", "by") {
		for more := true; more; more = p.is(",") {
			s.order = append(s.order, sortKey{column: p.name(), descending: p.is("desc")})
		}
	}
	if p.is("limit") {
		n, err := strconv.Atoi(p.next())
		if err != nil {
			p.fail("a number")
		}
		s.limit = n
	}
	return s
}

// keywords end an item, so that they are not taken for its name.
var keywords = map[string]bool{"from": true, "where": true, "group": true, "order": true, "limit": true, "select": true, "and": true, "or": true, "in": true, "desc": true, "by": true}

func (p *parser) name() string {
	token := p.next()
	if token == "" || keywords[strings.ToLower(token)] || !columnName(strings.Trim(token, "`")) {
		p.fail("a column's name")
	}
	return strings.Trim(token, "`")
}

func (p *parser) item() item {
	var it item
	switch {
	case p.is("count", "(", "*", ")"):
		it.count, it.name = true, "f0_"
	case p.is("max", "("):
		it.value, it.max, it.name = p.operand(), true, "f0_"
		p.want(")")
	default:
		it.value = p.operand()
		if c, ok := it.value.(columnRef); ok {
			it.name = string(c)
		}
	}
	if next := p.peek(); p.is("as") || next != "" && columnName(next) && !keywords[strings.ToLower(next)] {
		it.name = p.name()
	}
	return it
}

func (p *parser) condition() expression {
	either := junction{or: true}
	for more := true; more; more = p.is("or") {
		all := junction{}
		for more := true; more; more = p.is("and") {
			all.list = append(all.list, p.test())
		}
		either.list = append(either.list, all)
	}
	return either
}

func (p *parser) test() expression {
	if p.peek() == "(" && len(p.tokens) > 1 && !strings.EqualFold(p.tokens[1], "select") {
		if p.depth++; p.depth > maxDepth {
			p.fail("less nesting")
			return nil
		}
		defer func() { p.depth-- }()
		p.next()
		inner := p.condition()
		p.want(")")
		return inner
	}
	left := p.operand()
	operator := strings.ToLower(p.next())
	switch operator {
	case "=", "<", ">", "<=", ">=", "<>", "!=", "in":
		return comparison{operator, left, p.operand()}
	}
	p.fail("a comparison")
	return nil
}

func (p *parser) operand() expression {
	if p.depth++; p.depth > maxDepth {
		p.fail("less nesting")
		return nil
	}
	defer func() { p.depth-- }()
	switch {
	case p.is("date", "("):
		inner := p.operand()
		p.want(")")
		return dateOf{inner}
	case p.is("struct", "("):
		var list tuple
		for more := true; more; more = p.is(",") {
			it := p.item()
			if it.max || it.count {
				list = append(list, it)
			} else {
				list = append(list, it.value)
			}
		}
		p.want(")")
		return list
	case p.is("("):
		inner := subquery{p.selection()}
		p.want(")")
		return inner
	}
	token := p.peek()
	switch {
	case strings.HasPrefix(token, "@"):
		p.next()
		return parameter(strings.ToLower(token[1:]))
	case strings.HasPrefix(token, "'"):
		p.next()
		return literal{strings.Trim(token, "'")}
	case token != "" && token[0] >= '0' && token[0] <= '9':
		n, err := strconv.ParseInt(p.next(), 10, 64)
		if err != nil {
			p.fail("a smaller number")
		}
		return literal{n}
	}
	return columnRef(p.name())
}
