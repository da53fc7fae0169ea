package docs_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sparrow-edge/sparrow/pkg/app/config"
	"github.com/sparrow-edge/sparrow/pkg/tracker/trackertest"
	"github.com/sparrow-edge/sparrow/trackers"
)

// TestOutOfTreeExampleBuildsAndRuns builds and tests examples/acme the way its owner
// would after a clone: as it is, with its own go.mod and go.sum. It never reaches the
// network, so a dependency that they lack fails it.
func TestOutOfTreeExampleBuildsAndRuns(t *testing.T) {
	dir, example := t.TempDir(), filepath.Join(root, "examples", "acme")
	run := func(in, name string, args ...string) string {
		t.Helper()
		cmd := exec.Command(name, args...)
		cmd.Dir = in
		cmd.Env = append(os.Environ(), "GOFLAGS=-mod=readonly", "GOPROXY=off", "GOTOOLCHAIN=local", "GOWORK=off")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s %s: %v; where a module is missing, run go mod tidy in examples/acme\n%s", name, strings.Join(args, " "), err, out)
		}
		return string(out)
	}
	binary := filepath.Join(dir, "sparrow")
	run(example, "go", "vet", "./...")
	run(example, "go", "test", "./...")
	run(example, "go", "build", "-o", binary, ".")
	_, vendors, _ := strings.Cut(run(dir, binary, "version"), "\n")
	if !strings.Contains(vendors, "acme ") || !strings.Contains(read(t, "docs/TRACKERS.md").text, vendors) {
		t.Errorf("docs/TRACKERS.md does not show the vendors of the example's binary as they are:\n%s", vendors)
	}
	config := "environment: test\nsources: [{ name: site, keys: [pk_docs_test] }]\ntrackers: [{ kind: acme, token: not-a-real-token }]\n"
	for name, content := range map[string]string{"sparrow.yaml": config, "plan.yaml": "events: {}\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if checked := run(dir, binary, "config", "check"); !strings.Contains(checked, "acme (acme, live)") {
		t.Errorf("config check of the example says:\n%s", checked)
	}
}

func TestTrackersShowsTheExampleAsItIs(t *testing.T) {
	text := read(t, "docs/TRACKERS.md").text
	for _, c := range []struct{ file, from string }{{"acme/acme_test.go", "func TestConformance"}, {"main.go", "func main"}} {
		source, err := os.ReadFile(filepath.Join(root, "examples", "acme", c.file))
		if err != nil {
			t.Fatal(err)
		}
		_, body, ok := strings.Cut(string(source), c.from)
		if !ok || !strings.Contains(text, "```go\n"+c.from+body+"```") {
			t.Errorf("docs/TRACKERS.md does not show %s from %q on as it is", c.file, c.from)
		}
	}
}

func TestTrackersNamesEveryClause(t *testing.T) {
	text := read(t, "docs/TRACKERS.md").text
	for _, clause := range trackertest.Clauses() {
		if !strings.Contains(text, clause+";") && !strings.Contains(text, clause+".") {
			t.Errorf("docs/TRACKERS.md does not name the clause %q", clause)
		}
	}
}

func TestTheExamplesTrackerIsSmall(t *testing.T) {
	const limit = 60
	source, err := os.ReadFile(filepath.Join(root, "examples", "acme", "acme", "acme.go"))
	if err != nil {
		t.Fatal(err)
	}
	lines := 0
	for line := range strings.Lines(string(source)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "//") {
			lines++
		}
	}
	if lines > limit {
		t.Errorf("the tracker of the example has %d lines of code, docs/TRACKERS.md says about %d", lines, limit)
	}
}

// TestHTTPTrackerExampleLoads loads the example of docs/TRACKERS.md the way
// the gateway would.
func TestHTTPTrackerExampleLoads(t *testing.T) {
	_, rest, _ := strings.Cut(read(t, "docs/TRACKERS.md").text, "```yaml\n")
	example, _, ok := strings.Cut(rest, "```")
	if !ok {
		t.Fatal("docs/TRACKERS.md has no example")
	}
	dir := t.TempDir()
	for name, content := range map[string]string{
		"sparrow.yaml": "sources: [{ name: site, keys: [pk_docs_test] }]\n" + example, "plan.yaml": "events: {}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	settings, err := config.Load(filepath.Join(dir, "sparrow.yaml"), trackers.All(), func(string) (string, bool) { return "not-a-real-token", true })
	if err != nil {
		t.Fatal(err)
	}
	if len(settings.Trackers) != 1 || settings.Trackers[0].Lane.Name != "collector" {
		t.Errorf("the example makes %d trackers, want one named collector", len(settings.Trackers))
	}
}
