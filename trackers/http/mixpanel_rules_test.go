package http_test

import (
	"cmp"
	"fmt"
	nethttp "net/http"
	"strings"
	"testing"

	"github.com/sparrow-edge/sparrow/pkg/tracker"
	"github.com/sparrow-edge/sparrow/pkg/tracker/trackertest"
)

// mixpanelRule is one rule that Mixpanel states, where (the import-events page of
// developer.mixpanel.com/reference, by section), and a request that breaks it.
// What a row leaves out is sound.
type mixpanelRule struct {
	name, place, body        string
	method, url, contentType string
	authorization            string
	status                   int // 0 is 400
}

const soundRecord = `{"event":"a","properties":{"time":1795166102417,"distinct_id":"u","$insert_id":"i-1","ip":"0"}}`

func mixpanelRules() []mixpanelRule {
	const record, limits, idPlace = "import-events: event object", "import-events: limits and common issues", "import-events: propDistinctID, disallowed values"
	sound := "[" + soundRecord + "]"
	change := func(from, to string) string { return strings.Replace(sound, from, to, 1) }
	more := func(properties string) string { return change(`"ip":"0"`, `"ip":"0",`+properties) }
	rules := []mixpanelRule{
		{name: "GET", place: "import-events: endpoint", method: "GET", body: sound, status: 404},
		{name: "another path", place: "import-events: endpoint", url: "https://api.mixpanel.com/track?strict=1&project_id=1", body: sound, status: 404},
		{name: "no credentials", place: "import-events: authentication", authorization: "none", body: sound, status: 401},
		{name: "not strict", place: "import-events: strict", url: "https://api.mixpanel.com/import?project_id=1", body: sound},
		{name: "no project", place: "import-events: project_id", url: "https://api.mixpanel.com/import?strict=1", body: sound},
		{name: "content type", place: "import-events: content type", contentType: "text/plain", body: sound},
		{name: "over 10 MB", place: limits, body: "[" + strings.Repeat(" ", 10<<20) + soundRecord + "]", status: 413},
		{name: "2001 records", place: limits, body: "[" + strings.TrimSuffix(strings.Repeat(soundRecord+",", 2001), ",") + "]"},
		{name: "no records", place: record, body: "[]"},
		{name: "not JSON", place: record, body: "["},
		{name: "one record without array", place: record, body: soundRecord},
		{name: "no event", place: record, body: change(`"event":"a",`, "")},
		{name: "event too long", place: limits, body: change(`"a"`, `"`+strings.Repeat("a", 256)+`"`)},
		{name: "time a text", place: "import-events: propTime", body: change("1795166102417", `"2026-11-20"`)},
		{name: "time in seconds", place: "import-events: propTime", body: change("1795166102417", "1795166102")},
		{name: "time before 1971", place: "import-events: propTime", body: change("1795166102417", "31535999999")},
		{name: "time tomorrow", place: "import-events: propTime", body: change("1795166102417", "1795366102417")},
		{name: "no distinct_id", place: "import-events: propDistinctID", body: change(`"distinct_id":"u",`, "")},
		{name: "no insert_id", place: "import-events: propInsertID", body: change(`"$insert_id":"i-1",`, "")},
		{name: "insert_id of 37", place: "import-events: propInsertID", body: change("i-1", strings.Repeat("i", 37))},
		{name: "insert_id with a dot", place: "import-events: propInsertID", body: change("i-1", "i.1")},
		{name: "the server located", place: "import-events: ip", body: change(`,"ip":"0"`, "")},
		{name: "ignored silently", place: "import-events: $ignore", body: more(`"$ignore":true`)},
		{name: "four levels", place: limits, body: more(`"a":{"b":{"c":{}}}`)},
		{name: "a text of 256", place: limits, body: more(`"a":"` + strings.Repeat("x", 256) + `"`)},
		{name: "255 elements", place: limits, body: more(`"a":[` + strings.TrimSuffix(strings.Repeat("1,", 255), ",") + `]`)},
		{name: "255 keys in an object", place: limits, body: more(`"a":{` + strings.TrimPrefix(numbered(255), ",") + `}`)},
		{name: "255 properties", place: limits, body: more(strings.TrimPrefix(numbered(251), ","))},
		{name: "a record of 1 MB", place: limits, body: more(huge())},
	}
	for _, word := range []string{
		"00000000-0000-0000-0000-000000000000", "anon", "anonymous", "nil", "none", "null", "n/a", "na", "undefined", "unknown", "<nil>",
		"0", "-1", "true", "false", "[]", "{}", "Anonymous", "",
	} {
		rules = append(rules,
			mixpanelRule{name: "distinct_id " + word, place: idPlace, body: change(`"u"`, `"`+word+`"`)},
			mixpanelRule{name: "insert_id " + word, place: "import-events: propInsertID, disallowed values", body: change("i-1", word)})
	}
	return rules
}

// huge is members that are short and few, and larger than a record together.
func huge() string {
	list := "[" + strings.TrimSuffix(strings.Repeat(`"`+strings.Repeat("x", 255)+`",`, 254), ",") + "]"
	var b strings.Builder
	for i := range 17 {
		fmt.Fprintf(&b, `"l%d":%s,`, i, list)
	}
	return strings.TrimSuffix(b.String(), ",")
}

func numbered(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `,"p%d":1`, i)
	}
	return b.String()
}

func (r mixpanelRule) request() tracker.Request {
	return tracker.Request{
		Method: cmp.Or(r.method, nethttp.MethodPost), URL: cmp.Or(r.url, "https://api.mixpanel.com/import?strict=1&project_id=1"), Body: []byte(r.body),
		Header: nethttp.Header{"Content-Type": {cmp.Or(r.contentType, "application/json")}, "Authorization": {cmp.Or(r.authorization, "Basic cm9ib3Q6eA==")}},
	}
}

// Each rule of the stand-in bites, so that taking everything means something.
func TestMixpanelsRulesBite(t *testing.T) {
	for _, r := range mixpanelRules() {
		if r.place == "" {
			t.Errorf("%s: without a place", r.name)
		}
		t.Run(r.name+" ("+r.place+")", func(t *testing.T) {
			m := &mixpanel{}
			if resp := trackertest.Perform(m, r.request()); resp.Status != cmp.Or(r.status, 400) || m.count != 0 || len(m.faults) != 1 {
				t.Errorf("status %d, stored %d, %q", resp.Status, m.count, m.faults)
			}
		})
	}
	m := &mixpanel{}
	if resp := trackertest.Perform(m, mixpanelRule{body: "[" + soundRecord + "]"}.request()); resp.Status != 200 || m.count != 1 {
		t.Errorf("a sound record: status %d, %v", resp.Status, m.faults)
	}
}
