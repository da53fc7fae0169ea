package bigquerytest_test

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"cloud.google.com/go/bigquery"
	"cloud.google.com/go/bigquery/storage/managedwriter"
	"cloud.google.com/go/civil"
	"google.golang.org/api/iterator"

	"github.com/sparrow-edge/sparrow/pkg/warehouse/bigquery/bigquerytest"
)

// ask runs a query by the real client.
func (w *world) ask(text string, parameters map[string]any) ([][]bigquery.Value, error) {
	q := w.rest.Query(text)
	for name, v := range parameters {
		q.Parameters = append(q.Parameters, bigquery.QueryParameter{Name: name, Value: v})
	}
	it, err := q.Read(w.t.Context())
	if err != nil {
		return nil, err
	}
	list := [][]bigquery.Value{}
	for {
		var values []bigquery.Value
		switch err := it.Next(&values); {
		case errors.Is(err, iterator.Done):
			return list, nil
		case err != nil:
			return nil, err
		}
		list = append(list, values)
	}
}

func TestReadBacks(t *testing.T) {
	w := newWorld(t, bigquerytest.Config{})
	noon := time.Now().UTC().Truncate(24 * time.Hour).Add(12 * time.Hour)
	var list [][]byte
	for i, id := range []string{"a", "b", "b", "c"} {
		list = append(list, appendNumber(appendNumber(row(id), 2, noon.AddDate(0, 0, -i).UnixMicro()), 3, int64(i)))
	}
	_, err := put(t, w.stream(managedwriter.CommittedStream), append(list, row("null")))
	must(t, err)
	from := " from `test.d.raw` "
	for _, c := range []struct {
		query      string
		parameters map[string]any
		want       string
	}{
		{"select 1", nil, "[[1]]"},
		{"select n, id" + from + "where n >= 0 order by n desc limit 1", nil, "[[3 c]]"},
		{"select count(*)" + from, nil, "[[5]]"},
		{"select count(*)" + from + "where id = 'nobody'", nil, "[[0]]"},
		{"select id" + from + "where id = 'nobody'", nil, "[]"},
		{"select count(*)" + from + "where n > @n or (n = @n and id <> 'b')", map[string]any{"n": int64(1)}, "[[2]]"},
		{"select distinct id" + from + "where date(at) < @day and n <= 9 order by id", map[string]any{"day": civil.DateOf(noon)}, "[[b] [c]]"},
		{"select count(*)" + from + "where at >= @since", map[string]any{"since": noon.AddDate(0, 0, -1)}, "[[2]]"},
		{"SELECT id, max(n) AS newest, count(*)" + from + "GROUP BY id ORDER BY newest DESC, id", nil, "[[c 3 1] [b 2 2] [a 0 1] [null <nil> 1]]"},
		{"select id" + from + "where n = (select max(n)" + from + ")", nil, "[[c]]"},
		{"select id, n" + from + "where struct(id, n) in (select struct(id, max(n))" + from + "group by id) order by id", nil, "[[a 0] [b 2] [c 3]]"},
		{"select at" + from + "where n = 0", nil, fmt.Sprintf("[[%v]]", noon)},
	} {
		got, err := w.ask(c.query, c.parameters)
		if err != nil || fmt.Sprint(got) != c.want {
			t.Errorf("%s\n got %v, error %v\nwant %s", c.query, got, err, c.want)
		}
	}
	for _, query := range []string{
		"", "select", "select 2", "delete" + from, "select id" + from + "where", "select id" + from + "join x", "select id" + from + "where n = @none",
		"select id" + from + "; select 1", "select sum(n)" + from, "select id" + from + "limit x", "select id" + from + "where n",
	} {
		if got, err := w.ask(query, nil); err == nil {
			t.Errorf("%q was answered: %v", query, got)
		}
	}
	_, err = w.ask("select id from test.d.none", nil)
	wantREST(t, err, http.StatusNotFound, "notFound")
}
