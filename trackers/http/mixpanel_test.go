package http_test

import (
	"encoding/json"
	"fmt"
	nethttp "net/http"
	"slices"
	"strings"
	"testing"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/tracker"
	"github.com/sparrow-edge/sparrow/pkg/tracker/trackertest"
	"github.com/sparrow-edge/sparrow/pkg/tracker/vendortest"
)

// mixpanel holds requests against the rules of /import with strict=1
// (developer.mixpanel.com/reference/import-events).
type mixpanel struct {
	faults []string
	count  int
}

func (m *mixpanel) broken() []string { return m.faults }
func (m *mixpanel) stored() int      { return m.count }

type failedRecord struct {
	Index    int    `json:"index"`
	InsertID string `json:"$insert_id"`
	Field    string `json:"field"`
	Message  string `json:"message"`
}

// ServeHTTP stores the valid records and names the others with a 400.
func (m *mixpanel) ServeHTTP(w nethttp.ResponseWriter, r *nethttp.Request) {
	body := new(strings.Builder)
	_, _ = fmt.Fprint(body, readAll(r))
	refuse := func(status int, what string) {
		m.faults = append(m.faults, what)
		nethttp.Error(w, `{"code":`+fmt.Sprint(status)+`,"error":"`+what+`","status":"Bad Request"}`, status)
	}
	user, _, basic := r.BasicAuth()
	var records []map[string]any
	switch {
	case r.Method != nethttp.MethodPost || r.URL.Path != "/import":
		refuse(404, "not found")
		return
	case !basic || user == "":
		refuse(401, "unauthorized")
		return
	case r.URL.Query().Get("strict") != "1" || r.URL.Query().Get("project_id") == "":
		refuse(400, "strict and project_id")
		return
	case r.Header.Get("Content-Type") != "application/json":
		refuse(400, "content type")
		return
	case body.Len() > 10<<20:
		refuse(413, "request exceeds max limit of 10485760 bytes")
		return
	case vendortest.Decode([]byte(body.String()), &records) != nil || len(records) == 0 || len(records) > 2000:
		refuse(400, "records")
		return
	}
	var failed []failedRecord
	for i, record := range records {
		if field, message := mixpanelFault(record); message != "" {
			failed = append(failed, failedRecord{Index: i, Field: field, Message: message})
			m.faults = append(m.faults, field+": "+message)
		}
	}
	m.count += len(records) - len(failed)
	answer := map[string]any{"code": 200, "num_records_imported": len(records) - len(failed), "status": "OK"}
	if len(failed) > 0 {
		w.WriteHeader(nethttp.StatusBadRequest)
		answer["code"], answer["status"], answer["failed_records"] = 400, "Bad Request", failed
	}
	_ = json.NewEncoder(w).Encode(answer)
}

func mixpanelFault(record map[string]any) (field, message string) {
	name, _ := record["event"].(string)
	properties, _ := record["properties"].(map[string]any)
	if name == "" || len([]rune(name)) > 255 {
		return "event", "required, at most 255 characters"
	}
	at, _ := properties["time"].(json.Number)
	if ms, err := at.Int64(); err != nil || ms < 31_536_000_000 || ms > 1795250000000+3_600_000 {
		return "properties.time", "not milliseconds after 1971 and within the next hour"
	}
	for _, id := range []string{"distinct_id", "$insert_id", "$user_id", "$device_id"} {
		v, there := properties[id]
		text, isText := v.(string)
		if (there || id == "distinct_id" || id == "$insert_id") && (!isText || text == "" || mixpanelRefuses(text)) {
			return "properties." + id, "not an id"
		}
	}
	insert, _ := properties["$insert_id"].(string)
	if len(insert) > 36 || strings.ContainsFunc(insert, func(r rune) bool {
		return r != '-' && (r < '0' || r > '9') && (r|0x20 < 'a' || r|0x20 > 'z')
	}) {
		return "properties.$insert_id", "want at most 36 of A-Z, a-z, 0-9 and -"
	}
	if _, there := properties["$ignore"]; there {
		return "properties.$ignore", "would drop the record silently"
	}
	if _, there := properties["ip"]; !there {
		return "properties.ip", "missing: this server would be located"
	}
	if len(properties) > 254 || !mixpanelFits(properties, 3) {
		return "properties", "too many, too deep or too long"
	}
	if text, err := json.Marshal(record); err != nil || len(text) >= 1<<20 {
		return "", "1 MB or more"
	}
	return "", ""
}

// mixpanelFits: fewer than 255 keys and elements, strings of 255 characters, so
// many levels.
func mixpanelFits(v any, depth int) bool {
	switch v := v.(type) {
	case string:
		return len([]rune(v)) <= 255
	case []any:
		return depth > 0 && len(v) <= 254 && !slices.ContainsFunc(v, func(e any) bool { return !mixpanelFits(e, depth-1) })
	case map[string]any:
		if depth == 0 || len(v) > 254 {
			return false
		}
		for _, e := range v {
			if !mixpanelFits(e, depth-1) {
				return false
			}
		}
	}
	return true
}

func mixpanelRefuses(id string) bool {
	return slices.Contains([]string{"00000000-0000-0000-0000-000000000000", "anon", "anonymous", "nil", "none", "null", "n/a", "na",
		"undefined", "unknown", "<nil>", "0", "-1", "true", "false", "[]", "{}"}, strings.ToLower(id))
}

// With strict=1 Mixpanel stores the valid records of a request that it answers
// with 400: only those that it names are lost.
func TestMixpanelNamesWhatItRefuses(t *testing.T) {
	built, _ := build(t, example(t, "mixpanel"))
	batch := []event.Event{trackertest.Track(), trackertest.Track(), trackertest.Track()}
	requests, _ := built.Requests(batch)
	spoilt := requests[0]
	spoilt.Body = []byte(strings.Replace(string(spoilt.Body), `"distinct_id":"user-48213"`, `"distinct_id":"null"`, 1))
	m := &mixpanel{}
	verdicts := built.Judge(spoilt, trackertest.Perform(m, spoilt))
	if m.count != 2 || verdicts[0].Action != tracker.Reject || verdicts[0].Reason != "Mixpanel refuses the record" ||
		verdicts[1].Action != tracker.Deliver || verdicts[2].Action != tracker.Deliver {
		t.Errorf("stored %d, verdicts %+v", m.count, verdicts)
	}
}
