package bigquerytest

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// The server has no SQL engine. It knows the queries by which the adapter reads
// back what it stored, each by its text, and answers them from its own record.
// Any other query is refused: one that the adapter changes or adds is to be
// added here.

// readBack is a query of the adapter. Its text has %s where a table stands, and
// ends with ... where the rest may be anything.
type readBack struct {
	query  string
	types  []string // of the answer's columns
	answer func(rows []values, p values) [][]any
}

// values are values by the name of a column, in lower case, or of a parameter.
type values map[string]any

func (v values) text(name string) string { s, _ := v[name].(string); return s }
func (v values) number(name string) int64 {
	n, _ := v[name].(int64)
	return n
}

// at is a time, or day, in microseconds since 1970.
func (v values) at(name string) int64 {
	at, _ := v[name].(time.Time)
	return at.UnixMicro()
}

const day = 24 * time.Hour

var readBacks = []readBack{
	{ // whether a table can be read
		"select count(*) from %s", []string{"INTEGER"},
		func(rows []values, _ values) [][]any { return [][]any{{int64(len(rows))}} },
	},
	{ // the newest commit
		"select version, state from %s order by version desc limit 1", []string{"INTEGER", "STRING"},
		func(rows []values, _ values) [][]any {
			if len(rows) == 0 {
				return nil
			}
			newest := slices.MaxFunc(rows, func(a, b values) int { return cmp.Compare(a.number("version"), b.number("version")) })
			return [][]any{{newest["version"], newest["state"]}}
		},
	},
	{ // the newest set of columns
		"select distinct version, ordinal, name, property, type, description from %s where version = (select max(version) from %s) order by ordinal",
		[]string{"INTEGER", "INTEGER", "STRING", "STRING", "STRING", "STRING"}, newestColumns,
	},
	{ // whether a plan is stored
		"select count(*) from %s where version = @version", []string{"INTEGER"},
		func(rows []values, p values) [][]any {
			return count(rows, func(row values) bool { return row.text("version") == p.text("version") })
		},
	},
	{ // the names of a day and source
		"select distinct event from %s where day = date(@day) and source = @source", []string{"STRING"},
		func(rows []values, p values) (answer [][]any) {
			names := map[string]bool{}
			for _, row := range rows {
				if row.at("day") == dayOf(p.at("day")) && row.text("source") == p.text("source") {
					names[row.text("event")] = true
				}
			}
			for _, name := range slices.Sorted(maps.Keys(names)) {
				answer = append(answer, []any{name})
			}
			return answer
		},
	},
	{ // the rows of raw ahead of the position
		"select count(*) from %s where epoch = @epoch and (seq > @seq or (seq = @seq and idx >= @idx)) and timestamp >= @since", []string{"INTEGER"},
		func(rows []values, p values) [][]any {
			return count(rows, func(row values) bool {
				n := cmp.Or(cmp.Compare(row.number("seq"), p.number("seq")), cmp.Compare(row.number("idx"), p.number("idx")))
				return row.text("epoch") == p.text("epoch") && n >= 0 && row.at("timestamp") >= p.at("since")
			})
		},
	},
	{ // the rows of another counted table ahead of the position
		"select count(*) from %s where reportEpoch = @epoch and reportSeq >= @seq and day >= date(@since)", []string{"INTEGER"},
		func(rows []values, p values) [][]any {
			return count(rows, func(row values) bool {
				return row.text("reportepoch") == p.text("epoch") && row.number("reportseq") >= p.number("seq") && row.at("day") >= dayOf(p.at("since"))
			})
		},
	},
	{ // what deliveries are of
		"select seq, idx, source, event, timestamp from %s where epoch = @epoch and seq >= @low and seq <= @high and not duplicate and timestamp >= @since",
		[]string{"INTEGER", "INTEGER", "STRING", "STRING", "TIMESTAMP"},
		func(rows []values, p values) (answer [][]any) {
			for _, row := range rows {
				if seq := row.number("seq"); row.text("epoch") == p.text("epoch") && seq >= p.number("low") && seq <= p.number("high") &&
					row["duplicate"] != true && row.at("timestamp") >= p.at("since") {
					answer = append(answer, []any{row["seq"], row["idx"], row["source"], row["event"], row["timestamp"]})
				}
			}
			return answer
		},
	},
	{ // the days of a range of rows
		"select distinct date(timestamp) from %s where epoch = @epoch and (seq > @seq or (seq = @seq and idx >= @idx)) and (seq < @endSeq or (seq = @endSeq and idx < @endIdx)) and timestamp >= @since",
		[]string{"DATE"},
		func(rows []values, p values) (answer [][]any) {
			days := map[int64]bool{}
			for _, row := range rows {
				from := cmp.Or(cmp.Compare(row.number("seq"), p.number("seq")), cmp.Compare(row.number("idx"), p.number("idx")))
				to := cmp.Or(cmp.Compare(row.number("seq"), p.number("endseq")), cmp.Compare(row.number("idx"), p.number("endidx")))
				if row.text("epoch") == p.text("epoch") && from >= 0 && to < 0 && row.at("timestamp") >= p.at("since") {
					days[dayOf(row.at("timestamp"))] = true
				}
			}
			for _, at := range slices.Sorted(maps.Keys(days)) {
				answer = append(answer, []any{time.UnixMicro(at).UTC()})
			}
			return answer
		},
	},
	{ // the newest row of raw
		"select max(timestamp) from %s where timestamp >= @since", []string{"TIMESTAMP"},
		func(rows []values, p values) [][]any {
			newest := any(nil)
			for _, row := range rows {
				if at := row.at("timestamp"); at >= p.at("since") && (newest == nil || at > newest.(time.Time).UnixMicro()) {
					newest = row["timestamp"]
				}
			}
			return [][]any{{newest}}
		},
	},
	{ // the newest state of each lane
		"select tracker, epoch, startSeq, startIdx, markSeq, markIdx, closed, parked from %s where run = 0 qualify row_number() over (partition by tracker, epoch, startSeq, startIdx order by reported desc, reportSeq desc) = 1",
		[]string{"STRING", "STRING", "INTEGER", "INTEGER", "INTEGER", "INTEGER", "BOOLEAN", "STRING"}, newestLanes,
	},
	{ // the version of the sums
		"select coalesce(max(version), 0) from %s", []string{"INTEGER"},
		func(rows []values, _ values) [][]any {
			newest := int64(0)
			for _, row := range rows {
				newest = max(newest, row.number("version"))
			}
			return [][]any{{newest}}
		},
	},
	{ // where the sums of a day differ from its rows: nowhere, to this server
		"select source, event, tracker, outcome, reason, cast(sum(part.kept) as int64) as kept, cast(sum(part.counted) as int64) as counted from ...",
		[]string{"STRING", "STRING", "STRING", "STRING", "STRING", "INTEGER", "INTEGER"},
		func([]values, values) [][]any { return nil },
	},
	// What compacts the logs changes nothing: rows stay.
	{"insert into %s (day, source, event, tracker, outcome, reason, n, version, folded) select ...", nil, func([]values, values) [][]any { return nil }},
	{"delete from %s where folded < @old ...", nil, func([]values, values) [][]any { return nil }},
	{"delete from %s where loaded < @old ...", nil, func([]values, values) [][]any { return nil }},
	{"delete from %s where reported < @old ...", nil, func([]values, values) [][]any { return nil }},
	{ // the last row of raw of each epoch
		"select epoch, seq, max(idx) from %s where struct(epoch, seq) in ( select struct(epoch, max(seq)) from %s group by epoch) group by epoch, seq",
		[]string{"STRING", "INTEGER", "INTEGER"},
		func(rows []values, _ values) (answer [][]any) {
			for _, row := range newestOf(rows, "epoch", "seq", "idx") {
				answer = append(answer, []any{row["epoch"], row["seq"], row["idx"]})
			}
			return answer
		},
	},
	{ // the last checkpoint of each epoch
		"select reportEpoch, max(reportSeq), max(reported) as newest from %s group by reportEpoch order by newest", []string{"STRING", "INTEGER", "TIMESTAMP"},
		lastCheckpoints,
	},
}

func dayOf(micros int64) int64 { return time.UnixMicro(micros).UTC().Truncate(day).UnixMicro() }

func count(rows []values, counts func(values) bool) [][]any {
	n := int64(0)
	for _, row := range rows {
		if counts(row) {
			n++
		}
	}
	return [][]any{{n}}
}

func newestColumns(rows []values, _ values) (answer [][]any) {
	newest := int64(0)
	for _, row := range rows {
		newest = max(newest, row.number("version"))
	}
	once := map[string]bool{}
	for _, row := range rows {
		cells := []any{row["version"], row["ordinal"], row["name"], row["property"], row["type"], row["description"]}
		if key := fmt.Sprintf("%q", fmt.Sprint(cells...)); row.number("version") == newest && !once[key] {
			once[key] = true
			answer = append(answer, cells)
		}
	}
	slices.SortStableFunc(answer, func(a, b []any) int { return cmp.Compare(a[1].(int64), b[1].(int64)) })
	return answer
}

func newestLanes(rows []values, _ values) (answer [][]any) {
	newest := map[string]values{}
	for _, row := range rows {
		if row.number("run") != 0 {
			continue
		}
		key := fmt.Sprint(row["tracker"], row["epoch"], row["startseq"], row["startidx"])
		was, found := newest[key]
		if !found || cmp.Or(cmp.Compare(row.at("reported"), was.at("reported")), cmp.Compare(row.number("reportseq"), was.number("reportseq"))) > 0 {
			newest[key] = row
		}
	}
	for _, key := range slices.Sorted(maps.Keys(newest)) {
		row := newest[key]
		answer = append(answer, []any{row["tracker"], row["epoch"], row["startseq"], row["startidx"], row["markseq"], row["markidx"], row["closed"], row["parked"]})
	}
	return answer
}

func lastCheckpoints(rows []values, _ values) (answer [][]any) {
	latest := newestOf(rows, "reportepoch", "reported")
	slices.SortStableFunc(latest, func(a, b values) int { return cmp.Compare(a.at("reported"), b.at("reported")) })
	highest := map[string]any{}
	for _, row := range newestOf(rows, "reportepoch", "reportseq") {
		highest[row.text("reportepoch")] = row["reportseq"]
	}
	for _, row := range latest {
		answer = append(answer, []any{row["reportepoch"], highest[row.text("reportepoch")], row["reported"]})
	}
	return answer
}

// newestOf are, for each value of a text column, in its order, the row with the
// highest other columns: numbers or times.
func newestOf(rows []values, group string, by ...string) []values {
	newest := map[string]values{}
	for _, row := range rows {
		was, found := newest[row.text(group)]
		order := 0
		for _, column := range by {
			order = cmp.Or(order, cmp.Compare(row.number(column), was.number(column)), cmp.Compare(row.at(column), was.at(column)))
		}
		if !found || order > 0 {
			newest[row.text(group)] = row
		}
	}
	list := make([]values, 0, len(newest))
	for _, key := range slices.Sorted(maps.Keys(newest)) {
		list = append(list, newest[key])
	}
	return list
}

var (
	quotedTable = regexp.MustCompile("`([^`]*)`")
	space       = regexp.MustCompile(`\s+`)
)

// findReadBack finds a query by its text, and the table that it reads.
func findReadBack(text string) (*readBack, string, error) {
	name := ""
	if found := quotedTable.FindStringSubmatch(text); found != nil {
		name = found[1]
	}
	text = strings.TrimSpace(space.ReplaceAllString(strings.ReplaceAll(text, "`"+name+"`", "%s"), " "))
	for i := range readBacks {
		if begin, open := strings.CutSuffix(readBacks[i].query, "..."); readBacks[i].query == text || open && strings.HasPrefix(text, begin) {
			return &readBacks[i], name, nil
		}
	}
	return nil, "", fmt.Errorf("the query is none of the adapter's read-backs: %s", text)
}

// relation is an answer: columns with their types, and rows of nil, string,
// int64, float64, bool, []byte and time.Time.
type relation struct {
	columns []column
	rows    [][]any
}

// missingTable says that a query names a table that is not there.
type missingTable struct{ name string }

// Error is BigQuery's text.
func (m *missingTable) Error() string { return "Not found: Table " + m.name }

// readBack answers a query of the adapter.
func (s *Store) readBack(text string, parameters values) (*relation, error) {
	q, name, err := findReadBack(text)
	if err != nil {
		return nil, err
	}
	parts := strings.Split(name, ".") // project.dataset.table
	if len(parts) < 2 {
		return nil, fmt.Errorf("the table %s has no dataset", name)
	}
	t, found := s.table(parts[len(parts)-2], parts[len(parts)-1])
	if !found {
		return nil, &missingTable{name}
	}
	if t.isView() {
		return nil, fmt.Errorf("%s is a view, which this server does not evaluate", name)
	}
	for _, parameter := range regexp.MustCompile(`@(\w+)`).FindAllStringSubmatch(q.query, -1) {
		if _, found := parameters[strings.ToLower(parameter[1])]; !found {
			return nil, fmt.Errorf("query parameter '%s' not found", parameter[1])
		}
	}
	rows, err := t.values()
	if err != nil {
		return nil, err
	}
	answer := &relation{rows: q.answer(rows, parameters)}
	for i, kind := range q.types {
		answer.columns = append(answer.columns, column{name: fmt.Sprintf("f%d_", i), kind: kind})
	}
	return answer, nil
}

// values are the table's rows.
func (t *table) values() (rows []values, err error) {
	err = t.log.read(func(e *entry) (bool, error) {
		for _, raw := range e.rows {
			if t.log.keep != "" {
				return false, fmt.Errorf("table %s keeps only its column %s", t.id(), t.log.keep)
			}
			decoded, err := e.plan.values(raw, nil)
			if err != nil {
				return false, err
			}
			row := make(values, len(decoded))
			for name, v := range decoded {
				row[strings.ToLower(name)] = v
			}
			rows = append(rows, row)
		}
		return true, nil
	})
	return rows, err
}
