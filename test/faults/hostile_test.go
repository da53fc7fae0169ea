package faults_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/sparrow-edge/sparrow/test/harness"
)

// hostile are names that attack whoever prints them: SQL, pages, spreadsheets,
// terminals.
var hostile = []string{
	`'; drop table raw; --`,
	`"quoted" and 'quoted' and ` + "`quoted`",
	`<script>alert(1)</script>`,
	`=cmd|' /C calc'!A0`,
	`+1+1`, `-2+3`, `@SUM(A1:A9)`,
	"\t=1+1",
	"red \x1b[31m and \x1b]0;title\x07",
	"C1 \u009b31m",
	"line\nbreak\rreturn",
	"right to left \u202e txt.exe",
	"tag \U000e0041",
	`back\slash %s ${ENV} {{x}}`,
}

const hostileConfig = `environment: test
listen: "{{listen}}"
data: data
journal: { maxBytes: 256MiB, minFree: 0B }
sources: [{ name: backend, keys: [` + serverKey + `] }]
trackers:
  - { kind: amplitude, name: amplitude, apiKey: ` + amplitudeKey + `, mode: dry-run }
`

// hostilePlan allows events and properties with some of the names.
func hostilePlan(t *testing.T) string {
	var b strings.Builder
	b.WriteString("events:\n")
	for _, name := range hostile[:7] {
		quoted, err := json.Marshal(name)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "  %s: { properties: { %s: string } }\n", quoted, quoted)
	}
	return b.String()
}

func TestHostileNamesHarmNoOutput(t *testing.T) {
	t.Parallel()
	g := harness.New(t, map[string]string{"sparrow.yaml": hostileConfig, "plan.yaml": hostilePlan(t)}, "serve")
	g.Start()
	nudge := func() { g.Post(serverKey, `{"event":"nudge","deviceId":"d"}`) }
	text, objects := g.Tail(t, nudge), g.Tail(t, nudge, "--format", "json")
	for i, name := range hostile {
		body, err := json.Marshal(map[string]any{
			"event": name, "deviceId": name, "userId": name, "eventId": fmt.Sprintf("hostile-%d", i), "properties": map[string]string{name: name},
		})
		if err != nil {
			t.Fatal(err)
		}
		if status, answer := g.Post(serverKey, string(body)); status != http.StatusOK || !strings.Contains(answer, `{"accepted":1}`) {
			t.Fatalf("%q: status %d: %s", name, status, answer)
		}
	}
	g.Await("an outcome of each event", time.Minute, func() bool {
		rows := g.Query("select count(*) as n from raw where eventId like 'hostile-%'")
		s := reconciliation(g)["amplitude"]
		return harness.Number(rows[0], "n") == len(hostile) && s.pending == 0 && s.unaccounted == 0 && s.filtered == s.accepted
	})

	const all = `select event, deviceId, userId from raw_normalized order by receivedAt, eventId`
	t.Run("table", func(t *testing.T) {
		out := g.Command("query", all)
		harmless(t, "sparrow query", out)
		if !strings.Contains(out, "<script>") || !strings.Contains(out, "drop table raw") {
			t.Errorf("what is harmless is not shown as it is:\n%s", out)
		}
	})
	t.Run("csv", func(t *testing.T) { checkCSV(t, g.Command("query", "--format", "csv", all)) })
	t.Run("csv of a column's name", func(t *testing.T) {
		checkCSV(t, g.Command("query", "--format", "csv", `select 1 as "=1+1", 2 as "`+"\x1b"+`[31m"`))
	})
	t.Run("json", func(t *testing.T) {
		out := g.Command("query", "--format", "json", all)
		harmless(t, "sparrow query --format json", out)
		var rows []struct{ Event, DeviceID string }
		if err := json.Unmarshal([]byte(out), &rows); err != nil {
			t.Fatal(err)
		}
		for _, name := range hostile {
			if !slices.ContainsFunc(rows, func(r struct{ Event, DeviceID string }) bool { return r.Event == name && r.DeviceID == name }) {
				t.Errorf("%q did not come back as it was sent", name)
			}
		}
	})
	t.Run("events", func(t *testing.T) {
		for i, name := range hostile {
			id := fmt.Sprintf("hostile-%d", i)
			harmless(t, "sparrow events", g.Command("events", id, "--request"))
			out := g.Command("events", id, "--request", "--format", "json")
			harmless(t, "sparrow events --format json", out)
			var ways []struct{ Event string }
			if err := json.Unmarshal([]byte(out), &ways); err != nil || len(ways) != 1 || ways[0].Event != name {
				t.Errorf("%q: %v, %v", name, ways, err)
			}
		}
		out, err := g.TryCommand("events", hostile[8])
		if err == nil {
			t.Errorf("an event of that id: %s", out)
		}
		harmless(t, "sparrow events of an unknown id", out)
	})
	t.Run("reconcile and views", func(t *testing.T) {
		for _, command := range [][]string{{"reconcile"}, {"reconcile", "--format", "json"}, {"views", "print"}, {"trackers", "list"}} {
			harmless(t, "sparrow "+strings.Join(command, " "), g.Command(command...))
		}
		checkCSV(t, g.Command("reconcile", "--format", "csv"))
	})
	t.Run("columns", func(t *testing.T) { checkColumns(t, g) })
	t.Run("tail", func(t *testing.T) {
		for _, tail := range []*harness.Tail{text, objects} {
			harness.Await(t, "sparrow tail to show every event", 30*time.Second, func() bool {
				return strings.Count(tail.Output(), "hostile-") >= len(hostile)
			})
			harmless(t, "sparrow tail", tail.Output())
			// One line an event: a line break in a name is none in the output.
			for line := range strings.Lines(tail.Output()) {
				if strings.Count(line, "hostile-")+strings.Count(line, "nudge") == 0 {
					t.Errorf("sparrow tail prints a line that is no event: %q", line)
				}
			}
		}
	})
	harmless(t, "the log", g.Log())
	harmless(t, "/metrics", g.Do(http.MethodGet, "/metrics", "").Body)
}

// harmless fails the test if a text could control a terminal.
func harmless(t *testing.T, where, text string) {
	t.Helper()
	for at, r := range text {
		if r != '\n' && (unicode.IsControl(r) || unicode.In(r, unicode.Cf)) {
			t.Errorf("%s prints %U to the terminal: %q", where, r, text[max(0, at-60):min(len(text), at+60)])
			return
		}
	}
}

// checkCSV: no cell is a formula, and none controls a terminal.
func checkCSV(t *testing.T, out string) {
	t.Helper()
	records, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	if err != nil || len(records) < 2 {
		t.Fatalf("%d records, %v: %s", len(records), err, out)
	}
	for _, record := range records {
		for _, cell := range record {
			if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
				t.Errorf("a spreadsheet takes a cell for a formula: %q", cell)
			}
			for _, r := range cell {
				if unicode.IsControl(r) && !strings.ContainsRune("\t\r\n", r) {
					t.Errorf("a cell holds %U: %q", r, cell)
					break
				}
			}
		}
	}
}

// checkColumns: each property of the plan has a column, whose values are right.
func checkColumns(t *testing.T, g *harness.Gateway) {
	described := g.Query(`select column_name from (describe raw_normalized)`)
	if len(described) < 7+len(hostile[:7]) {
		t.Errorf("the view has %d columns: %v", len(described), described)
	}
	for _, row := range described {
		name := row["column_name"].(string)
		if strings.ContainsFunc(name, func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
			t.Errorf("a column of the view is called %q", name)
		}
	}
	for _, name := range hostile[:7] {
		if rows := g.Query(`select * from raw_normalized where event = '` + strings.ReplaceAll(name, "'", "''") + `'`); len(rows) != 1 || !holds(rows[0], name) {
			t.Errorf("%q: no column holds the property: %v", name, rows)
		}
	}
}

// holds reports whether a column that belongs to a property has the value.
func holds(row map[string]any, value string) bool {
	for column, v := range row {
		if v == value && column != "event" && column != "deviceId" && column != "userId" {
			return true
		}
	}
	return false
}
