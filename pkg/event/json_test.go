package event_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/sparrow-edge/sparrow/pkg/event"
)

// plain is a Value as encoding/json understands it. Objects come with their
// names in order, for that is how encoding/json writes maps.
func plain(v event.Value) any {
	switch v.Kind {
	case event.False, event.True:
		return v.Kind == event.True
	case event.Number:
		return json.Number(v.Text)
	case event.String:
		return v.Text
	case event.Array:
		list := []any{}
		for _, item := range v.Items {
			list = append(list, plain(item))
		}
		return list
	case event.Object:
		fields := map[string]any{}
		for _, f := range v.Fields {
			fields[f.Name] = plain(f.Value)
		}
		return fields
	default:
		return nil
	}
}

// marshal is encoding/json without its escapes for HTML.
func marshal(t testing.TB, v any) string {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func TestValueAppendJSON(t *testing.T) {
	object := event.Value{Kind: event.Object, Fields: []event.Property{
		{Name: "", Value: event.Value{}},
		{Name: "a\"\\", Value: event.StringValue("line\nbreak\ttab\x00\x1f/<&>")},
		{Name: "é", Value: event.Value{Kind: event.Array, Items: []event.Value{event.BoolValue(true), event.BoolValue(false), event.StringValue("😀")}}},
	}}
	for _, v := range []event.Value{
		{}, event.BoolValue(true), event.NumberValue("12345678901234567890"), event.NumberValue("1.10"), event.StringValue(""),
		{Kind: event.Array}, {Kind: event.Object}, object,
		{Kind: event.Array, Items: []event.Value{object, object}},
	} {
		if got, want := string(v.AppendJSON([]byte("x"))), "x"+marshal(t, plain(v)); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// TestAppendObjectKeepsOrder checks the client's order, which a map would lose.
func TestAppendObjectKeepsOrder(t *testing.T) {
	got := event.AppendObject(nil, []event.Property{{Name: "z", Value: event.NumberValue("1")}, {Name: "a", Value: event.Value{}}})
	if string(got) != `{"z":1,"a":null}` {
		t.Errorf("wrote %s", got)
	}
}

func TestLookup(t *testing.T) {
	e := event.Event{Properties: []event.Property{{Name: "a", Value: event.StringValue("x")}}}
	if v, found := e.Lookup("a"); !found || v.Text != "x" {
		t.Errorf("found %v, %v", v, found)
	}
	if v, found := e.Lookup("b"); found || v.Kind != event.Null {
		t.Errorf("found %v, %v", v, found)
	}
}

func FuzzAppendQuoted(f *testing.F) {
	for _, s := range []string{"", "plain", "\"\\\b\f\n\r\t\x00\x7f", "é😀\u2028", "\xff\xc3\x28\xed\xa0\x80"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := event.AppendQuoted(nil, s)
		var back string
		if err := json.Unmarshal(got, &back); err != nil || !utf8.Valid(got) {
			t.Fatalf("%q: %v", got, err)
		}
		if want := string([]rune(s)); back != want {
			t.Fatalf("wrote %s, reads as %q, want %q", got, back, want)
		}
	})
}
