package bigquerytest_test

import (
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"cloud.google.com/go/bigquery"
	"cloud.google.com/go/bigquery/storage/managedwriter"
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

// TestReadBackAnswers: each query of the adapter is answered as BigQuery would.
func TestReadBackAnswers(t *testing.T) {
	type rows = []map[string]any
	type parameters = map[string]any
	noon := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	today, hour := noon.Truncate(24*time.Hour), time.Hour
	for _, c := range []struct {
		query      string
		rows       rows
		parameters parameters
		want       string
	}{
		{"select count(*) from `test.d.t`", rows{{}, {}}, nil, "[[2]]"},
		{"select count(*) from `test.d.t`", nil, nil, "[[0]]"},
		{"select version, state from `test.d.t` order by version desc limit 1", rows{{"version": int64(1), "state": "a"}, {"version": int64(3), "state": "c"}, {"version": int64(2), "state": "b"}}, nil, "[[3 c]]"},
		{"select version, state from `test.d.t` order by version desc limit 1", nil, nil, "[]"},
		{"select distinct version, ordinal, name, property, type, description from `test.d.t`\n\t\twhere version = (select max(version) from `test.d.t`) order by ordinal", rows{
			{"version": int64(1), "ordinal": int64(0), "name": "old"},
			{"version": int64(2), "ordinal": int64(1), "name": "b", "property": "p", "type": "string", "description": "d"},
			{"version": int64(2), "ordinal": int64(0), "name": "a"}, {"version": int64(2), "ordinal": int64(0), "name": "a"},
		}, nil, "[[2 0 a <nil> <nil> <nil>] [2 1 b p string d]]"},
		{"select count(*) from `test.d.t` where version = @version", rows{{"version": "v1"}, {"version": "v2"}}, parameters{"version": "v2"}, "[[1]]"},
		{"select distinct event from `test.d.t` where day = date(@day) and source = @source", rows{
			{"day": today, "source": "shop", "event": "b"}, {"day": today, "source": "shop", "event": "a"}, {"day": today, "source": "shop", "event": "b"},
			{"day": today, "source": "site", "event": "c"}, {"day": today.AddDate(0, 0, 1), "source": "shop", "event": "d"},
		}, parameters{"day": noon, "source": "shop"}, "[[a] [b]]"},
		{"select count(*) from `test.d.t` where epoch = @epoch and (seq > @seq or (seq = @seq and idx >= @idx)) and timestamp >= @since", rows{
			{"epoch": "e", "seq": int64(5), "idx": int64(1), "timestamp": noon}, {"epoch": "e", "seq": int64(5), "idx": int64(2), "timestamp": noon},
			{"epoch": "e", "seq": int64(6), "idx": int64(0), "timestamp": noon}, {"epoch": "e", "seq": int64(7), "idx": int64(0), "timestamp": noon.Add(-2 * hour)},
			{"epoch": "f", "seq": int64(9), "idx": int64(0), "timestamp": noon}, {"epoch": "e", "seq": int64(4), "idx": int64(9), "timestamp": noon},
		}, parameters{"epoch": "e", "seq": int64(5), "idx": int64(2), "since": noon.Add(-hour)}, "[[2]]"},
		{"select count(*) from `test.d.t` where reportEpoch = @epoch and reportSeq >= @seq and day >= date(@since)", rows{
			{"reportepoch": "e", "reportseq": int64(5), "day": today}, {"reportepoch": "e", "reportseq": int64(4), "day": today},
			{"reportepoch": "e", "reportseq": int64(6), "day": today.AddDate(0, 0, -1)}, {"reportepoch": "f", "reportseq": int64(6), "day": today},
		}, parameters{"epoch": "e", "seq": int64(5), "since": noon}, "[[1]]"},
		{"select epoch, seq, max(idx) from `test.d.t` where struct(epoch, seq) in (\n\t\tselect struct(epoch, max(seq)) from `test.d.t` group by epoch) group by epoch, seq", rows{
			{"epoch": "b", "seq": int64(2), "idx": int64(0)}, {"epoch": "a", "seq": int64(3), "idx": int64(1)}, {"epoch": "a", "seq": int64(3), "idx": int64(2)}, {"epoch": "a", "seq": int64(1), "idx": int64(9)},
		}, nil, "[[a 3 2] [b 2 0]]"},
		{"select reportEpoch, max(reportSeq), max(reported) as newest from `test.d.t` group by reportEpoch order by newest", rows{
			{"reportepoch": "a", "reportseq": int64(7), "reported": today}, {"reportepoch": "a", "reportseq": int64(2), "reported": noon}, {"reportepoch": "b", "reportseq": int64(1), "reported": noon.Add(-hour)},
		}, nil, fmt.Sprintf("[[b 1 %v] [a 7 %v]]", noon.Add(-hour), noon)},
	} {
		if got, err := bigquerytest.ReadBack(c.query, c.rows, c.parameters); err != nil || fmt.Sprint(got) != c.want {
			t.Errorf("%s\n got %v, error %v\nwant %s", c.query, got, err, c.want)
		}
	}
}

// TestReadBacksByClient: the real client understands the answers, and a query
// that the server does not know is refused.
func TestReadBacksByClient(t *testing.T) {
	w := newWorld(t, bigquerytest.Config{})
	_, err := put(t, w.stream(managedwriter.CommittedStream), [][]byte{row("a"), row("b")})
	must(t, err)
	for query, want := range map[string]string{
		"select 1": "[[1]]", "select count(*) from `test.d.raw`": "[[2]]",
		"select reportEpoch, max(reportSeq), max(reported) as newest from `test.d.raw` group by reportEpoch order by newest": "[[<nil> <nil> <nil>]]",
	} {
		if got, err := w.ask(query, nil); err != nil || fmt.Sprint(got) != want {
			t.Errorf("%s\n got %v, error %v\nwant %s", query, got, err, want)
		}
	}
	got, err := w.ask("select distinct event from `test.d.raw` where day = date(@day) and source = @source", map[string]any{"day": time.Now().UTC(), "source": "shop"})
	if err != nil || len(got) != 0 {
		t.Errorf("no rows: got %v, error %v", got, err)
	}
	for _, query := range []string{
		"", "select", "select 2", "delete from `test.d.raw`", "select id from `test.d.raw`", "select count(*) from raw", "select count(*) from `test.d.raw`; select 1",
		"select count(*) from `test.d.raw` where version = @version",
	} {
		if got, err := w.ask(query, nil); err == nil {
			t.Errorf("%q was answered: %v", query, got)
		}
	}
	_, err = w.ask("select count(*) from `test.d.none`", nil)
	wantREST(t, err, http.StatusNotFound, "notFound")
}
