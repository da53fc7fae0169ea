package console

import (
	"strings"

	"github.com/sparrow-edge/sparrow/pkg/event"
)

// maxNesting bounds how deep the page follows a schema written in place.
const maxNesting = 6

// schema is a JSON Schema as a list of fields: those of objects inside it are
// named by their path, such as context.page.url.
type schema struct {
	ID, Name, Type, Link, Description string
	Fields                            []field
	Variants                          []schema
}

// field is a property or parameter.
type field struct {
	Name, In, Type, Link, Description, Rules string
	Required                                 bool
}

func readSchema(node event.Value) schema { return readVariant(node, 0) }

func readVariant(node event.Value, depth int) schema {
	s := schema{Description: text(node, "description")}
	s.Type, s.Link = kind(node)
	if depth < maxNesting {
		s.Fields = appendFields(nil, "", node, depth)
		for _, word := range []string{"oneOf", "anyOf", "allOf"} {
			for _, v := range member(node, word).Items {
				s.Variants = append(s.Variants, readVariant(v, depth+1))
			}
		}
	}
	return s
}

// appendFields adds the properties of an object schema, or of an array's items.
func appendFields(fields []field, prefix string, node event.Value, depth int) []field {
	if depth >= maxNesting {
		return fields
	}
	required := map[string]bool{}
	for _, name := range member(node, "required").Items {
		required[plain(name)] = true
	}
	for _, p := range member(node, "properties").Fields {
		f := readField(prefix+p.Name, p.Value, required[p.Name])
		fields = appendFields(append(fields, f), f.Name+".", p.Value, depth+1)
	}
	if items := member(node, "items"); items.Kind == event.Object {
		path := strings.TrimSuffix(prefix, ".") + "[]."
		fields = appendFields(fields, path, items, depth+1)
	}
	return fields
}

func readField(name string, node event.Value, required bool) field {
	f := field{Name: name, Required: required, Description: text(node, "description"), Rules: rules(node)}
	f.Type, f.Link = kind(node)
	return f
}

// kind names a schema's type, and the schema it refers to.
func kind(node event.Value) (name, link string) {
	if ref := text(node, "$ref"); ref != "" {
		name = ref[strings.LastIndex(ref, "/")+1:]
		return name, "schema-" + anchor(name)
	}
	t := member(node, "type")
	name = plain(t)
	if t.Kind == event.Array {
		name = join(t.Items, " or ")
	}
	if items := member(node, "items"); items.Kind == event.Object && name == "array" {
		inner, link := kind(items)
		return strings.TrimSuffix("array of "+inner, " of "), link
	}
	if format := text(node, "format"); format != "" {
		name = strings.TrimSpace(name + " (" + format + ")")
	}
	return name, ""
}

// rules puts the limits of a schema into words.
func rules(node event.Value) string {
	var words []string
	for _, rule := range [...]struct{ keyword, word string }{
		{"minLength", "at least %s characters"}, {"maxLength", "at most %s characters"},
		{"minimum", "at least %s"}, {"maximum", "at most %s"},
		{"minItems", "at least %s items"}, {"maxItems", "at most %s items"},
		{"pattern", "matches %s"}, {"const", "is %s"}, {"default", "default %s"},
	} {
		if v, found := event.Lookup(node.Fields, rule.keyword); found {
			words = append(words, strings.Replace(rule.word, "%s", plain(v), 1))
		}
	}
	if enum := member(node, "enum"); enum.Kind == event.Array {
		words = append(words, "one of "+join(enum.Items, ", "))
	}
	return strings.Join(words, "; ")
}

func join(values []event.Value, separator string) string {
	var words []string
	for _, v := range values {
		words = append(words, plain(v))
	}
	return strings.Join(words, separator)
}
