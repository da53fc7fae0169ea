package docs_test

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/sparrow-edge/sparrow/pkg/app/config"
	"github.com/sparrow-edge/sparrow/pkg/delivery"
	"github.com/sparrow-edge/sparrow/pkg/plan"
	"github.com/sparrow-edge/sparrow/pkg/strictyaml"
	"github.com/sparrow-edge/sparrow/pkg/tracker"
	"github.com/sparrow-edge/sparrow/trackers"
)

const configuration = "docs/CONFIGURATION.md"

// keys collects the keys of a configuration struct with their values, by path;
// lists of structs have "[]" in theirs and zero values.
func keys(v reflect.Value, prefix string, into map[string]reflect.Value) {
	for i := range v.NumField() {
		field := v.Type().Field(i)
		tag, options, _ := strings.Cut(field.Tag.Get("yaml"), ",")
		path := prefix + tag
		switch {
		case tag == "-" || !field.IsExported() && !field.Anonymous:
		case options == "inline":
			keys(v.Field(i), prefix, into)
		case field.Type == reflect.TypeFor[[]strictyaml.Node](): // the trackers have tables of their own
		case field.Type.Kind() == reflect.Slice && field.Type.Elem().Kind() == reflect.Struct:
			keys(reflect.New(field.Type.Elem()).Elem(), path+"[].", into)
		case field.Type.Kind() == reflect.Struct:
			keys(v.Field(i), path+".", into)
		default:
			into[path] = v.Field(i)
		}
	}
}

func keysOf(config any, prefix string) map[string]reflect.Value {
	found := map[string]reflect.Value{}
	keys(reflect.ValueOf(config), prefix, found)
	return found
}

// defaults is what the gateway makes of a file that says as little as possible.
func defaults(t *testing.T) config.Config {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{"sparrow.yaml": "sources: [{ name: site, keys: [pk_docs_test] }]", "plan.yaml": "events: {}"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, err := config.Load(filepath.Join(dir, "sparrow.yaml"), trackers.All(), func(string) (string, bool) { return "", false })
	if err != nil {
		t.Fatal(err)
	}
	s.Config.Data = "./data"         // Load resolves it
	s.Config.Sentry.Environment = "" // taken from environment
	return s.Config
}

func TestConfigurationListsEveryKey(t *testing.T) {
	p := read(t, configuration)
	shared := keysOf(delivery.DefaultConfig(), "trackers[].")
	shared["trackers[].kind"] = reflect.ValueOf("")
	type table struct {
		headings []string
		want     map[string]reflect.Value
	}
	tables := []table{
		{[]string{"The gateway", "Sources and intake", "Journal", "Lease", "Duplicates", "Warehouse", "Sanitizer", "Filters", "Sentry"}, keysOf(defaults(t), "")},
		{[]string{"Every tracker"}, shared},
	}
	for _, kind := range trackers.All() {
		tables = append(tables, table{[]string{"kind: " + kind.Name}, keysOf(vendorDefaults(t, kind), "")})
	}
	for _, c := range tables {
		t.Run(c.headings[0], func(t *testing.T) {
			listed := map[string]bool{}
			for _, heading := range c.headings {
				for _, r := range p.table(t, heading) {
					key := checkRow(t, r, c.want)
					if listed[key] {
						t.Errorf("%s lists %s twice", p.name, key)
					}
					listed[key] = true
				}
			}
			for _, key := range slices.Sorted(maps.Keys(c.want)) {
				if !listed[key] {
					t.Errorf("%s lacks %s: add it to the table below %q", p.name, key, c.headings[0])
				}
			}
		})
	}
}

// vendorDefaults is a kind's configuration before a file changes it.
func vendorDefaults(t *testing.T, kind tracker.Kind) any {
	t.Helper()
	var defaults any
	stop := errors.New("seen")
	_, _, err := kind.Build(func(into any) error {
		defaults = reflect.ValueOf(into).Elem().Interface()
		return stop
	})
	if !errors.Is(err, stop) || defaults == nil {
		t.Fatalf("kind %s does not decode its configuration: %v", kind.Name, err)
	}
	return defaults
}

// checkRow compares a row (key, type, default, meaning) with the code.
func checkRow(t *testing.T, r row, want map[string]reflect.Value) string {
	t.Helper()
	key, ok := code(r[0])
	if !ok || len(r) != 4 || r[3] == "" {
		t.Errorf("row %q: want a key, its type, its default and its meaning", r)
		return ""
	}
	value, known := want[key]
	if !known {
		t.Errorf("%s: no configuration has this key", key)
		return key
	}
	literal, given := code(r[2])
	if !given {
		if !value.IsZero() {
			t.Errorf("%s: the default is %v, not %q", key, value, r[2])
		}
		return key
	}
	// The literal is read the way the configuration is.
	into := reflect.New(reflect.StructOf([]reflect.StructField{{Name: "V", Type: value.Type(), Tag: `yaml:"v"`}}))
	document, err := strictyaml.Parse(key, []byte("v: "+literal))
	if err == nil {
		err = document.Decode(into.Interface())
	}
	if err != nil {
		t.Errorf("%s: default %s: %v", key, literal, err)
	} else if got := into.Elem().Field(0); !reflect.DeepEqual(got.Interface(), value.Interface()) {
		t.Errorf("%s: the default is %v, not %s", key, value, literal)
	}
	return key
}

func TestConfigurationListsEveryKeyOfThePlan(t *testing.T) {
	p := read(t, configuration)
	structs := yamlStructs(t, "pkg/plan/document.go")
	whole := structs["document"]
	for _, part := range []struct{ key, entry string }{{"defaults", "defaultsEntry"}, {"context", "Context"}} {
		whole = slices.DeleteFunc(whole, func(k string) bool { return k == part.key })
		for _, key := range structs[part.entry] {
			whole = append(whole, part.key+"."+key)
		}
	}
	for heading, want := range map[string][]string{"The plan": whole, "An event": structs["eventEntry"], "A property": structs["propertyEntry"]} {
		var listed []string
		for _, r := range p.table(t, heading) {
			key, _ := code(r[0])
			listed = append(listed, key)
		}
		slices.Sort(listed)
		slices.Sort(want)
		if !slices.Equal(listed, want) {
			t.Errorf("%s, %q lists\n%q, the code has\n%q", p.name, heading, listed, want)
		}
	}
}

func TestConfigurationHasThePlansContextDefaults(t *testing.T) {
	parsed, err := plan.Parse("plan.yaml", []byte("events: {}"))
	if err != nil {
		t.Fatal(err)
	}
	context := reflect.ValueOf(parsed.Context())
	checked := 0
	for _, r := range read(t, configuration).table(t, "The plan") {
		key, _ := code(r[0])
		name, ok := strings.CutPrefix(key, "context.")
		if !ok {
			continue
		}
		field := context.FieldByNameFunc(func(f string) bool { return strings.EqualFold(f, name) })
		if literal, _ := code(r[2]); !field.IsValid() || literal != map[bool]string{true: "true", false: "false"}[field.Bool()] {
			t.Errorf("%s: default %s is not what an empty plan has", key, r[2])
		}
		checked++
	}
	if checked != context.NumField() {
		t.Errorf("%d of %d keys of context checked", checked, context.NumField())
	}
}

func TestConfigurationsPlanExampleParses(t *testing.T) {
	p := read(t, configuration)
	_, rest, _ := strings.Cut(p.text, "```yaml\n")
	example, _, ok := strings.Cut(rest, "```")
	if !ok {
		t.Fatal("no example of a plan")
	}
	if _, err := plan.Parse("example", []byte(example)); err != nil {
		t.Error(err)
	}
}
