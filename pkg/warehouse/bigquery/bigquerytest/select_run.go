package bigquerytest

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// run is a selection being answered.
type run struct {
	store      *Store
	dataset    string
	parameters map[string]any
}

// relation is an answer: columns with their types, and rows of nil, string,
// int64, float64, bool, []byte and time.Time.
type relation struct {
	columns []column
	rows    [][]any
}

// maxAnswer bounds the rows of an answer.
const maxAnswer = 10_000

var errAnswerTooLarge = errors.New("response too large to return")

// answer answers a selection.
func (r *run) answer(s *selection) (*relation, error) {
	t, err := r.table(s.table)
	if err != nil {
		return nil, err
	}
	var source []map[string]any
	err = t.log.read(func(e *entry) (bool, error) {
		for _, raw := range e.rows {
			if t.log.keep != "" {
				return false, fmt.Errorf("table %s keeps only its column %s", t.id(), t.log.keep)
			}
			values, err := e.plan.values(raw, nil)
			if err != nil {
				return false, err
			}
			row := make(map[string]any, len(values))
			for name, v := range values {
				row[strings.ToLower(name)] = v
			}
			kept, err := r.holds(s.where, row)
			if err != nil {
				return false, err
			}
			if kept {
				source = append(source, row)
			}
		}
		return true, nil
	})
	if err != nil {
		return nil, err
	}
	return r.project(s, t, source)
}

// table finds a table as a query names it: project.dataset.table.
func (r *run) table(name string) (*table, error) {
	parts := strings.Split(name, ".")
	dataset := r.dataset
	if len(parts) >= 2 {
		dataset = parts[len(parts)-2]
	}
	t, found := r.store.table(dataset, parts[len(parts)-1])
	if !found {
		return nil, &missingTable{name}
	}
	if t.isView() {
		return nil, fmt.Errorf("%s is a view, which this server does not evaluate", name)
	}
	return t, nil
}

// missingTable says that a query names a table that is not there.
type missingTable struct{ name string }

func (m *missingTable) Error() string { return "Not found: Table " + m.name }

// outcome is a row of the answer, with what it may be sorted by.
type outcome struct {
	cells []any
	from  map[string]any
}

// project makes the answer's rows of the source's.
func (r *run) project(s *selection, t *table, source []map[string]any) (*relation, error) {
	answer := &relation{}
	for _, it := range s.items {
		answer.columns = append(answer.columns, r.describe(it, t))
	}
	var list []outcome
	for _, group := range grouped(s, source) {
		o := outcome{from: map[string]any{}}
		if len(group) > 0 {
			for k, v := range group[0] {
				o.from[k] = v
			}
		}
		for _, it := range s.items {
			v, err := r.item(it, group)
			if err != nil {
				return nil, err
			}
			o.cells = append(o.cells, v)
			o.from[strings.ToLower(it.name)] = v
		}
		list = append(list, o)
	}
	if s.distinct {
		list = distinct(list)
	}
	slices.SortStableFunc(list, func(a, b outcome) int {
		for _, key := range s.order {
			column := strings.ToLower(key.column)
			if n := order(a.from[column], b.from[column]); n != 0 && key.descending {
				return -n
			} else if n != 0 {
				return n
			}
		}
		return 0
	})
	if s.limit >= 0 && len(list) > s.limit {
		list = list[:s.limit]
	}
	if len(list) > maxAnswer {
		return nil, errAnswerTooLarge
	}
	for _, o := range list {
		answer.rows = append(answer.rows, o.cells)
	}
	return answer, nil
}

// describe is the type of an item.
func (r *run) describe(it item, t *table) column {
	c := column{name: it.name, kind: "INTEGER"}
	if ref, ok := it.value.(columnRef); ok {
		if known, found := find(t.columnsNow(), string(ref)); found {
			c.kind = known.kind
		}
	}
	return c
}

// grouped are the groups of the rows: those of group by, all as one where
// something is counted, or each row alone.
func grouped(s *selection, source []map[string]any) [][]map[string]any {
	aggregates := slices.ContainsFunc(s.items, item.aggregates)
	if len(s.group) == 0 && aggregates {
		return [][]map[string]any{source}
	}
	var list [][]map[string]any
	places := map[string]int{}
	for _, row := range source {
		if len(s.group) == 0 {
			list = append(list, []map[string]any{row})
			continue
		}
		var key strings.Builder
		for _, name := range s.group {
			fmt.Fprintf(&key, "%T %v\x00", row[strings.ToLower(name)], row[strings.ToLower(name)])
		}
		place, found := places[key.String()]
		if !found {
			place = len(list)
			places[key.String()] = place
			list = append(list, nil)
		}
		list[place] = append(list[place], row)
	}
	return list
}

func (it item) aggregates() bool {
	if list, ok := it.value.(tuple); ok {
		return slices.ContainsFunc(list, func(e expression) bool { inner, ok := e.(item); return ok && inner.aggregates() })
	}
	return it.max || it.count
}

// item is an item's value for a group of rows.
func (r *run) item(it item, group []map[string]any) (any, error) {
	if it.count {
		return int64(len(group)), nil
	}
	if it.max {
		var most any
		for _, row := range group {
			v, err := r.value(it.value, row)
			if err != nil {
				return nil, err
			}
			if most == nil || v != nil && order(v, most) > 0 {
				most = v
			}
		}
		return most, nil
	}
	if list, ok := it.value.(tuple); ok {
		var values []any
		for _, e := range list {
			inner, ok := e.(item)
			if !ok {
				inner = item{value: e}
			}
			v, err := r.item(inner, group)
			if err != nil {
				return nil, err
			}
			values = append(values, v)
		}
		return values, nil
	}
	if len(group) == 0 {
		return nil, nil
	}
	return r.value(it.value, group[0])
}

func distinct(list []outcome) []outcome {
	seen := map[string]bool{}
	return slices.DeleteFunc(list, func(o outcome) bool {
		key := fmt.Sprintf("%q", fmt.Sprint(o.cells...))
		again := seen[key]
		seen[key] = true
		return again
	})
}

// value is an operand's value; a subquery's is its first.
func (r *run) value(e expression, row map[string]any) (any, error) {
	switch e := e.(type) {
	case columnRef:
		return row[strings.ToLower(string(e))], nil
	case parameter:
		v, found := r.parameters[string(e)]
		if !found {
			return nil, fmt.Errorf("query parameter '%s' not found", string(e))
		}
		return v, nil
	case literal:
		return e.value, nil
	case dateOf:
		v, err := r.value(e.operand, row)
		if at, ok := v.(time.Time); ok {
			return at.UTC().Truncate(24 * time.Hour), err
		}
		return nil, err
	case tuple:
		return r.item(item{value: e}, []map[string]any{row})
	case subquery:
		inner, err := r.answer(e.selection)
		if err != nil || len(inner.rows) == 0 {
			return nil, err
		}
		return inner.rows[0][0], nil
	}
	return nil, fmt.Errorf("%T is no operand", e)
}

// holds reports whether a condition is true of a row.
func (r *run) holds(e expression, row map[string]any) (bool, error) {
	switch e := e.(type) {
	case nil:
		return true, nil
	case junction:
		for _, part := range e.list {
			held, err := r.holds(part, row)
			if err != nil || held == e.or {
				return held, err
			}
		}
		return !e.or, nil
	case comparison:
		return r.compare(e, row)
	}
	return false, fmt.Errorf("%T is no condition", e)
}

func (r *run) compare(c comparison, row map[string]any) (bool, error) {
	left, err := r.value(c.left, row)
	if err != nil || left == nil {
		return false, err
	}
	if c.operator == "in" {
		sub, ok := c.right.(subquery)
		if !ok {
			return false, errors.New("in needs a selection")
		}
		inner, err := r.answer(sub.selection)
		if err != nil {
			return false, err
		}
		return slices.ContainsFunc(inner.rows, func(cells []any) bool { return order(left, cells[0]) == 0 }), nil
	}
	right, err := r.value(c.right, row)
	if err != nil || right == nil {
		return false, err
	}
	n := order(left, right)
	switch c.operator {
	case "=":
		return n == 0, nil
	case "<":
		return n == -1, nil
	case ">":
		return n == 1, nil
	case "<=":
		return n == -1 || n == 0, nil
	case ">=":
		return n == 1 || n == 0, nil
	default:
		return n != 0, nil
	}
}

// order compares two values: -1, 0, 1; 2 for what cannot be compared. NULL comes
// first.
func order(a, b any) int {
	if a == nil || b == nil {
		switch {
		case a == nil && b == nil:
			return 0
		case a == nil:
			return -1
		default:
			return 1
		}
	}
	switch a := a.(type) {
	case int64:
		if b, ok := b.(int64); ok {
			return cmp.Compare(a, b)
		}
	case float64:
		if b, ok := b.(float64); ok {
			return cmp.Compare(a, b)
		}
	case string:
		if b, ok := b.(string); ok {
			return cmp.Compare(a, b)
		}
	case bool:
		if b, ok := b.(bool); ok && a == b {
			return 0
		}
	case time.Time:
		if b, ok := b.(time.Time); ok {
			return a.Compare(b)
		}
	case []any:
		if b, ok := b.([]any); ok && len(a) == len(b) {
			for i := range a {
				if a[i] == nil || b[i] == nil {
					return 2 // not even NULL equals NULL
				}
				if n := order(a[i], b[i]); n != 0 {
					return n
				}
			}
			return 0
		}
	}
	return 2
}
