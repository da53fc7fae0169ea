package command

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/sparrow-edge/sparrow/pkg/app/admin"
)

func TestJSONMeansTheSameAndDoesNothingToATerminal(t *testing.T) {
	for _, text := range []string{"plain", "é 世界 😀", "\x1b[31m", "\u009b31m", "\u202e", "\U000e0041", "a\nb\tc", `\u001b`, "\x7f", "<&>"} {
		var b strings.Builder
		if err := writeJSON(&b, map[string]string{text: text}, "  "); err != nil {
			t.Fatal(err)
		}
		if strings.ContainsFunc(b.String(), unruly) {
			t.Errorf("%q is printed as %q", text, b.String())
		}
		var back map[string]string
		if err := json.Unmarshal([]byte(b.String()), &back); err != nil || back[text] != text {
			t.Errorf("%q came back as %q, %v", text, back, err)
		}
	}
}

func TestCSVHasNoFormulas(t *testing.T) {
	table := &admin.Table{
		Columns: []admin.Column{{Name: "text"}, {Name: "=number"}},
		Rows:    [][]any{{"=1+1", json.Number("-5")}, {"@x", nil}, {"\x1b[31m", true}, {"two\nlines, \"quoted\"", json.Number("1")}},
	}
	var b strings.Builder
	if err := printCSV(&b, table); err != nil {
		t.Fatal(err)
	}
	want := "text,'=number\n'=1+1,-5\n'@x,\n\uFFFD[31m,true\n\"two\nlines, \"\"quoted\"\"\",1\n"
	if b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
}

// TestErrorsDoNothingToATerminal: an error may hold what a client sent.
func TestErrorsDoNothingToATerminal(t *testing.T) {
	var out, complaint strings.Builder
	program := Program{Stdout: &out, Stderr: &complaint, Env: func(string) (string, bool) { return "", false }}
	if code := Run(t.Context(), program, []string{"views", "print", "--config", "a\x1b]0;owned\x07b\u202ec.yaml"}); code == 0 {
		t.Error("an unknown command succeeds")
	}
	if text := complaint.String(); !strings.Contains(text, "owned") || strings.ContainsFunc(text, unruly) {
		t.Errorf("the terminal gets %q", text)
	}
}
