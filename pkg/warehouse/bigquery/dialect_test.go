package bigquery_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/sparrow-edge/sparrow/pkg/warehouse"
	"github.com/sparrow-edge/sparrow/pkg/warehouse/bigquery"
	"github.com/sparrow-edge/sparrow/pkg/warehouse/warehousetest"
)

// key is how BigQuery reads a quoted key of a JSONPath, after kEscKeyLexerStandard
// in GoogleSQL's public/functions/json_internal.cc.
var key = regexp.MustCompile(`^\."((?:[^\\"]|\\"|\\[^"])*)"`)

// keys reads a path as BigQuery does: RemoveBackSlashFollowedByChar takes the
// backslash off each escaped quote.
func keys(path string) (names []string, ok bool) {
	rest, ok := strings.CutPrefix(path, "$")
	for ok && rest != "" {
		found := key.FindStringSubmatch(rest)
		if found == nil {
			return nil, false
		}
		names, rest = append(names, strings.ReplaceAll(found[1], `\"`, `"`)), rest[len(found[0]):]
	}
	return names, ok
}

// hostilePaths name members whose names break careless paths.
var hostilePaths = []warehouse.Path{
	{"event"}, {"properties", "a.b"}, {"properties", `a"b`}, {"properties", `"`}, {"properties", "it's"}, {"properties", ""}, {"properties", "$"},
	{"properties", "line\nname"}, {"properties", `back\slash`}, {"properties", `two\\`}, {"properties", `\\"quoted`}, {"properties", `\u0041`}, {"properties", "[0]"},
	{"properties", "*"}, {"properties", "`x`"}, {"properties", "名前"}, {"properties", "😀"}, {"properties", `a"."b`}, {"\\a", `"."`},
}

// TestPathsAreReadAsTheirNames: BigQuery reads each path as the names that it was made of.
func TestPathsAreReadAsTheirNames(t *testing.T) {
	for _, path := range hostilePaths {
		text, ok := bigquery.JSONPath(path)
		if !ok {
			t.Errorf("%q: no path can name it", path)
			continue
		}
		if got, sound := keys(text); !sound || !slices.Equal(got, path) {
			t.Errorf("%q: the path %s is read as %q", path, text, got)
		}
	}
}

// TestNamesWithoutPathAreReadFromParsedData: what no path can name is read by its name.
func TestNamesWithoutPathAreReadFromParsedData(t *testing.T) {
	for _, name := range []string{`end\`, `\`, `three\\\`, `a\"b`} {
		if text, ok := bigquery.JSONPath(warehouse.Path{"properties", name}); ok {
			t.Errorf("%q: it has the path %s", name, text)
		}
	}
	d := bigquery.Dialect{}
	path := []warehouse.Path{{"properties", `end\`}}
	_, text, value := d.Extract(path, path)
	const parsed = `safe.parse_json(r.doc, wide_number_mode => 'round')['properties']['end\\']`
	if got, want := value(0), `nullif(to_json_string(`+parsed+`), 'null')`; got != want {
		t.Errorf("value %s, want %s", got, want)
	}
	if got := text(0); !strings.Contains(got, "json_value("+parsed+")") {
		t.Errorf("text %s", got)
	}
}

// outer is an outer join with its condition, which ends with the line.
var outer = regexp.MustCompile(`(?:left join .*|\n  \)) as (\w+) on (.*)`)

// TestOuterJoinsHaveAnEquality: BigQuery runs no outer join whose condition has no equality of
// columns of both sides, and a correlated subquery only if it makes a join of
// it. The emulator runs both.
func TestOuterJoinsHaveAnEquality(t *testing.T) {
	joins := 0
	for _, view := range bigquery.AllViews(bigquery.Dialect{Project: "p-1", Dataset: "d"}, warehousetest.CorpusColumns()) {
		if strings.Contains(view.Select, "exists (") {
			t.Errorf("%s has a correlated subquery:\n%s", view.Name, view.Select)
		}
		joins += strings.Count(view.Select, "left join ")
		for _, found := range outer.FindAllStringSubmatch(view.Select, -1) {
			joins--
			if equal := regexp.MustCompile(`\b` + found[1] + `\.\w+ = \w+\.\w+`); !equal.MatchString(found[2]) {
				t.Errorf("%s: no equality in %s", view.Name, found[0])
			}
		}
	}
	if joins != 0 {
		t.Errorf("the conditions of %d outer joins were not found", joins)
	}
}

// TestTimesThatBigQueryRefusesFailNoQuery: what BigQuery refuses of times, and the emulator takes: more than
// six decimals (NULL), and a sum beyond the year 9999, which fails the query.
func TestTimesThatBigQueryRefusesFailNoQuery(t *testing.T) {
	d := bigquery.Dialect{}
	if got, want := d.Typed("x", warehouse.TypeTimestamp), `safe_cast(safe.regexp_replace(x, r'(\.[0-9]{6})[0-9]+', '\\1') as timestamp)`; got != want {
		t.Errorf("a timestamp is %s, want %s", got, want)
	}
	if got := d.EventTime("x", "y", "z"); !strings.Contains(got, "coalesce(safe.timestamp_add(x, interval ") {
		t.Errorf("the event's time is %s", got)
	}
}

// FuzzPathsAreReadAsTheirNames: a path is read as its names, or there is none.
func FuzzPathsAreReadAsTheirNames(f *testing.F) {
	for _, path := range hostilePaths {
		f.Add(path[0], path[len(path)-1])
	}
	f.Fuzz(func(t *testing.T, first, last string) {
		path := warehouse.Path{first, last}
		text, ok := bigquery.JSONPath(path)
		if !ok {
			if !strings.Contains(first+last, `\`) {
				t.Errorf("%q has no path", path)
			}
			return
		}
		if got, sound := keys(text); !sound || !slices.Equal(got, path) {
			t.Errorf("%q: the path %s is read as %q", path, text, got)
		}
	})
}
