// Package commands_test calls the real binary in the wrong way: exit codes, and
// messages that say what to do.
package commands_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sparrow-edge/sparrow/test/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }

// run runs the binary in a directory and returns its exit code and what it
// printed to each stream.
func run(t *testing.T, dir string, args ...string) (code int, out, errOut string) {
	t.Helper()
	var stdout, stderr strings.Builder
	cmd := exec.Command(harness.Binary(t), args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &stdout, &stderr
	err := cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return exit.ExitCode(), stdout.String(), stderr.String()
	}
	if err != nil {
		t.Fatal(err)
	}
	return 0, stdout.String(), stderr.String()
}

func TestWrongCalls(t *testing.T) {
	for _, c := range []struct {
		call string
		code int
		says string
	}{
		{"bogus", 2, `unknown command "bogus" for "sparrow"; see`},
		{"trakers list", 2, `did you mean "trackers"?`},
		{"trackers lits", 2, `did you mean "list"?`},
		{"views aply", 2, `did you mean "apply"?`},
		{"plan chek", 2, `did you mean "check"?`},
		{"config chekc", 2, `did you mean "check"?`},
		{"--bogus", 2, "unknown flag: --bogus"},
		{"query --formt json x", 2, "unknown flag: --formt"},
		{"query", 2, "[SQL]; see `sparrow query --help`"},
		{"query a b", 2, "[SQL]; see `sparrow query --help`"},
		{"query --format xml x", 2, "want table, json or csv"},
		{"query --max-rows many x", 2, "--max-rows"},
		{"events", 2, "[ID]; see `sparrow events --help`"},
		{"events --format csv x", 2, "want text or json"},
		{"tail --format csv", 2, "want text or json"},
		{"trackers remove", 2, "[NAME]; see `sparrow trackers remove --help`"},
		{"plan check --against-data --days 0", 2, "want 1 to 400 days"},
		{"plan check --against-data --format xml", 2, "want table, json or csv"},
		{"reconcile --since yesterday", 2, "want a duration such as 24h"},
		{"version extra", 2, "takes no arguments"},
		{"dev --listen 0.0.0.0:8080", 2, "listens on loopback only"},
		{"dev --listen nowhere", 2, "want an address"},
		{"serve", 2, "there is no sparrow.yaml here"},
		{"serve --config nowhere.yaml", 2, "nowhere.yaml"},
		{"config check --config nowhere.yaml", 2, "nowhere.yaml"},
		{"tail", 1, "no gateway is running"},
		{"plan types --lang go", 2, "want ts"},
		{"plan types --plan nowhere.yaml", 2, "nowhere.yaml"},
		{"trackers list", 1, "no gateway is running"},
		{"views apply", 1, "no gateway is running"},
		{"query x", 1, "has the gateway run here?"},
		{"health --url http://127.0.0.1:1/healthz", 1, "connection refused"},
	} {
		t.Run(c.call, func(t *testing.T) {
			dir := t.TempDir()
			code, out, errOut := run(t, dir, strings.Fields(c.call)...)
			if code != c.code || !strings.HasPrefix(errOut, "sparrow: ") || !strings.Contains(errOut, c.says) || out != "" {
				t.Errorf("exit code %d, want %d; stdout %q; stderr %q, want %q in it", code, c.code, out, errOut, c.says)
			}
			if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
				t.Errorf("a wrong call left something behind: %v, %v", left, err)
			}
		})
	}
}

func TestRightCalls(t *testing.T) {
	for _, call := range []string{"", "--help", "trackers", "help query", "version", "plan check", "plan types", "config check", "views print"} {
		if code, out, errOut := run(t, t.TempDir(), strings.Fields(call)...); code != 0 || out == "" || errOut != "" {
			t.Errorf("sparrow %s: exit code %d; stdout %q; stderr %q", call, code, out, errOut)
		}
	}
}

// secret stands in every configuration below, next to what is wrong with it.
const secret = "nobody-may-see-this"

const soundPlan = "events:\n  pageview: { properties: { pathname: string } }\n"

func TestWrongConfigurations(t *testing.T) {
	const sources = "sources: [{ name: s, keys: [" + secret + "] }]\n"
	for name, c := range map[string]struct {
		config, plan string
		says         []string
	}{
		"an unknown key":             {sources + "trakers: []\n", soundPlan, []string{"sparrow.yaml:2", `"trakers"`, `did you mean "trackers"?`}},
		"an unknown key, deeper":     {sources + "journal:\n  maxAge: 168h\n  maxByte: 1GiB\n", soundPlan, []string{"sparrow.yaml:4", `did you mean "maxBytes"?`}},
		"an unknown key of a vendor": {sources + "trackers:\n  - { kind: ga4, measurementId: G-TEST123456, apiSecrt: " + secret + " }\n", soundPlan, []string{"sparrow.yaml:3", `did you mean "apiSecret"?`}},
		"an unknown vendor":          {sources + "trackers:\n  - { kind: amplitud, apiKey: " + secret + " }\n", soundPlan, []string{"line 3", `"amplitude"`}},
		"a vendor's key is missing":  {sources + "trackers:\n  - { kind: ga4, apiSecret: " + secret + " }\n", soundPlan, []string{"line 3", "measurementId: required"}},
		"a secret of another type":   {sources + "trackers:\n  - { kind: amplitude, apiKey: [" + secret + "] }\n", soundPlan, []string{"sparrow.yaml:3"}},
		"a secret twice":             {sources + "trackers:\n  - { kind: amplitude, apiKey: " + secret + ", apiKey: " + secret + " }\n", soundPlan, []string{"sparrow.yaml:3", `"apiKey" already defined`}},
		"a quote that does not end":  {sources + "trackers:\n  - { kind: amplitude, apiKey: \"" + secret + " }\n", soundPlan, []string{"sparrow.yaml:3"}},
		"a key of two sources":       {"sources: [{ name: a, keys: [" + secret + "] }, { name: b, keys: [" + secret + "] }]\n", soundPlan, []string{"sources[1].keys[0]", "belongs to one source"}},
		"a key with a blank":         {"sources: [{ name: a, keys: [\"" + secret + " x\"] }]\n", soundPlan, []string{"sources[0].keys[0]"}},
		"no sources":                 {"listen: \":0\"\n", soundPlan, []string{"sources: none"}},
		"a DSN that is none":         {sources + "sentry: { dsn: \"https://" + secret + "@\" }\n", soundPlan, []string{"sentry: dsn:", "https://KEY@HOST/PROJECT"}},
		"a journal's password":       {sources + "journal: { url: \"http://u:" + secret + "@h:4222\" }\n", soundPlan, []string{"journal: url:", "nats://"}},
		"a variable that is not set": {sources + "sentry: { dsn: \"${SPARROW_TEST_NOT_SET}\" }\n", soundPlan, []string{"sparrow.yaml:2", "SPARROW_TEST_NOT_SET is not set"}},
		"plain HTTP in production":   {sources + "trackers:\n  - { kind: amplitude, apiKey: " + secret + ", baseURL: \"http://vendor.example\", insecure: true }\n", soundPlan, []string{"plain HTTP is refused", "production"}},
		"an unknown key of the plan": {sources, "events:\n  pageview: { propertis: { pathname: string } }\n", []string{"plan.yaml:2", `did you mean "properties"?`}},
		"an unknown type":            {sources, "events:\n  pageview: { properties: { pathname: strng } }\n", []string{"plan.yaml:2", `did you mean "string"?`}},
		"a tracker nobody has":       {sources, "events:\n  pageview: { trackers: [heap] }\n", []string{"plan.yaml: event \"pageview\"", `"heap" is not configured`}},
		"no plan":                    {sources, "", []string{"plan.yaml"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, "sparrow.yaml", c.config)
			if c.plan != "" {
				write(t, dir, "plan.yaml", c.plan)
			}
			for _, call := range [][]string{{"config", "check"}, {"serve"}, {"query", "select 1"}} {
				code, out, errOut := run(t, dir, call...)
				if code != 2 || out != "" {
					t.Errorf("sparrow %v: exit code %d, want 2; stdout %q", call, code, out)
				}
				for _, part := range c.says {
					if !strings.Contains(errOut, part) {
						t.Errorf("sparrow %v does not say %q: %s", call, part, errOut)
					}
				}
				if strings.Contains(errOut, secret) {
					t.Errorf("sparrow %v shows a secret: %s", call, errOut)
				}
			}
			if _, err := os.Stat(filepath.Join(dir, "data")); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("a wrong configuration left data behind: %v", err)
			}
		})
	}
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
