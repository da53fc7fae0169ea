package warehousetest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/quantity"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
)

// checkQueryWhileLoading: queries see whole batches, whatever is loaded meanwhile.
func checkQueryWhileLoading(t testing.TB, h Harness) {
	w := prepared(t, h)
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for range 3 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				result, err := w.Query(context.Background(), `select (select count(*) from raw), (select 3 * count(*) from deliveries),
					(select 3 * (seq - 1) from positions where stream = 'events')`, warehouse.Limits{})
				if err != nil {
					t.Errorf("query: %v", err)
					return
				}
				if row := result.Rows[0]; row[0] != row[1] || row[2] != nil && row[0] != row[2] {
					t.Errorf("a query saw half a batch: %v", row)
					return
				}
			}
		})
	}
	for i := range uint64(20) {
		load(t, w, span2batch(t, i*10+1, i*10+11))
	}
	close(stop)
	readers.Wait()
	same(t, "raw", number(t, w, "select count(*) from raw"), 600)
}

// unsafeQueries would write, read files, reach the network, load code or change
// settings. DIR stands for the warehouse's directory.
var unsafeQueries = []string{
	"insert into raw (eventId) values ('x')",
	"delete from raw",
	"delete from raw returning *",
	"update raw set data = ''",
	"truncate raw",
	"drop table raw",
	"drop view raw_normalized",
	"alter table raw add column x integer",
	"create table x (a integer)",
	"create temp table x (a integer)",
	"create view x as select 1",
	"create macro f(a) as a + 1",
	"create function f(a) as a + 1",
	"create sequence s",
	"create or replace view reconciliation as select 1",
	"select 1; drop table raw",
	"select 1; select 2",
	"select 1) as q; drop table raw; select * from (select 1",
	"with x as (delete from raw returning *) select * from x",
	"with x as (insert into raw (eventId) values ('x') returning *) select * from x",
	"explain analyze delete from raw",
	"merge into raw using (select 1) as s on true when matched then delete",
	"begin", "commit; drop table raw", "rollback; drop table raw; select 1", "checkpoint", "vacuum", "analyze",
	"set memory_limit = '10GB'", "set enable_external_access = true", "set global threads = 64", "reset memory_limit", "set variable x = 1",
	"pragma memory_limit='10GB'", "pragma database_list", "pragma enable_profiling", "pragma table_info('raw')",
	"attach 'DIR/other.db' as other", "attach 'DIR/other.db'", "detach sparrow", "use memory",
	"copy raw to 'DIR/out.csv'", "copy (select 1) to 'DIR/out.csv'", "copy raw from 'DIR/secret.csv'",
	"export database 'DIR/out'", "import database 'DIR/out'",
	"install httpfs", "load httpfs", "load 'DIR/evil.so'", "force install json", "update extensions",
	"call enable_logging()", "call pragma_version()", "prepare p as select 1", "execute p", "deallocate p",
	"select * from read_csv('DIR/secret.csv')", "select * from read_csv_auto('DIR/secret.csv')", "select * from read_text('DIR/secret.csv')",
	"select * from read_blob('DIR/secret.csv')", "select * from read_json('DIR/secret.csv')", "select * from read_parquet('DIR/secret.csv')",
	"select * from glob('DIR/*')", "select * from 'DIR/secret.csv'", "from 'DIR/secret.csv'", "select * from 'https://example.com/x.csv'",
	"select * from sniff_csv('DIR/secret.csv')", "select * from parquet_metadata('DIR/secret.csv')", "select * from read_duckdb('DIR/other.db')",
	"select * from query('drop table raw')", "select * from query('select 1')", "select * from query_table('raw')",
	"select * from (select * from read_text('DIR/secret.csv'))", "select (select content from read_text('DIR/secret.csv'))",
	"with x as (from glob('DIR/*')) select * from x", "select 1 where exists (from read_text('DIR/secret.csv'))",
	"select * from enable_logging()", "select * from enable_logging('QueryLog', storage = 'file', storage_config = {'path': 'DIR/logs'})",
	"select * from disable_logging()", "select * from truncate_duckdb_logs()", "select * from duckdb_logs()",
	"select * from enable_profiling()", "select * from checkpoint()", "select * from force_checkpoint()",
	"select * from duckdb_secrets()", "select * from which_secret('s3://x', 's3')", "select * from duckdb_settings()",
	"select * from json_execute_serialized_sql(json_serialize_sql('select 1'))", "select * from pragma_storage_info('raw')",
	"select * from duckdb_extensions()", "select * from seq_scan('raw')", "select * from arrow_scan(1, 2, 3)",
	"select getenv('HOME')", "select write_log('x')", "select nextval('s')", "select sleep_ms(100000)", "select system.main.write_log('x')",
	"select * from system.main.read_text('DIR/secret.csv')", `select * from "read_text"('DIR/secret.csv')`, "select * from READ_TEXT('DIR/secret.csv')",
	"", ";", "-- nothing", "nonsense", "select", "/* select 1 */ drop table raw", "select 1 /* ; */ ; drop table raw",
}

// checkUnsafeQueries: each is refused, and nothing has changed after it.
func checkUnsafeQueries(t testing.TB, h Harness) {
	dir := t.TempDir()
	w := open(t, h, dir)
	apply(t, w, false)
	load(t, w, span2batch(t, 1, 3))
	if err := os.WriteFile(filepath.Join(dir, "secret.csv"), []byte("a,b\nsecret,2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	files := listing(t, dir)
	for _, query := range unsafeQueries {
		query = strings.ReplaceAll(query, "DIR", filepath.ToSlash(dir))
		if result, err := w.Query(t.Context(), query, warehouse.Limits{Time: 10 * time.Second}); err == nil {
			t.Errorf("%s: it ran, and returned %v", query, result.Rows)
		}
	}
	same(t, "raw", number(t, w, "select count(*) from raw"), 6)
	same(t, "raw_normalized", number(t, w, "select count(*) from raw_normalized"), 6)
	same(t, "files", listing(t, dir), files)
	load(t, w, span2batch(t, 3, 5))
	for _, query := range []string{
		"select count(*) from raw", "SELECT count(*) FROM raw;", "select count(*) from raw -- all of it", "with n as (select count(*) from raw) select * from n",
		"select count(*) from (select * from raw union all select * from raw where false)", "select count(*) from raw /* ; drop table raw */",
	} {
		same(t, query, number(t, w, query), 12)
	}
	same(t, "a string with a semicolon", ask(t, w, "select '; drop table raw; --' as x"), [][]any{{"; drop table raw; --"}})
}

// listing is the names of a directory's files, without the warehouse's own log,
// which comes and goes.
func listing(t testing.TB, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".wal") && !strings.HasSuffix(e.Name(), ".tmp") {
			names = append(names, e.Name())
		}
	}
	return names
}

// results selects one value of each type.
const results = `select cast(1 as bigint) as a, 9007199254740993 as a, cast('12345678901234567890.123456789' as decimal(38,9)) as "odd ""name",
	true as b, null as n, 'text' as s, cast('2026-01-31' as date) as d, cast('2026-01-31 12:00:00.25' as timestamp) as t, 0.5e0 as f order by 1`

// checkResults: values arrive exactly.
func checkResults(t testing.TB, h Harness) {
	w := prepared(t, h)
	query, odd := results, `odd "name`
	if h.Results != "" {
		query, odd = h.Results, "odd_name"
	}
	result, err := w.Query(t.Context(), query, warehouse.Limits{})
	if err != nil {
		t.Fatalf("query: %v", err)
	}
	same(t, "values", result.Rows, [][]any{{"1", "9007199254740993", "12345678901234567890.123456789", true, nil, "text", "2026-01-31", "2026-01-31T12:00:00.25Z", "0.5"}})
	if len(result.Columns) != 9 || result.Columns[2].Name != odd {
		t.Errorf("columns: %v", result.Columns)
	}
	same(t, "an argument", ask(t, w, "select $1 as a, $2 as b", "it's; --", int64(7)), [][]any{{"it's; --", 7}})
	same(t, "nothing", ask(t, w, "select eventId from raw"), [][]any{})
	_, err = w.Query(t.Context(), "select nosuch from raw", warehouse.Limits{})
	if err == nil || !strings.Contains(err.Error(), "nosuch") {
		t.Errorf("an unknown column: %v", err)
	}
}

// A query that would compute for years, and one that would take all memory.
const (
	endless  = "select count(*) from range(1000000000) as a(x), range(1000000000) as b(y) where x * y % 7 = 3"
	enormous = "select count(*) from (select distinct x, y, md5(cast(x * 100000 + y as varchar)) as z from range(100000) as a(x), range(100000) as b(y))"
)

// checkLimits: time, memory and rows are bounded, loading goes on meanwhile,
// and a cut result says so.
func checkLimits(t testing.TB, h Harness) {
	w := prepared(t, h)
	load(t, w, span2batch(t, 1, 11))
	for _, c := range []struct {
		query  string
		limits warehouse.Limits
	}{
		{endless, warehouse.Limits{Time: 300 * time.Millisecond}},
		{enormous, warehouse.Limits{Time: 20 * time.Second, Memory: 32 * quantity.MiB}},
	} {
		done := make(chan error, 1)
		go func() {
			_, err := w.Query(context.Background(), c.query, c.limits)
			done <- err
		}()
		before := storedMark(t, w)
		load(t, w, span2batch(t, before, before+10))
		if err := <-done; !errors.Is(err, warehouse.ErrLimit) {
			t.Errorf("%s: %v, want ErrLimit", c.query, err)
		}
	}
	for rows, truncated := range map[int]bool{89: true, 90: false, 91: false} {
		result, err := w.Query(t.Context(), "select * from raw order by seq", warehouse.Limits{Rows: rows})
		if err != nil {
			t.Fatalf("query: %v", err)
		}
		if result.Truncated != truncated || len(result.Rows) != min(rows, 90) {
			t.Errorf("limit %d: %d rows, truncated %t", rows, len(result.Rows), result.Truncated)
		}
	}
	result, err := w.Query(t.Context(), "select data, data as more from raw", warehouse.Limits{Bytes: 500})
	if err != nil || !result.Truncated || len(result.Rows) == 0 {
		t.Errorf("limit of bytes: %v, error %v", result, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.Query(ctx, "select 1", warehouse.Limits{}); !errors.Is(err, context.Canceled) {
		t.Errorf("a query of someone who left: %v", err)
	}
}
