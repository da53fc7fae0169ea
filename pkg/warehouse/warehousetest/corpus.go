package warehousetest

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
)

// The epochs of the corpus. The second journal replaced the first.
const (
	corpusFirst  = "e1"
	corpusSecond = "e2"
)

// Corpus is events that are made to be misread, with what became of each at
// three trackers, in two journals of which the second replaced the first. Lanes of a
// large corpus are calm: a small one has replays, gaps and lanes that begin anywhere.
type Corpus struct{ first, second *Journal }

// mostRestless is how many events a corpus has at most whose lanes are not calm.
const mostRestless = 250

// NewCorpus makes the corpus of a seed, of so many events. maxRow is the
// adapters': one event is larger.
func NewCorpus(seed uint64, events, maxRow int) *Corpus {
	calm := events > mostRestless
	return &Corpus{
		first:  corpusHistory(seed, corpusFirst, events*9/10, maxRow+1, calm).journal,
		second: corpusHistory(seed+1, corpusSecond, events/10, 0, calm).journal,
	}
}

// Load prepares a warehouse and has a loader load all of the corpus into it.
func (c *Corpus) Load(t testing.TB, w warehouse.Warehouse) {
	t.Helper()
	if err := w.Prepare(t.Context()); err != nil {
		t.Fatalf("prepare: %v", err)
	}
	apply(t, w, false, CorpusColumns()...)
	for _, version := range []string{"p1", "p2"} {
		if err := w.SavePlan(t.Context(), version, "events: {} # "+version+" '\"`\n"); err != nil {
			t.Fatalf("save plan: %v", err)
		}
	}
	carryBatches(t, w, c.first, 4_000, 2*time.Second)
	carryBatches(t, w, c.second, 4_000, 2*time.Second)
}

func corpusHistory(seed uint64, epoch string, events, huge int, calm bool) *history {
	c := &corpusWriter{huge: huge}
	h := &history{
		random: rand.New(rand.NewPCG(seed, 7)), journal: NewJournal(epoch), expected: map[group]*tally{}, stride: max(5, events/15), write: c.write,
		calm: calm,
	}
	for len(h.records) < events {
		h.message()
	}
	h.live()
	return h
}

// corpusWriter writes the data of a history's records.
type corpusWriter struct {
	huge int // bytes of one event that no warehouse takes; 0 for none
	made int
}

// corpusNames are the names of properties, each with the column that holds it
// or "" for none. Twins in letter case are apart in the data.
var corpusNames = [...]struct {
	property, column string
	kind             warehouse.Type
}{
	{"category", "category", warehouse.TypeString},
	{"price", "price", warehouse.TypeNumber},
	{"Price", "price_text", warehouse.TypeString},
	{"quantity", "quantity", warehouse.TypeInteger},
	{"paid", "paid", warehouse.TypeBoolean},
	{"at", "at", warehouse.TypeTimestamp},
	{"extra", "extra", warehouse.TypeJSON},
	{"select", "select", warehouse.TypeString},
	{"from", "group", warehouse.TypeInteger},
	{"a.b", "a_b", warehouse.TypeString},
	{"a/b~1c", "slashed", warehouse.TypeString},
	{"`x`", "backticks", warehouse.TypeString},
	{`back\slash`, "backslash", warehouse.TypeString},
	{"line\nname", "lines", warehouse.TypeString},
	{"tab\tname", "tabs", warehouse.TypeNumber},
	{"名前", "name_", warehouse.TypeString},
	{"😀", "smile", warehouse.TypeBoolean},
	{" ; drop table raw; -- ", "dropped", warehouse.TypeString},
	{"list[0]", "bracket", warehouse.TypeString},
	{"%s{}?,", "format", warehouse.TypeString},
	{"e\u0301", "combining", warehouse.TypeString},
	{"long" + strings.Repeat(" and longer", 60), "long", warehouse.TypeString},
	// The emulator cannot read these paths: they are in the data only.
	{`"quoted"`, "", ""},
	{"[0]", "", ""},
	{"it's", "", ""},
	{"", "", ""},
	{"$", "", ""},
	{"CATEGORY", "", ""},
	{"__proto__", "", ""},
}

// CorpusColumns are the columns of the corpus's plan.
func CorpusColumns() []warehouse.Column {
	var list []warehouse.Column
	for _, n := range corpusNames {
		if n.column != "" {
			list = append(list, warehouse.Column{Name: n.column, Property: n.property, Type: n.kind, Description: "of '\"; --`" + n.column})
		}
	}
	return list
}

// Texts of values, as they stand in the JSON. Text that is no number, and
// numbers beyond NUMERIC, are not among those of number columns: the emulator
// takes them for others. DuckDB reads fractions as doubles, so that there are
// none of more than 17 digits, and none that end in 0 where they are text.
var (
	corpusNumbers = [...]string{
		"0", "-0", "1", "-1", "1.10", "0.1", "1e3", "1E+2", "12.5e-1", "9007199254740993", "-9007199254740993", "12345678901234567890",
		"99999999999999999999999999999", "0.000000001", "-273.15", "null",
	}
	corpusWholes = [...]string{"0", "7", "-7", "1.5", "1e3", "9007199254740993", "12345678901234567890", "2.0", "null"}
	corpusTexts  = [...]string{ // strings and null first
		`"billing"`, `"Billing"`, `"workers"`, `""`, `" "`, `"it's; -- \"x\""`, `"caf\u00e9"`, `"café"`, `"名"`, `"\ud83d\ude00"`, `"😀"`, `"cut \ud83d"`,
		`"{\"json\":\"in JSON \\ud83d\\ude00, cut \\ud83d\"}"`, `"a\nb"`, `"back\\slash"`, `"\u0041"`, `null`, `5`, `1.5`, `true`, `{"a": 1}`, `[1, 2]`,
	}
	corpusTruths = [...]string{"true", "false", "null", `"true"`, `"yes"`, "1"}
	corpusTimes  = [...]string{
		`"2026-01-31T12:00:00Z"`, `"2026-01-31T12:00:00.123456Z"`, `"2026-01-31T23:30:00.5-05:30"`, `"1999-12-31T23:59:59+14:00"`, `"yesterday"`, "null", "5",
	}
	corpusLosses = [...]string{"1", "17", "2.0", "0", "-3", "1e4", "100001", `"4"`, "null"}
	corpusJSON   = [...]string{
		`{"a":{"b":[1,2,{"c":"d"}]},"n":12345678901234567890}`, `[]`, `{}`, `[[1],[null]]`, `"text"`, `1.5`, `true`, `{"a b":"it's"}`,
	}
)

// write gives a record properties, and now and then a time of its own.
func (c *corpusWriter) write(r *rand.Rand, record *event.Record) {
	if !record.Usable() {
		return
	}
	c.made++
	if r.IntN(150) == 0 {
		record.Data = fmt.Appendf(nil, `{"event":"sparrow:lost","deviceId":"d","properties":{"count":%s}}`, corpusLosses[r.IntN(len(corpusLosses))])
		return
	}
	data := record.Data[:len(record.Data)-1] // `{"event":"...","deviceId":"d"`
	data = fmt.Appendf(data, `,"userId":"u%d"`, r.IntN(700))
	switch r.IntN(6) {
	case 0:
		data = fmt.Appendf(data, `,"timestamp":"%s"`, record.ReceivedAt.Add(-time.Minute).Format(time.RFC3339Nano))
	case 1: // a clock that is off
		record.Context.SentAt = record.ReceivedAt.Add(-time.Hour)
		data = fmt.Appendf(data, `,"timestamp":"%s"`, record.ReceivedAt.Add(-2*time.Hour).Format(time.RFC3339))
	case 2:
		data = append(data, `,"timestamp":"no time"`...)
	}
	data = append(data, `, "properties": {`...)
	for i, at := range r.Perm(len(corpusNames))[:8] {
		if i > 0 {
			data = append(data, ',')
		}
		data = event.AppendQuoted(data, corpusNames[at].property)
		data = append(append(data, ':'), corpusValue(r, corpusNames[at].property, corpusNames[at].kind)...)
	}
	data = append(data, '}', '}')
	if c.made == 100 && c.huge > 0 {
		data = append(data, strings.Repeat(" ", c.huge)...)
	}
	record.Data = data
}

func corpusValue(r *rand.Rand, property string, kind warehouse.Type) string {
	pick := func(list []string) string { return list[r.IntN(len(list))] }
	if property == "category" {
		return pick(corpusTexts[:17]) // the emulator cannot group by objects
	}
	switch kind {
	case warehouse.TypeNumber:
		return pick(corpusNumbers[:])
	case warehouse.TypeInteger:
		return pick(corpusWholes[:])
	case warehouse.TypeBoolean:
		return pick(corpusTruths[:])
	case warehouse.TypeTimestamp:
		return pick(corpusTimes[:])
	case warehouse.TypeJSON:
		return pick(corpusJSON[:])
	default:
		return pick(corpusTexts[:])
	}
}
