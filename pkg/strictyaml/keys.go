package strictyaml

import (
	"encoding"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
)

// checkKeys walks a document beside the type it is decoded into and returns
// every unknown or repeated key of a struct.
func checkKeys(file string, node ast.Node, into any) error {
	c := keyChecker{file: file}
	c.walk(node, reflect.TypeOf(into), "")
	return errors.Join(c.faults...)
}

type keyChecker struct {
	file   string
	faults []error
}

func (c *keyChecker) walk(node ast.Node, t reflect.Type, path string) {
	t = pointedTo(t)
	if node == nil || t == nil {
		return
	}
	if err := checkScalar(node, t); err != nil {
		c.faults = append(c.faults, fmt.Errorf("%s:%d: %s: %w", c.file, line(node), path, err))
		return
	}
	if decodesItself(t) {
		return
	}
	switch t.Kind() {
	case reflect.Struct:
		c.walkStruct(node, t, path)
	case reflect.Map:
		mapping, ok := asMapping(node)
		for i := 0; ok && i < len(mapping.Values); i++ {
			entry := mapping.Values[i]
			c.walk(entry.Value, t.Elem(), join(path, keyOf(entry)))
		}
	case reflect.Slice, reflect.Array:
		sequence, ok := node.(*ast.SequenceNode)
		for i := 0; ok && i < len(sequence.Values); i++ {
			c.walk(sequence.Values[i], t.Elem(), fmt.Sprintf("%s[%d]", path, i))
		}
	}
}

func (c *keyChecker) walkStruct(node ast.Node, t reflect.Type, path string) {
	mapping, ok := asMapping(node)
	if !ok {
		return // the decoder says what is wrong with it
	}
	fields := structFields(t)
	seen := map[string]bool{}
	for _, entry := range mapping.Values {
		key := keyOf(entry)
		field, known := fields[key]
		switch {
		case !known:
			c.faults = append(c.faults, fmt.Errorf("%s:%d: unknown key %q%s%s", c.file, line(entry.Key), key, inside(path), Suggest(key, slices.Sorted(maps.Keys(fields)))))
		case seen[key]:
			c.faults = append(c.faults, fmt.Errorf("%s:%d: key %q stands twice%s", c.file, line(entry.Key), key, inside(path)))
		default:
			c.walk(entry.Value, field, join(path, key))
		}
		seen[key] = true
	}
}

func inside(path string) string {
	if path == "" {
		return ""
	}
	return " in " + path
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// checkScalar tries a value that is written as text, so that its fault has a
// line and a key, and does not quote the value as the decoder would.
func checkScalar(node ast.Node, t reflect.Type) error {
	scalar, ok := node.(ast.ScalarNode)
	if !ok || node.Type() == ast.NullType {
		return nil
	}
	if t == reflect.TypeFor[time.Duration]() {
		if _, err := time.ParseDuration(fmt.Sprint(scalar.GetValue())); err != nil {
			return errors.New("want a duration with a unit, such as 30s or 168h")
		}
	}
	if text, ok := reflect.New(t).Interface().(encoding.TextUnmarshaler); ok && t != reflect.TypeFor[time.Time]() {
		return text.UnmarshalText([]byte(fmt.Sprint(scalar.GetValue())))
	}
	return nil
}

// decodesItself reports whether the YAML decoder passes the whole value to a method of
// the type, so that we cannot know its keys.
func decodesItself(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return p.Implements(reflect.TypeFor[yaml.NodeUnmarshaler]()) || p.Implements(reflect.TypeFor[yaml.BytesUnmarshaler]()) ||
		p.Implements(reflect.TypeFor[yaml.InterfaceUnmarshaler]()) || p.Implements(reflect.TypeFor[encoding.TextUnmarshaler]())
}

// pointedTo is the type that a pointer points to, or t itself.
func pointedTo(t reflect.Type) reflect.Type {
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t
}

// structFields returns the keys of a struct, or of the one that a pointer points to, as
// the YAML decoder sees them. Other types have none.
func structFields(t reflect.Type) map[string]reflect.Type {
	fields := map[string]reflect.Type{}
	if t = pointedTo(t); t == nil || t.Kind() != reflect.Struct {
		return fields
	}
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		switch {
		case !f.IsExported() && !f.Anonymous, name == "-":
		case strings.Contains(options, "inline"):
			maps.Copy(fields, structFields(f.Type))
		case name == "":
			fields[strings.ToLower(f.Name)] = f.Type
		default:
			fields[name] = f.Type
		}
	}
	return fields
}

func asMapping(node ast.Node) (*ast.MappingNode, bool) {
	switch n := node.(type) {
	case *ast.MappingNode:
		return n, true
	case *ast.MappingValueNode:
		return &ast.MappingNode{BaseNode: &ast.BaseNode{}, Start: n.Start, Values: []*ast.MappingValueNode{n}}, true
	case *ast.AnchorNode:
		return asMapping(n.Value)
	}
	return nil, false
}

func keyOf(entry *ast.MappingValueNode) string {
	if s, ok := entry.Key.(*ast.StringNode); ok {
		return s.Value
	}
	return entry.Key.GetToken().Value
}
