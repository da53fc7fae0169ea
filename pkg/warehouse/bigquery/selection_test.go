package bigquery

import (
	"strings"
	"testing"
)

// TestSelectionAllowsOneSelect: what selection makes of texts; the comment in a
// result says why it is refused.
func TestSelectionAllowsOneSelect(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ query, want, refused string }{
		{query: "select $1, $12", want: "select @p1, @p12"},
		{query: "FROM raw;\n-- end\n", want: "FROM raw  "},
		{query: "(with a as (select 1) select * from a)", want: "(with a as (select 1) select * from a)"},
		{query: "select '$1;', \"--\", `a;$1`, r'\\';', b'''it's\n; $1'''", want: "select '$1;', \"--\", `a;$1`, r'\\';', b'''it's\n; $1'''"},
		{query: "/* ; */ select # ;\n 1 -- $1", want: "  select   1  "},
		{query: "select 'external_query', $", want: "select 'external_query', $"},
		{query: " -- nothing", refused: "the query is empty"},
		{query: "delete from raw", refused: errOnlySelect.Error()},
		{query: "'select'", refused: errOnlySelect.Error()},
		{query: "select 1; drop table raw", refused: "several statements"},
		{query: "select External_Query('x')", refused: "external_query is not allowed"},
		{query: "select session_user()", refused: "session_user is not allowed"},
		{query: "select 'a", refused: "' is not closed"},
		{query: `select r"a\"`, refused: `" is not closed`},
		{query: `select """a" ""`, refused: `""" is not closed`},
		{query: "select `a", refused: "` is not closed"},
		{query: "select /* a", refused: "/* is not closed"},
		{query: "select " + strings.Repeat(" ", maxQuery), refused: "bytes long"},
	} {
		got, err := selection(c.query)
		if c.refused != "" && (err == nil || !strings.Contains(err.Error(), c.refused)) || c.refused == "" && (err != nil || got != c.want) {
			t.Errorf("selection(%.60q) = %q, %v; want %q, error %q", c.query, got, err, c.want, c.refused)
		}
	}
}
