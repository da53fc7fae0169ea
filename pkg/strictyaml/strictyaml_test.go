package strictyaml_test

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/quantity"
	"github.com/sparrow-edge/sparrow/pkg/strictyaml"
)

type inner struct {
	MaxAge time.Duration `yaml:"maxAge"`
	Size   quantity.Size `yaml:"size"`
	Secret string        `yaml:"secret"`
}

type outer struct {
	Name  string            `yaml:"name"`
	Inner inner             `yaml:"inner"`
	List  []inner           `yaml:"list"`
	Map   map[string]inner  `yaml:"map"`
	Kept  []strictyaml.Node `yaml:"kept"`
}

func decode(t *testing.T, text string) (outer, error) {
	t.Helper()
	d, err := strictyaml.Parse("a.yaml", []byte(text))
	if err != nil {
		return outer{}, err
	}
	o := outer{Name: "default"}
	return o, d.Decode(&o)
}

func TestDecode(t *testing.T) {
	d, err := strictyaml.Parse("a.yaml", []byte("inner: { maxAge: 168h, size: 10GiB }\nmap:\n  x:\n    maxAge: 1s\n"))
	if err != nil {
		t.Fatal(err)
	}
	o := outer{Name: "default"}
	if err := d.Decode(&o); err != nil {
		t.Fatal(err)
	}
	if o.Name != "default" || o.Inner.MaxAge != 168*time.Hour || o.Inner.Size != 10*quantity.GiB || o.Map["x"].MaxAge != time.Second {
		t.Errorf("decoded %+v", o)
	}
}

func TestMistakesAreLocated(t *testing.T) {
	for name, tc := range map[string]struct{ text, want string }{
		"unknown key":         {"name: a\ninner:\n  maxage: 1h\n", `a.yaml:3: unknown key "maxage" in inner; did you mean "maxAge"?`},
		"unknown key, flow":   {"inner: { maxAgee: 1h }", `a.yaml:1: unknown key "maxAgee" in inner; did you mean "maxAge"?`},
		"unknown in list":     {"list:\n  - size: 1B\n  - sise: 1B\n", `a.yaml:3: unknown key "sise" in list[1]; did you mean "size"?`},
		"unknown in map":      {"map: { a: { x: 1 } }", `a.yaml:1: unknown key "x" in map.a`},
		"nothing near":        {"zzzzzzzz: 1", `a.yaml:1: unknown key "zzzzzzzz"`},
		"repeated":            {"name: a\nname: b\n", `a.yaml:2: `},
		"wrong kind":          {"inner: [1, 2]", `a.yaml:1: `},
		"a tag":               {"name: a\nlist: !x 1\n", `a.yaml:2: a tag (!)`},
		"a tag of YAML's own": {"name: !!str a\n", `a.yaml:1: a tag (!)`},
		"a list for a text":   {"inner:\n  secret: [1, 2]\n", `a.yaml:2: want a text`},
		"a text for a list":   {"list: none", `a.yaml:1: `},
		"bad quantity":        {"inner:\n  size: lots\n", `a.yaml:2: inner.size: want a size with a unit`},
		"bad duration":        {"inner:\n  maxAge: lots\n", `a.yaml:2: inner.maxAge: want a duration`},
		"not yaml":            {"a: [1\nb: 2", `a.yaml:`},
		"two documents":       {"name: a\n---\nname: b\n", `a second document`},
		"several at once (1)": {"nam: 1\ninner: { sise: 1 }", `unknown key "nam"`},
		"several at once (2)": {"nam: 1\ninner: { sise: 1 }", `unknown key "sise"`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := decode(t, tc.text)
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got error %v, want one with %q", err, tc.want)
			}
		})
	}
}

func TestErrorsNeverQuoteValues(t *testing.T) {
	for _, text := range []string{"inner: { maxAge: hunter2 }", "inner: { secret: [hunter2] }", "inner: hunter2", "list: hunter2"} {
		if _, err := decode(t, text); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: error %v", text, err)
		}
	}
}

func TestExpand(t *testing.T) {
	d, err := strictyaml.Parse("a.yaml", []byte("name: \"${A}-$${B}-${file:/f}\"\ninner: { secret: '${INJECT}' }\n"))
	if err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"A": "x", "INJECT": "a }\nname: evil"}
	err = d.Expand(func(k string) (string, bool) { v, ok := env[k]; return v, ok },
		func(string) ([]byte, error) { return []byte("content\n"), nil })
	if err != nil {
		t.Fatal(err)
	}
	var o outer
	if err := d.Decode(&o); err != nil {
		t.Fatal(err)
	}
	if o.Name != "x-${B}-content" || o.Inner.Secret != env["INJECT"] {
		t.Errorf("decoded %+v", o)
	}
}

func TestExpandTellsAllFaults(t *testing.T) {
	d, err := strictyaml.Parse("a.yaml", []byte("name: ${MISSING}\ninner:\n  secret: ${file:/nowhere}\n"))
	if err != nil {
		t.Fatal(err)
	}
	err = d.Expand(func(string) (string, bool) { return "", false }, os.ReadFile)
	if err == nil || !strings.Contains(err.Error(), "a.yaml:1: environment variable MISSING is not set") || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}

func TestSplit(t *testing.T) {
	d, err := strictyaml.Parse("a.yaml", []byte("kept:\n  - name: a\n    size: 1B\n    other: 2\n"))
	if err != nil {
		t.Fatal(err)
	}
	var o outer
	if err := d.Decode(&o); err != nil {
		t.Fatal(err)
	}
	known, others, err := o.Kept[0].WithFile("a.yaml").Split(&inner{})
	if err != nil {
		t.Fatal(err)
	}
	var i inner
	if err := known.Decode(&i); err != nil || i.Size != 1 {
		t.Errorf("known part: %+v, %v", i, err)
	}
	if err := others.Decode(&inner{}); err == nil || !strings.Contains(err.Error(), `a.yaml:2: unknown key "name"`) {
		t.Errorf("others decoded as inner: %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add("name: a\ninner: { size: 1B }")
	f.Add("&a [*a]")
	f.Add("? [a]\n: b")
	f.Fuzz(func(t *testing.T, text string) {
		d, err := strictyaml.Parse("a.yaml", []byte(text))
		if err != nil {
			return
		}
		_ = d.Expand(func(string) (string, bool) { return "x", true }, func(string) ([]byte, error) { return nil, nil })
		_ = d.Decode(&outer{})
	})
}
