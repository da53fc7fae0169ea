package dispatcher_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

// TestExactBytes checks that events are kept as they were sent: numbers, order,
// white space, unknown fields, escapes.
func TestExactBytes(t *testing.T) {
	odd := []string{
		`{"n":12345678901234567890,"f":1.10,"event":"e","deviceId":"d"}`,
		"{ \"deviceId\" :\t\"d\",\r\n  \"event\":\"\\u0065\\/\" , \"x\": [ 1e5 ,-0.0, null ] }",
		`{"event":"é😀","deviceId":"d","unknown":{"z":1,"a":2}}`,
		`{"not":"an event"}`,
		"\"\xff\"",
		`12345678901234567890.10`,
	}
	for name, body := range map[string]string{
		"array":    " [\n" + strings.Join(odd, " ,\t") + " ] \n",
		"envelope": `{ "events" : [` + strings.Join(odd, "\n,") + `] , "sentAt" : "2026-01-31T12:00:00Z" }`,
	} {
		for _, compressed := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				g := newGateway(t, testConfig())
				var options []option
				if compressed {
					body, options = zipped(t, body), []option{header("Content-Encoding", "gzip")}
				}
				if a := g.post(t, body, options...); a.status != http.StatusOK {
					t.Fatalf("answer %d %s", a.status, a.body)
				}
				var got []string
				for _, r := range g.log.all() {
					got = append(got, string(r.Data))
				}
				if diff := cmp.Diff(odd, got); diff != "" {
					t.Errorf("want -, kept +\n%s", diff)
				}
			})
		}
	}
	for _, one := range odd {
		g := newGateway(t, testConfig())
		g.post(t, "\n "+one+"\r\n\t ")
		if r := g.log.all(); len(r) != 1 || string(r[0].Data) != one {
			t.Errorf("kept %v of %q", r, one)
		}
	}
}

// TestOneAppend checks that a request is one append, so that it is stored whole
// or not at all.
func TestOneAppend(t *testing.T) {
	g := newGateway(t, testConfig())
	g.post(t, events(500))
	g.post(t, "[]")
	if g.log.appends != 1 || len(g.log.all()) != 500 {
		t.Errorf("%d appends of %d records", g.log.appends, len(g.log.all()))
	}
}

// TestIdentity checks ids: the client's when it keeps the contract, else a
// UUIDv7 for each record.
func TestIdentity(t *testing.T) {
	g := newGateway(t, testConfig())
	g.post(t, `[{"event":"e","deviceId":"d","eventId":"mine"},{"event":"e","deviceId":"d"},{"event":"e","deviceId":"d","eventId":null},{"eventId":"kept, though invalid"},{"eventId":""},7]`)
	records := g.log.all()
	seen := map[string]bool{}
	for i, r := range records {
		if seen[r.EventID] {
			t.Errorf("id %s twice", r.EventID)
		}
		seen[r.EventID] = true
		switch i {
		case 0, 3:
			if want := []string{"mine", "", "", "kept, though invalid"}[i]; r.EventID != want {
				t.Errorf("record %d has id %q, want %q", i, r.EventID, want)
			}
		default:
			if !isUUID7(r.EventID) {
				t.Errorf("record %d has id %q, not a UUIDv7", i, r.EventID)
			}
			seconds, nanoseconds := uuid.MustParse(r.EventID).Time().UnixTime()
			if made := time.Unix(seconds, nanoseconds); made.Sub(r.ReceivedAt).Abs() > time.Second {
				t.Errorf("record %d, received at %v, has an id of %v", i, r.ReceivedAt, made)
			}
		}
	}
}
