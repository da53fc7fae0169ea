package command_test

import (
	"bytes"
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sparrow-edge/sparrow/pkg/app/command"
	"github.com/sparrow-edge/sparrow/trackers"
)

var update = flag.Bool("update", false, "rewrite the golden files")

const (
	previewed = `{"event":"purchase product","deviceId":"desktop1","userId":"michelle1","eventId":"e1","timestamp":"2026-11-20T09:15:02Z",` +
		`"properties":{"category":"billing","productName":"write to jane@example.com","price":12345678901234567890,"note":"not in the plan"}}`
	segmentPreviewed = `{"type":"track","event":"purchase product","anonymousId":"desktop1","userId":"michelle1","messageId":"m1","timestamp":"2026-11-20T09:15:02Z",` +
		`"properties":{"category":"billing","price":1.10},"integrations":{"All":true},"context":{"locale":"de-CH","library":{"name":"analytics.js"}}}`
	previewTime = "2026-11-20T09:15:03Z"
)

// sparrow runs the command line in an empty directory.
func sparrow(t *testing.T, args ...string) (code int, out, errs string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	program := command.Program{
		Kinds: trackers.All(), Release: "1.2.3", Stdout: &stdout, Stderr: &stderr,
		Env: func(string) (string, bool) { return "", false },
	}
	code = command.Run(context.Background(), program, args)
	return code, stdout.String(), stderr.String()
}

func inDirectory(t *testing.T, files map[string]string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
}

// What a preview shows is kept in golden files: a change of the plan's, the
// sanitizer's or a tracker's work shows up here.
func TestPreview(t *testing.T) {
	golden, err := filepath.Abs("testdata/preview")
	if err != nil {
		t.Fatal(err)
	}
	for name, try := range map[string]struct {
		event string
		args  []string
	}{
		"text":      {previewed, nil},
		"json":      {previewed, []string{"--format", "json"}},
		"segment":   {segmentPreviewed, []string{"--tracker", "amplitude", "--from", "segment"}},
		"too-old":   {strings.Replace(previewed, "2026-11-20", "2026-11-10", 1), []string{"--tracker", "ga4"}},
		"anonymous": {strings.Replace(previewed, `"userId":"michelle1",`, "", 1), []string{"--tracker", "heap"}},
		"unplanned": {strings.Replace(previewed, "purchase product", "secret deed", 1), []string{"--tracker", "amplitude"}},
		"invalid":   {`{"event":"pageview"}`, []string{"--tracker", "ga4"}},
		"malformed": {`{"event":"pageview`, []string{"--tracker", "ga4"}},
	} {
		t.Run(name, func(t *testing.T) {
			inDirectory(t, map[string]string{"event.json": try.event})
			code, got, errs := sparrow(t, append([]string{"trackers", "preview", "event.json", "--now", previewTime}, try.args...)...)
			if code != 0 || errs != "" {
				t.Fatalf("exit %d: %s", code, errs)
			}
			for _, secret := range []string{"not-a-secret", "not-a-real-key", "jane@example.com"} {
				if strings.Contains(got, secret) {
					t.Errorf("the preview shows %q", secret)
				}
			}
			file := filepath.Join(golden, name+".golden")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil || got != string(want) {
				t.Errorf("%v; run with -update and read the difference. Got:\n%s", err, got)
			}
			if left, err := os.ReadDir("."); err != nil || len(left) != 1 {
				t.Errorf("the preview left files behind: %v %v", left, err)
			}
		})
	}
}

func TestPreviewSaysWhatIsWrong(t *testing.T) {
	for name, try := range map[string]struct {
		args []string
		want string
	}{
		"no file":         {[]string{"nothing.json"}, "nothing.json"},
		"no argument":     {nil, "EVENT.json"},
		"unknown tracker": {[]string{"event.json", "--tracker", "ga5"}, `no tracker is named "ga5"; there are [ga4 heap amplitude]`},
		"a strange time":  {[]string{"event.json", "--now", "yesterday"}, "--now"},
		"a format":        {[]string{"event.json", "--format", "csv"}, "--format"},
	} {
		t.Run(name, func(t *testing.T) {
			inDirectory(t, map[string]string{"event.json": previewed})
			code, out, errs := sparrow(t, append([]string{"trackers", "preview"}, try.args...)...)
			if code != 2 || !strings.Contains(errs, try.want) || out != "" {
				t.Errorf("exit %d, %q, %q; want 2 and %q", code, out, errs, try.want)
			}
		})
	}
}

// The configuration of this directory counts, and its secrets are masked in
// every form that a request gives them.
func TestPreviewUsesTheConfigurationAtHand(t *testing.T) {
	inDirectory(t, map[string]string{
		"event.json": previewed,
		"plan.yaml":  "events: { purchase product: { properties: { category: string } } }\n",
		"sparrow.yaml": `environment: development
sources: [{ name: web, keys: [pk_preview_1] }]
trackers:
  - kind: http
    name: hook
    url: https://hooks.example.com/in/not-a-real-site
    basicAuth: { user: robot, password: not-a-real-password }
    secrets: { site: not-a-real-site }
    event: "{ name: .event, site: $site, p: .properties }"
`,
	})
	code, out, errs := sparrow(t, "trackers", "preview", "event.json", "--now", previewTime)
	if code != 0 {
		t.Fatalf("exit %d: %s", code, errs)
	}
	for _, want := range []string{"hook (http, live): sent", "POST https://hooks.example.com/in/[secret]", "Authorization: Basic [secret]", `"site": "[secret]"`, `"category": "billing"`, "properties.price: dropped: not in plan"} {
		if !strings.Contains(out, want) {
			t.Errorf("lacks %q:\n%s", want, out)
		}
	}
	for _, secret := range []string{"not-a-real", "cm9ib3Q6"} {
		if strings.Contains(out, secret) {
			t.Errorf("shows %q:\n%s", secret, out)
		}
	}
}
