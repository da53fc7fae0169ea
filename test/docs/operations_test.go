package docs_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/sparrow-edge/sparrow/pkg/app/command"
	"github.com/sparrow-edge/sparrow/pkg/strictyaml"
	"github.com/sparrow-edge/sparrow/trackers"
)

// rules are deploy/alerts.yaml, as Prometheus reads it.
type rules struct {
	Groups []struct {
		Name  string `yaml:"name"`
		Rules []struct {
			Alert       string            `yaml:"alert"`
			Expr        string            `yaml:"expr"`
			For         string            `yaml:"for"`
			Labels      map[string]string `yaml:"labels"`
			Annotations map[string]string `yaml:"annotations"`
		} `yaml:"rules"`
	} `yaml:"groups"`
}

func alerts(t *testing.T) rules {
	t.Helper()
	const name = "deploy/alerts.yaml"
	text, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	document, err := strictyaml.Parse(name, text)
	if err != nil {
		t.Fatal(err)
	}
	var r rules
	if err := document.Decode(&r); err != nil {
		t.Fatal(err)
	}
	return r
}

var (
	metricName = regexp.MustCompile(`sparrow_[a-z_]+`)
	selector   = regexp.MustCompile(`(sparrow_[a-z_]+)\{([^}]*)\}`)
	labelName  = regexp.MustCompile(`([a-z_]+)(?:=|!)`)
)

func TestAlertsUseMetricsThatExist(t *testing.T) {
	known := metrics(t)
	operations := read(t, "docs/OPERATIONS.md").text
	seen := 0
	for _, group := range alerts(t).Groups {
		for _, rule := range group.Rules {
			seen++
			names := metricName.FindAllString(rule.Expr, -1)
			if len(names) == 0 && !strings.HasPrefix(rule.Expr, "up{") {
				t.Errorf("%s asks for no metric of Sparrow's: %s", rule.Alert, rule.Expr)
			}
			for _, name := range names {
				if _, ok := known[name]; !ok {
					t.Errorf("%s asks for %s, which does not exist", rule.Alert, name)
				}
			}
			for _, match := range selector.FindAllStringSubmatch(rule.Expr, -1) {
				for _, label := range labelName.FindAllStringSubmatch(match[2], -1) {
					if !slices.Contains(known[match[1]], label[1]) {
						t.Errorf("%s: %s has no label %s", rule.Alert, match[1], label[1])
					}
				}
			}
			if rule.Labels["severity"] == "" || rule.Annotations["summary"] == "" {
				t.Errorf("%s: say how bad it is, and what it is", rule.Alert)
			}
			if heading := "\n### " + rule.Annotations["runbook"] + "\n"; !strings.Contains(operations, heading) {
				t.Errorf("%s: docs/OPERATIONS.md has no runbook %q", rule.Alert, rule.Annotations["runbook"])
			}
		}
	}
	if seen == 0 {
		t.Error("no alerts")
	}
}

var (
	link     = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	headline = regexp.MustCompile(`(?m)^#+ (.*)$`)
	dropped  = regexp.MustCompile(`[^a-z0-9 _-]`)
)

// anchors are the headings of a document, as links name them.
func anchors(text string) map[string]bool {
	found := map[string]bool{}
	for _, match := range headline.FindAllStringSubmatch(text, -1) {
		name := dropped.ReplaceAllString(strings.ToLower(match[1]), "")
		found[strings.ReplaceAll(name, " ", "-")] = true
	}
	return found
}

func TestLinksLeadSomewhere(t *testing.T) {
	for _, name := range documents {
		for _, match := range link.FindAllStringSubmatch(read(t, name).text, -1) {
			file, anchor, _ := strings.Cut(match[1], "#")
			if strings.Contains(file, "://") {
				continue
			}
			target := name
			if file != "" {
				target = filepath.ToSlash(filepath.Join(filepath.Dir(name), file))
			}
			if _, err := os.Stat(filepath.Join(root, target)); err != nil {
				t.Errorf("%s links to %s, which is not there", name, match[1])
			} else if anchor != "" && !anchors(read(t, target).text)[anchor] {
				t.Errorf("%s links to %s, and there is no such heading", name, match[1])
			}
		}
	}
}

// invoked finds commands in a document, such as `sparrow trackers remove NAME`.
var invoked = regexp.MustCompile("(?m)(?:`|^\\$ |^|exec CONTAINER )sparrow ([a-z]+)(?: ([a-z]+))?[^`\\n]*")

var flag = regexp.MustCompile(`--[a-z][a-z-]+`)

// help is what a command says of itself.
func help(t *testing.T, words ...string) string {
	t.Helper()
	var out bytes.Buffer
	program := command.Program{Kinds: trackers.All(), Stdout: &out, Stderr: &out, Env: os.LookupEnv}
	if code := command.Run(t.Context(), program, append(words, "--help")); code != 0 {
		t.Errorf("sparrow %s --help ends with %d:\n%s", strings.Join(words, " "), code, out.String())
	}
	return out.String()
}

func TestCommandsAndFlagsExist(t *testing.T) {
	for _, name := range documents {
		found := invoked.FindAllStringSubmatch(read(t, name).text, -1)
		if len(found) == 0 {
			t.Errorf("%s shows no command", name)
		}
		for _, match := range found {
			text := help(t, match[1])
			if !strings.Contains(text, "sparrow "+match[1]) {
				t.Errorf("%s: %s: there is no such command", name, match[0])
				continue
			}
			if strings.Contains(text, "Available Commands:") && match[2] != "" {
				if text = help(t, match[1], match[2]); !strings.Contains(text, "sparrow "+match[1]+" "+match[2]) {
					t.Errorf("%s: %s: there is no such command", name, match[0])
				}
			}
			for _, f := range flag.FindAllString(match[0], -1) {
				if !strings.Contains(text, f) {
					t.Errorf("%s: %s: there is no flag %s", name, match[0], f)
				}
			}
		}
	}
}
