package report_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/sparrow-edge/sparrow/pkg/fault"
	"github.com/sparrow-edge/sparrow/pkg/report"
	"github.com/sparrow-edge/sparrow/pkg/secret"
)

const fakeDSN = "https://0123456789abcdef@sentry.example/42"

// vendorRefusal is an incident with everything in it, and much that must not leave.
func vendorRefusal() fault.Incident {
	return fault.Incident{
		Component: "lane", Tracker: "amplitude", Class: "http 500", Err: errors.New("vendor answered 500, key hunter2/secret"),
		Receipts: []string{"e1-7-0", "e1-7-1"}, Attempt: 3,
		Method: "POST", URL: "https://bob:pw@vendor.example/2/httpapi?api_secret=query-secret#frag",
		RequestHeader:  http.Header{"Content-Type": {"application/json"}, "Authorization": {"Bearer abc"}, "X-Api-Key": {"k"}, "Cookie": {"sid=1"}},
		RequestBody:    []byte(`{"api_key":"hunter2/secret","event":"pageview"}`),
		Status:         500,
		ResponseHeader: http.Header{"Retry-After": {"30"}, "Set-Cookie": {"sid=2"}, "Server": {"hunter2/secret"}},
		ResponseBody:   []byte("it broke: hunter2%2Fsecret?" + strings.Repeat("x", 9000)),
	}
}

func TestSentryEventHasAllAndNoSecrets(t *testing.T) {
	sentry := newFakeSentry()
	dsn := sentry.serve(t, nil)
	r, stop := start(t, report.Config{DSN: secret.Value(dsn), Environment: "staging"}, report.Options{Release: "v1.2.3", Secrets: []string{"hunter2/secret", "", "500"}})
	r.Report(vendorRefusal())
	stop()

	events := sentry.seen(t)
	if len(events) != 1 {
		t.Fatalf("%d events, want 1", len(events))
	}
	e := events[0]
	want := map[string]string{"component": "lane", "tracker": "amplitude", "class": "http 500", "status": "500"}
	if diff := cmp.Diff(want, e.Tags); diff != "" {
		t.Errorf("tags (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"lane", "amplitude", "http 500"}, e.Fingerprint); diff != "" {
		t.Errorf("fingerprint (-want +got):\n%s", diff)
	}
	if e.Environment != "staging" || e.Release != "v1.2.3" || e.Level != "error" || e.Message != "vendor answered 500, key [secret]" {
		t.Errorf("environment %q, release %q, level %q, message %q", e.Environment, e.Release, e.Level, e.Message)
	}
	if e.Request.Method != "POST" || e.Request.URL != "https://vendor.example/2/httpapi" || e.Request.Data != `{"api_key":"[secret]","event":"pageview"}` {
		t.Errorf("request %+v", e.Request)
	}
	if diff := cmp.Diff(map[string]string{"Content-Type": "application/json"}, e.Request.Headers); diff != "" {
		t.Errorf("request headers (-want +got):\n%s", diff)
	}
	response := e.Contexts["response"]
	if diff := cmp.Diff(map[string]any{"Retry-After": "30", "Server": "[secret]"}, response["headers"]); diff != "" {
		t.Errorf("response headers (-want +got):\n%s", diff)
	}
	if body, _ := response["data"].(string); len(body) != 8<<10 || !strings.HasPrefix(body, "it broke: ") {
		t.Errorf("response body has %d bytes: %.40q", len(body), body)
	}
	if diff := cmp.Diff(map[string]any{"attempt": 3.0, "receipts": []any{"e1-7-0", "e1-7-1"}}, e.Contexts["incident"]); diff != "" {
		t.Errorf("incident (-want +got):\n%s", diff)
	}
	if len(e.Exception) != 1 || e.Exception[0].Type != "lane amplitude: http 500" {
		t.Fatalf("exception %+v", e.Exception)
	}
	frames := e.Exception[0].Stacktrace.Frames
	if last := frames[len(frames)-1]; last.Function != "TestSentryEventHasAllAndNoSecrets" || !strings.HasSuffix(last.Filename, "pkg/report_test/reporter_test.go") || last.Lineno == 0 {
		t.Errorf("innermost frame %+v", last)
	}
}

func TestNothingElseIsCollected(t *testing.T) {
	t.Setenv("SENTRY_ENVIRONMENT", "from-the-environment")
	t.Setenv("SENTRY_RELEASE", "from-the-environment")
	sentry := newFakeSentry()
	r, stop := start(t, report.Config{DSN: secret.Value(sentry.serve(t, nil))}, report.Options{Secrets: []string{"hunter2/secret"}})
	r.Report(vendorRefusal())
	stop()

	e := sentry.seen(t)[0]
	if e.ServerName != "" || len(e.Modules) > 0 || len(e.User) > 0 || len(e.Breadcrumbs) > 0 || len(e.Request.Env) > 0 || e.Environment != "" {
		t.Errorf("collected without being asked: %+v", e)
	}
	for _, f := range e.Exception[0].Stacktrace.Frames {
		if f.AbsPath != "" || strings.HasPrefix(f.Filename, "/") {
			t.Errorf("a build path left: %+v", f)
		}
	}
	raw := sentry.raw.String()
	for _, secret := range []string{"hunter2", "query-secret", "Bearer", "X-Api-Key", "sid=", "bob", "frag", "from-the-environment"} {
		if strings.Contains(raw, secret) {
			t.Errorf("%q left the process", secret)
		}
	}
}

func TestTenInFullThenASummary(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sentry := newFakeSentry()
		r, stop := start(t, report.Config{DSN: fakeDSN}, report.Options{Transport: sentry})
		for minute := range 2 {
			for i := range 25 {
				r.Report(fault.Incident{Component: "lane", Tracker: "ga4", Class: "timeout", Err: errors.New("slow"), Receipts: []string{fmt.Sprintf("e1-%d-%d", minute, i)}})
			}
			r.Report(fault.Incident{Component: "loader", Class: "load batch", Err: errors.New("disk")})
			time.Sleep(time.Minute)
			synctest.Wait()
		}
		stop()

		var full, summaries, loader []envelopeEvent
		for _, e := range sentry.seen(t) {
			switch {
			case e.Tags["component"] == "loader":
				loader = append(loader, e)
			case e.Contexts["summary"] != nil:
				summaries = append(summaries, e)
			default:
				full = append(full, e)
			}
		}
		if len(full) != 20 || len(loader) != 2 || len(summaries) != 2 {
			t.Fatalf("%d in full, %d of the loader, %d summaries; want 20, 2, 2", len(full), len(loader), len(summaries))
		}
		for minute, s := range summaries {
			sum := s.Contexts["summary"]
			prefix := "e1-" + strconv.Itoa(minute)
			if sum["count"] != 25.0 || sum["shown"] != 10.0 || sum["first_receipt"] != prefix+"-0" || sum["last_receipt"] != prefix+"-24" {
				t.Errorf("summary of minute %d: %v", minute, sum)
			}
			if diff := cmp.Diff(full[0].Fingerprint, s.Fingerprint); diff != "" {
				t.Errorf("the summary is in another group (-full +summary):\n%s", diff)
			}
			if s.Message != "lane ga4: timeout: 25 incidents, 10 of them in full" {
				t.Errorf("summary message %q", s.Message)
			}
		}
	})
}

func TestGroupsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sentry := newFakeSentry()
		registry := prometheus.NewPedanticRegistry()
		r, stop := start(t, report.Config{DSN: fakeDSN}, report.Options{Transport: sentry, Registerer: registry})
		for i := range 1000 {
			r.Report(fault.Incident{Component: "lane", Class: "class " + strconv.Itoa(i), Err: errors.New("x")})
		}
		stop()

		prints := map[string]int{}
		var others uint64
		for _, e := range sentry.seen(t) {
			prints[strings.Join(e.Fingerprint, "/")]++
			if sum := e.Contexts["summary"]; sum != nil {
				others += uint64(sum["count"].(float64))
			}
		}
		if len(prints) != 257 || others != 1000-256 || prints["(other)//(other)"] != 11 {
			t.Errorf("%d groups, %d in the overflow summary, %d of the overflow group; want 257, 744, 11", len(prints), others, prints["(other)//(other)"])
		}
		if n := len(series(t, registry, "sparrow_report_incidents_total")); n > 257 {
			t.Errorf("%d series of incidents; want at most 257", n)
		}
	})
}

func TestFloodIsBoundedAndCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sentry := newFakeSentry()
		r, err := report.New(report.Config{DSN: fakeDSN}, report.Options{Transport: sentry})
		if err != nil {
			t.Fatal(err)
		}
		// Nobody delivers yet: the queue fills and Report still returns.
		var callers sync.WaitGroup
		for c := range 10 {
			callers.Go(func() {
				for i := range 10_000 {
					r.Report(fault.Incident{Component: "lane", Tracker: "t" + strconv.Itoa(c), Class: "c" + strconv.Itoa(i%20), Err: errors.New("flood")})
				}
			})
		}
		callers.Wait()
		run(t, r)

		var full, counted, shown uint64
		for _, e := range sentry.seen(t) {
			sum := e.Contexts["summary"]
			if sum == nil {
				full++
				continue
			}
			counted += uint64(sum["count"].(float64))
			shown += uint64(sum["shown"].(float64))
		}
		if counted != 100_000 || shown != full || full > 512 {
			t.Errorf("summaries count %d incidents and %d in full; %d arrived in full; want 100000 and equal, at most 512", counted, shown, full)
		}
	})
}

func TestLogHasTheSameContent(t *testing.T) {
	var out bytes.Buffer
	r, stop := start(t, report.Config{}, report.Options{Logger: slog.New(slog.NewJSONHandler(&out, nil)), Secrets: []string{"hunter2/secret"}})
	for range 12 {
		r.Report(vendorRefusal())
	}
	stop()

	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 11 {
		t.Fatalf("%d lines, want 10 incidents and a summary", len(lines))
	}
	var line struct {
		Level, Msg, Component, Tracker, Class, Err string
		Attempt                                    int
		Receipts, Stack                            []string
		Request                                    struct {
			Method, URL, Body string
			Headers           map[string]string
		}
		Response struct {
			Status  int
			Body    string
			Headers map[string]string
		}
	}
	if err := json.Unmarshal([]byte(lines[0]), &line); err != nil {
		t.Fatal(err)
	}
	if line.Msg != "incident" || line.Level != "ERROR" || line.Component != "lane" || line.Tracker != "amplitude" || line.Class != "http 500" ||
		line.Err != "vendor answered 500, key [secret]" || line.Attempt != 3 || len(line.Receipts) != 2 {
		t.Errorf("line %+v", line)
	}
	if line.Request.Method != "POST" || line.Request.URL != "https://vendor.example/2/httpapi" || line.Request.Body == "" || line.Request.Headers["Content-Type"] == "" ||
		line.Response.Status != 500 || len(line.Response.Body) != 8<<10 || line.Response.Headers["Retry-After"] != "30" {
		t.Errorf("exchange of %+v", line)
	}
	if len(line.Stack) == 0 || !strings.Contains(line.Stack[0], "TestLogHasTheSameContent") {
		t.Errorf("stack %q", line.Stack)
	}
	for _, secret := range []string{"hunter2", "query-secret", "Bearer", "sid="} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("%q is in the log", secret)
		}
	}
	var sum struct {
		Msg, Last_receipt string
		Count, Shown      int
	}
	if err := json.Unmarshal([]byte(lines[10]), &sum); err != nil {
		t.Fatal(err)
	}
	if sum.Msg != "incidents summary" || sum.Count != 12 || sum.Shown != 10 || sum.Last_receipt != "e1-7-1" {
		t.Errorf("summary %+v", sum)
	}
}

func TestSecretAcrossTheCutIsFound(t *testing.T) {
	var out bytes.Buffer
	r, stop := start(t, report.Config{}, report.Options{Logger: slog.New(slog.NewJSONHandler(&out, nil)), Secrets: []string{"hunter2/secret", "hunter2/secret-longer"}})
	i := vendorRefusal()
	i.Err = errors.New(strings.Repeat("m", 2040) + "hunter2/secret-longer")
	i.ResponseBody = []byte(strings.Repeat("y", 8<<10-5) + "hunter2/secret-longer and more")
	r.Report(i)
	stop()
	if strings.Contains(out.String(), "hunte") || strings.Contains(out.String(), "longer") {
		t.Error("a part of a secret is in the log")
	}
}

// run lets a reporter deliver what it has.
func run(t *testing.T, r *report.Reporter) {
	t.Helper()
	if err := r.Run(ended(t)); err != nil {
		t.Errorf("Run: %v", err)
	}
}

func TestObserveDoesNotKeepTheCallersMemory(t *testing.T) {
	var out bytes.Buffer
	r, err := report.New(report.Config{}, report.Options{Logger: slog.New(slog.NewJSONHandler(&out, nil))})
	if err != nil {
		t.Fatal(err)
	}
	i := vendorRefusal()
	i.RequestBody = []byte("as it was")
	r.Report(i)
	copy(i.RequestBody, "altered!!")
	i.Receipts[0] = "altered"
	i.RequestHeader["Content-Type"][0] = "altered"
	run(t, r)
	if strings.Contains(out.String(), "altered") || !strings.Contains(out.String(), "as it was") {
		t.Errorf("reported %s", out.String())
	}
}

func TestZeroAndNilAreFine(t *testing.T) {
	r, err := report.New(report.Config{}, report.Options{})
	if err != nil {
		t.Fatal(err)
	}
	r.Report(fault.Incident{})
	r.Report(fault.Incident{URL: "::not a url\x00", RequestBody: []byte{0xff}, ResponseHeader: http.Header{"Server": {"\xff"}}})
	run(t, r)
}

func TestConfigCheck(t *testing.T) {
	for name, c := range map[string]struct {
		dsn  string
		want string
	}{
		"none":                 {"", ""},
		"https":                {fakeDSN, ""},
		"loopback":             {"http://secretkey@127.0.0.1:9/1", ""},
		"loopback name":        {"http://secretkey@localhost:9/1", ""},
		"IPv6 loopback":        {"http://secretkey@[::1]:9/1", ""},
		"plain":                {"http://secretkey@sentry.example/1", "use https"},
		"looks like loopback":  {"http://secretkey@127.0.0.1.example/1", "use https"},
		"no key":               {"https://sentry.example/1", "not a Sentry DSN"},
		"no project":           {"https://secretkey@sentry.example/", "not a Sentry DSN"},
		"another scheme":       {"ftp://secretkey@sentry.example/1", "not a Sentry DSN"},
		"not an address":       {"https://secretkey@%zz/1", "not a Sentry DSN"},
		"port is not a number": {"https://secretkey@sentry.example:http/1", "not a Sentry DSN"},
	} {
		t.Run(name, func(t *testing.T) {
			config := report.Config{DSN: secret.Value(c.dsn)}
			err := config.Check()
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "dsn: ")) {
				t.Errorf("Check = %v, want %q", err, c.want)
			}
			if _, newErr := report.New(config, report.Options{}); (newErr == nil) != (err == nil) {
				t.Errorf("New = %v, Check = %v", newErr, err)
			}
			shown := []string{fmt.Sprint(err), fmt.Sprintf("%v %+v %#v %s", config, config, config, config), slog.AnyValue(config).Resolve().String()}
			if slices.ContainsFunc(shown, func(s string) bool { return strings.Contains(s, "secretkey") }) {
				t.Errorf("the DSN is shown: %q", shown)
			}
		})
	}
}

func TestGuardedSecretsAreReplacedToo(t *testing.T) {
	var out bytes.Buffer
	r, stop := start(t, report.Config{}, report.Options{Logger: slog.New(slog.NewJSONHandler(&out, nil)), Secrets: []string{"first-secret"}})
	r.Guard([]string{"second-secret"})
	i := vendorRefusal()
	i.Err = errors.New("first-secret and second-secret")
	r.Report(i)
	stop()
	if text := out.String(); strings.Contains(text, "first-secret") || strings.Contains(text, "second-secret") || !strings.Contains(text, "[secret] and [secret]") {
		t.Errorf("the log says %s", text)
	}
}
