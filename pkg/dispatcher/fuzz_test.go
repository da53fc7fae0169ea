package dispatcher_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/go-chi/chi/v5"

	"github.com/sparrow-edge/sparrow/pkg/dispatcher"
)

// FuzzDispatch sends any body: the answer is one of the table's, and what it
// says is what was appended.
func FuzzDispatch(f *testing.F) {
	for _, s := range scenarios(f) {
		if len(s.body) < 4096 {
			f.Add([]byte(s.body), false)
			f.Add([]byte(zipped(f, s.body)), true)
		}
	}
	f.Fuzz(func(t *testing.T, body []byte, compressed bool) {
		log := &memoryLog{}
		d, err := dispatcher.New(testConfig(), log, dispatcher.Options{})
		if err != nil {
			t.Fatal(err)
		}
		router := chi.NewRouter()
		d.Mount(router, "/s")
		r := httptest.NewRequest(http.MethodPost, "/s/e?key="+siteKey, bytes.NewReader(body))
		if compressed {
			r.Header.Set("Content-Encoding", "gzip")
		}
		w := httptest.NewRecorder()
		router.ServeHTTP(w, r)
		var a answer
		if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil {
			t.Fatalf("answer %q: %v", w.Body, err)
		}
		records := log.all()
		switch {
		case w.Code == 200:
			if a.Accepted == nil || *a.Accepted != len(records) {
				t.Fatalf("%s, %d records", w.Body, len(records))
			}
		case w.Code == 400 && a.Code == "malformed":
			if len(records) != 1 || records[0].Context.Malformed == "" {
				t.Fatalf("%s, records %+v", w.Body, records)
			}
		case w.Code == 400 && a.Code == "empty", w.Code == 413:
			if len(records) != 0 {
				t.Fatalf("%s, %d records", w.Body, len(records))
			}
		default:
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		body = bytes.TrimPrefix(body, []byte("\ufeff"))
		if bytes.HasPrefix(body, []byte{0x1f, 0x8b}) || len(body) == 0 {
			return
		}
		if valid := json.Valid(body); valid && w.Code == 400 || !valid && w.Code == 200 && !bytes.Contains(body, bytes.Repeat([]byte("["), 100)) {
			t.Fatalf("valid JSON: %v, answer %d %s", valid, w.Code, w.Body)
		}
		rest := body
		for _, record := range records {
			i := bytes.Index(rest, record.Data)
			if i < 0 || len(record.Data) == 0 {
				t.Fatalf("record %q is not in the body, in order", record.Data)
			}
			rest = rest[i+len(record.Data):]
		}
	})
}
