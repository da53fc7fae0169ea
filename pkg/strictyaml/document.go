package strictyaml

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// Parse parses one YAML document without tags. The types of the values are known from
// what they are decoded into; a tag could only contradict them, or make the decoder
// panic. The name of the file is used in errors only.
func Parse(file string, text []byte) (Node, error) {
	var parsed *ast.File
	err := guarded(func() (err error) {
		parsed, err = parser.ParseBytes(bytes.TrimPrefix(text, []byte("\ufeff")), 0) // a byte order mark
		return err
	})
	n := Node{File: file}
	if err != nil {
		return n, located(file, err)
	}
	for _, doc := range parsed.Docs {
		if doc.Body == nil || doc.Body.Type() == ast.NullType {
			continue
		}
		if n.ast != nil {
			return n, fmt.Errorf("%s:%d: a second document; keep one in a file", file, line(doc.Body))
		}
		n.ast = doc.Body
	}
	if n.ast == nil {
		return n, nil
	}
	if tags := ast.Filter(ast.TagType, n.ast); len(tags) > 0 {
		return n, fmt.Errorf("%s:%d: a tag (!): write the value without it, in quotes if it is a text that begins so", file, line(tags[0]))
	}
	return n, nil
}

// guarded turns a panic of the YAML library into an error: a gateway that reloads its
// plan must not crash because of the plan.
func guarded(read func() error) (err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("this is not YAML")
		}
	}()
	return read()
}

// Node is a document, or a part of one that is kept to be decoded later, when its type
// is known. As a field of a struct it accepts any value.
type Node struct {
	File string   // for errors; see WithFile
	ast  ast.Node // nil for an empty document
}

// UnmarshalYAML keeps the node as it is.
func (n *Node) UnmarshalYAML(node ast.Node) error {
	n.ast = node
	return nil
}

// Line is where the node begins, counted from 1.
func (n Node) Line() int { return line(n.ast) }

// Text is the node as YAML, with all its values.
func (n Node) Text() string { return n.ast.String() }

// Decode fills the value that into points to and keeps what the node does not mention,
// so that a caller can set defaults first. An empty document changes nothing.
func (n Node) Decode(into any) error {
	if n.ast == nil {
		return nil
	}
	if err := checkKeys(n.File, n.ast, into); err != nil {
		return err
	}
	if err := guarded(func() error { return yaml.NodeToValue(n.ast, into, yaml.Strict()) }); err != nil {
		return located(n.File, err)
	}
	return nil
}

// Split divides a mapping by key: the entries whose key is a field of the struct that
// into points to, and the others.
func (n Node) Split(into any) (known, others Node, err error) {
	mapping, ok := asMapping(n.ast)
	if !ok {
		return Node{}, Node{}, fmt.Errorf("%s:%d: want a mapping of keys to values", n.File, line(n.ast))
	}
	fields := structFields(reflect.TypeOf(into))
	a := &ast.MappingNode{BaseNode: mapping.BaseNode, Start: mapping.Start, End: mapping.End}
	b := &ast.MappingNode{BaseNode: mapping.BaseNode, Start: mapping.Start, End: mapping.End}
	for _, entry := range mapping.Values {
		if _, ok := fields[keyOf(entry)]; ok {
			a.Values = append(a.Values, entry)
		} else {
			b.Values = append(b.Values, entry)
		}
	}
	return Node{n.File, a}, Node{n.File, b}, nil
}

// WithFile names the file in a node that was kept while decoding.
func (n Node) WithFile(file string) Node { return Node{file, n.ast} }

func line(n ast.Node) int {
	if n == nil || n.GetToken() == nil || n.GetToken().Position == nil {
		return 0
	}
	return n.GetToken().Position.Line
}

// located rewrites a YAML library's error as "file:line: message".
func located(file string, err error) error {
	if positioned, ok := errors.AsType[yaml.Error](err); ok {
		message := positioned.GetMessage()
		if mismatch, ok := errors.AsType[*yaml.TypeError](err); ok {
			message = "want " + kindOf(mismatch.DstType)
		}
		at := file
		if tk := positioned.GetToken(); tk != nil && tk.Position != nil {
			at = fmt.Sprintf("%s:%d", file, tk.Position.Line)
		}
		return fmt.Errorf("%s: %s", at, message)
	}
	first, _, _ := strings.Cut(err.Error(), "\n")
	return fmt.Errorf("%s: %s", file, first)
}

// kindOf says in words what a value of a type looks like in YAML.
func kindOf(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a text"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.Map, reflect.Struct:
		return "a mapping of keys to values"
	case reflect.Pointer:
		return kindOf(t.Elem())
	default:
		return "a number"
	}
}
