package plan_test

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sparrow-edge/sparrow/pkg/plan"
)

var update = flag.Bool("update", false, "write the golden files anew")

// The golden file is also compiled, and used rightly and wrongly, by the type
// tests of sdk-js.
func TestTypeScript(t *testing.T) {
	p, err := plan.Load("testdata/types.yaml")
	if err != nil {
		t.Fatal(err)
	}
	const golden = "testdata/types.golden.ts"
	got := p.TypeScript()
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("types differ from %s (go test -update ./pkg/plan writes it anew):\n%s", golden, diff)
	}
}

func TestTypeScriptOfAnEmptyPlan(t *testing.T) {
	if got := parse(t, "").TypeScript(); !strings.Contains(got, "export interface PlanEvents {\n}\n") {
		t.Errorf("types of an empty plan:\n%s", got)
	}
}

// Whatever a plan holds, it stays within its literals and comments: outside of
// them there are only the words that the writer knows.
func FuzzTypeScript(f *testing.F) {
	f.Add("name", "property", "description", "value")
	f.Add("*/", "\n", "*/ }\r\n/*", "1; x")
	f.Add("\"", "\\", "**/", "\u2028")
	f.Fuzz(func(t *testing.T, event, property, description, value string) {
		q := func(s string) string {
			return "\"" + strings.NewReplacer("\\", "\\\\", "\"", "\\\"", "\n", "\\n").Replace(s) + "\""
		}
		text := "events:\n  " + q(event) + ":\n    description: " + q(description) + "\n    properties:\n      " + q(property) +
			": { type: number, values: [" + q(value) + "], description: " + q(description) + " }\n"
		p, err := plan.Parse("plan.yaml", []byte(text))
		if err != nil {
			return
		}
		if rest := outside(p.TypeScript()); strings.Count(rest, "{") != strings.Count(rest, "}") || strings.Count(rest, ";") != 3 {
			t.Errorf("plan\n%s\nescapes in\n%s", text, p.TypeScript())
		}
	})
}

// outside is TypeScript without its comments and string literals.
func outside(text string) string {
	var b strings.Builder
	for text != "" {
		switch {
		case strings.HasPrefix(text, "//"):
			_, text, _ = strings.Cut(text, "\n")
		case strings.HasPrefix(text, "/*"):
			_, text, _ = strings.Cut(text[2:], "*/")
		case text[0] == '"':
			text = text[1:]
			for text != "" && text[0] != '"' {
				if text[0] == '\\' {
					text = text[1:]
				}
				text = text[1:]
			}
			text = text[1:]
		default:
			b.WriteByte(text[0])
			text = text[1:]
		}
	}
	return b.String()
}
