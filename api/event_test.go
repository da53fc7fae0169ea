package api_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/sparrow-edge/sparrow/api"
)

// decode reads JSON without turning numbers into floats.
func decode(t testing.TB, data []byte) any {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

// TestEventSchema reads the cases that pkg/event's tests read: schema and
// gateway must agree on every one, but for what a schema cannot state.
func TestEventSchema(t *testing.T) {
	text, err := api.Schema("event.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	schema := decode(t, text)
	s := schemas{root: schema}
	for _, example := range schema.(map[string]any)["examples"].([]any) {
		if err := s.check(schema, example, "example"); err != nil {
			t.Errorf("the schema's own example: %v", err)
		}
	}
	files, err := filepath.Glob(filepath.Join("testdata", "*", "*.json"))
	if err != nil || len(files) < 60 {
		t.Fatalf("found %d cases: %v", len(files), err)
	}
	for _, file := range files {
		t.Run(file, func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			beyond := strings.HasPrefix(filepath.Base(file), "beyond-schema-")
			if beyond && (!utf8.Valid(data) || bytes.Count(data, []byte("{")) > 5000) {
				return // a schema's validator never gets to see it
			}
			accepted := strings.Contains(file, "accepted")
			if err := s.check(schema, decode(t, data), "event"); (err == nil) != (accepted || beyond) {
				t.Errorf("by the schema: %v", err)
			}
		})
	}
}

// TestCasesComeInPairs checks that each refused case has its error beside it.
func TestCasesComeInPairs(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "refused", "*"))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, file := range files {
		seen[strings.TrimSuffix(file, filepath.Ext(file))]++
	}
	for name, n := range seen {
		if n != 2 {
			t.Errorf("%s: want a .json and a .txt", name)
		}
	}
}

func TestSchemaNames(t *testing.T) {
	if _, err := api.Schema("other.json"); err == nil {
		t.Error("a schema that is not there was found")
	}
}
