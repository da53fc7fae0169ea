package faults_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/test/harness"
)

const inputConfig = `environment: test
listen: "{{listen}}"
data: data
journal: { maxBytes: 256MiB, minFree: 0B }
sources:
  - { name: backend, keys: [` + serverKey + `] }
  - { name: site, keys: [pk_site_key], origins: ["https://www.example.com"] }
`

const good = `{"event":"counted","deviceId":"d","properties":{"n":1}}`

// input is a hostile request, and the intake's answer.
type input struct {
	name   string
	body   string
	header []string
	key    string // "" is the server's

	status int
	says   string // part of the answer
	kept   []string
	mark   string // of the context: "malformed", "invalid", or "" for a sound event
	binary bool   // kept as base64
}

func inputs(t *testing.T) []input {
	zip := []string{"Content-Encoding", "gzip"}
	list := []input{
		{name: "malformed", body: `{"event":"counted","deviceId"`, status: 400, says: "malformed", mark: "malformed"},
		{name: "text", body: "event=counted&deviceId=d", status: 400, says: "malformed", mark: "malformed"},
		{name: "NUL bytes", body: "{\"event\":\"a\x00b\",\"deviceId\":\"d\x00\"}", status: 400, says: "malformed", mark: "malformed"},
		{name: "only NUL bytes", body: "\x00\x00\x00", status: 400, says: "malformed", mark: "malformed"},
		{name: "neither JSON nor UTF-8", body: "\xff\xfe\x00\x80", status: 400, says: "malformed", mark: "malformed", binary: true},
		{name: "a million open brackets", body: strings.Repeat("[", 1_000_000), status: 400, says: "malformed", mark: "malformed"},
		{name: "not gzip", body: "\x1f\x8b" + good, header: zip, status: 400, says: "malformed", mark: "malformed", binary: true},
		{name: "gzip cut short", body: zipped(t, strings.Repeat(good, 50))[:30], header: zip, status: 400, says: "malformed", mark: "malformed", binary: true},

		{name: "a scalar", body: "42", status: 200, says: "must be a JSON object", mark: "invalid"},
		{name: "a text", body: `"counted"`, status: 200, says: "must be a JSON object", mark: "invalid"},
		{name: "invalid UTF-8", body: "{\"event\":\"counted\",\"deviceId\":\"d\",\"properties\":{\"note\":\"\xff\xfe\"}}", status: 200, says: "invalid UTF-8", mark: "invalid", binary: true},
		{name: "duplicate keys", body: `{"event":"counted","deviceId":"d","properties":{"n":1,"n":2}}`, status: 200, says: "duplicate name", mark: "invalid"},
		{name: "deep properties", body: `{"event":"counted","deviceId":"d","properties":{"n":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + `}}`, status: 200, says: "nested", mark: "invalid"},
		{name: "missing event", body: `{"deviceId":"d"}`, status: 200, says: "event: required", mark: "invalid"},
		{name: "a long name", body: `{"event":"` + strings.Repeat("x", 300) + `","deviceId":"d"}`, status: 200, says: "longer than 200", mark: "invalid"},
		{name: "properties an array", body: `{"event":"counted","deviceId":"d","properties":[1]}`, status: 200, says: "properties: must be an object", mark: "invalid"},
		{name: "an escaped NUL in a name", body: `{"event":"counted","deviceId":"d","properties":{"a\u0000b":1}}`, status: 200, says: "NUL", mark: "invalid"},

		{name: "huge numbers", body: `{"event":"counted","deviceId":"d","properties":{"n":12345678901234567890,"f":1.10,"e":1e999999,"z":-0.0}}`, status: 200, says: `{"accepted":1}`},
		{name: "its own order and white space", body: "{ \"properties\" : {\"z\":1,\n\t\"a\":2} , \"deviceId\":\"d\",\"event\":\"counted\" }", status: 200, says: `{"accepted":1}`},
		{name: "an unknown field", body: `{"event":"counted","deviceId":"d","colour":{"of":"no interest"}}`, status: 200, says: `{"accepted":1}`},
		{name: "gzip", body: zipped(t, good), header: zip, status: 200, says: `{"accepted":1}`, kept: []string{good}},
		{name: "a batch", body: "[" + good + ` , {"event":"x"},3]`, status: 200, says: `"accepted":3,"invalid":[{"index":1,`, kept: []string{good, `{"event":"x"}`, "3"}, mark: "mixed"},
		{name: "1,000 events", body: batch(1000), status: 200, says: `{"accepted":1000}`, kept: strings.Split(strings.Repeat(good+"\n", 999)+good, "\n")},

		{name: "5,000 events", body: batch(5000), status: 413, says: "the limit is 1000"},
		{name: "10 MB", body: `{"event":"` + strings.Repeat("x", 10<<20) + `"}`, status: 413, says: "send smaller batches"},
		{name: "an event of 70 kB", body: `{"event":"counted","deviceId":"d","properties":{"note":"` + strings.Repeat("x", 70<<10) + `"}}`, status: 413, says: "event 0 has"},
		{name: "a gzip bomb", body: bomb(t), header: zip, status: 413, says: "inflates to more than"},
		{name: "a million levels", body: zipped(t, strings.Repeat("[", 1_000_000)+strings.Repeat("]", 1_000_000)), header: zip, status: 413, says: "event 0 has"},
		{name: "nothing", body: "", status: 400, says: "empty"},
		{name: "an unknown key", body: good, key: "pk_of_nobody", status: 401, says: "key"},
		{name: "an origin of somebody else", body: good, key: "pk_site_key", header: []string{"Origin", "https://evil.example"}, status: 403, says: "origin"},
		{name: "another encoding", body: good, header: []string{"Content-Encoding", "br"}, status: 415, says: "gzip"},
		{name: "another type", body: good, header: []string{"Content-Type", "image/png"}, status: 415, says: "application/json"},
	}
	for i := range list {
		if in := &list[i]; in.kept == nil && (in.status == http.StatusOK || in.mark != "") {
			in.kept = []string{strings.TrimSpace(in.body)}
		}
	}
	return list
}

func zipped(t *testing.T, text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// bomb is 200 MiB of white space in 200 kB.
func bomb(t *testing.T) string {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	block := bytes.Repeat([]byte(" "), 1<<20)
	for range 200 {
		if _, err := w.Write(block); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func batch(n int) string { return "[" + strings.TrimSuffix(strings.Repeat(good+",", n), ",") + "]" }

// send posts an input; its request id marks what is kept of it.
func (in input) send(g *harness.Gateway, id string) harness.Answer {
	key := in.key
	if key == "" {
		key = serverKey
	}
	header := append([]string{"Content-Type", "application/json", "X-Request-Id", id}, in.header...)
	return g.Do(http.MethodPost, "/v1/events?key="+key, in.body, header...)
}

func TestHostileInputIsKeptInBoundedMemory(t *testing.T) {
	t.Parallel()
	g := harness.New(t, map[string]string{"sparrow.yaml": inputConfig, "plan.yaml": countedPlan}, "serve")
	g.Start()
	list := inputs(t)
	want := 0
	for i, in := range list {
		a := in.send(g, fmt.Sprintf("input-%d", i))
		if a.Status != in.status || !strings.Contains(a.Body, in.says) {
			t.Errorf("%s: status %d, want %d with %q: %.300s", in.name, a.Status, in.status, in.says, a.Body)
		}
		if a.Header.Get("X-Request-Id") != fmt.Sprintf("input-%d", i) || !json.Valid([]byte(a.Body)) {
			t.Errorf("%s: request id %q, answer %.100s", in.name, a.Header.Get("X-Request-Id"), a.Body)
		}
		want += len(in.kept)
	}
	g.Await("what is to be kept", time.Minute, func() bool {
		return harness.Number(g.Query("select count(*) as n from raw")[0], "n") >= want
	})
	checkKept(t, g, list)
	t.Run("a body that ends early", func(t *testing.T) { checkCutOff(t, g) })
	t.Run("all at once", func(t *testing.T) { checkMemory(t, g, list) })
	if log := g.Log(); strings.Contains(log, "panic") || strings.Contains(log, `"level":"ERROR"`) {
		t.Errorf("the log tells of a fault of ours:\n%s", linesWith(log, `"level":"ERROR"`))
	}
}

// checkKept compares raw with what was sent, byte for byte.
func checkKept(t *testing.T, g *harness.Gateway, list []input) {
	t.Helper()
	type seen struct {
		RequestID, Malformed, Invalid, Encoding string
	}
	got := map[string][]string{}
	contexts := map[string][]seen{}
	for _, row := range g.Query(`select data, context from raw order by epoch, seq, idx`) {
		var c seen
		if err := json.Unmarshal([]byte(row["context"].(string)), &c); err != nil {
			t.Fatalf("context: %v", err)
		}
		data := row["data"].(string)
		if c.Encoding == "base64" {
			plain, err := base64.StdEncoding.DecodeString(data)
			if err != nil {
				t.Errorf("%s is marked as base64: %v", c.RequestID, err)
			}
			data = string(plain)
		}
		got[c.RequestID] = append(got[c.RequestID], data)
		contexts[c.RequestID] = append(contexts[c.RequestID], c)
	}
	for i, in := range list {
		id := fmt.Sprintf("input-%d", i)
		if len(got[id]) != len(in.kept) {
			t.Errorf("%s: raw keeps %d rows, want %d", in.name, len(got[id]), len(in.kept))
			continue
		}
		for j, data := range got[id] {
			if data != in.kept[j] {
				t.Errorf("%s: raw keeps %.200q, sent was %.200q", in.name, data, in.kept[j])
			}
			c := contexts[id][j]
			if (c.Encoding == "base64") != in.binary {
				t.Errorf("%s: encoding %q", in.name, c.Encoding)
			}
			if in.mark != "mixed" && ((c.Malformed != "") != (in.mark == "malformed") || (c.Invalid != "") != (in.mark == "invalid")) {
				t.Errorf("%s: marked malformed %q, invalid %q; want %q", in.name, c.Malformed, c.Invalid, in.mark)
			}
		}
	}
}

// checkCutOff sends less than was announced.
func checkCutOff(t *testing.T, g *harness.Gateway) {
	conn, err := net.Dial("tcp", strings.TrimPrefix(g.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST /v1/events?key=%s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nX-Request-Id: cut-off\r\nContent-Length: 1000\r\n\r\n%s", serverKey, good)
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil || !bytes.HasPrefix(answer, []byte("HTTP/1.1 400 ")) || !bytes.Contains(answer, []byte("announced length")) {
		t.Errorf("answer %q, %v", answer, err)
	}
}

// checkMemory sends the inputs at the same time and checks the peak memory of the
// process: eight bombs at a time would inflate to 1.6 GB.
func checkMemory(t *testing.T, g *harness.Gateway, list []input) {
	var senders sync.WaitGroup
	for range 8 {
		senders.Go(func() {
			for range 2 {
				for _, in := range list {
					if a := in.send(g, "crowd"); a.Status != in.status && a.Status != http.StatusServiceUnavailable {
						t.Errorf("%s: status %d beside others, want %d: %.200s", in.name, a.Status, in.status, a.Body)
					}
				}
			}
		})
	}
	senders.Wait()
	peak := g.PeakMemory()
	t.Logf("the process has held %d MiB at most", peak>>20)
	if peak > 1<<30 {
		t.Errorf("the process has held %d MiB", peak>>20)
	}
	if a := g.Do(http.MethodGet, "/readyz", ""); a.Status != http.StatusOK {
		t.Errorf("/readyz answers %d", a.Status)
	}
}
