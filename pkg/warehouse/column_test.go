package warehouse_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sparrow-edge/sparrow/pkg/fault"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
)

func columns(names ...string) []warehouse.Column {
	var list []warehouse.Column
	for _, name := range names {
		list = append(list, warehouse.Column{Name: name, Property: name, Type: warehouse.TypeString})
	}
	return list
}

func TestMergeColumns(t *testing.T) {
	for _, tt := range []struct {
		name            string
		earlier, wanted []warehouse.Column
		drop            bool
		want            string
	}{
		{"first", nil, columns("a", "b"), false, "a b"},
		{"earlier stay", columns("a", "b"), columns("c"), false, "a b c"},
		{"redefined in place", columns("a", "b"), columns("B"), false, "a B"},
		{"dropped", columns("a", "b"), columns("b"), true, "b"},
		{"nothing wanted", columns("a"), nil, false, "a"},
		{"all dropped", columns("a"), nil, true, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			merged, err := warehouse.MergeColumns(tt.earlier, tt.wanted, tt.drop)
			var names []string
			for _, c := range merged {
				names = append(names, c.Name)
			}
			if got := strings.Join(names, " "); err != nil || got != tt.want {
				t.Errorf("got %q, error %v, want %q", got, err, tt.want)
			}
		})
	}
}

func TestMergeColumnsRefuses(t *testing.T) {
	var many []warehouse.Column
	for i := range 2001 {
		many = append(many, columns(fmt.Sprint("c", i))...)
	}
	for name, wanted := range map[string][]warehouse.Column{
		"reserved":         columns("EVENTID"),
		"collision":        columns("price", "Price"),
		"empty":            columns(""),
		"NUL":              columns("a\x00b"),
		"not UTF-8":        columns("a\xff"),
		"unknown type":     {{Name: "a", Property: "a", Type: "money"}},
		"hostile property": {{Name: "a", Property: "\xff", Type: warehouse.TypeString}},
		"too many":         many,
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := warehouse.MergeColumns(nil, wanted, false); !fault.IsPermanent(err) {
				t.Errorf("got %v, want a permanent error", err)
			}
		})
	}
	for _, name := range warehouse.ReservedColumns() {
		if _, err := warehouse.MergeColumns(nil, columns(strings.ToUpper(name)), false); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}
