package strictyaml

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// Expand replaces ${NAME} and ${file:/path} in every string value of the
// node. env looks up a variable; read returns a file's content, whose trailing
// line breaks are removed. "$${" stands for a literal "${". The error joins all
// faults; they name variables and files, never their content.
func (n Node) Expand(env func(string) (string, bool), read func(string) ([]byte, error)) error {
	if n.ast == nil {
		return nil
	}
	e := expander{file: n.File, env: env, read: read}
	ast.Walk(&e, n.ast)
	return errors.Join(e.faults...)
}

type expander struct {
	file   string
	env    func(string) (string, bool)
	read   func(string) ([]byte, error)
	faults []error
}

// Visit implements ast.Visitor.
func (e *expander) Visit(node ast.Node) ast.Visitor {
	switch n := node.(type) {
	case *ast.StringNode:
		n.Value = e.expand(n.Value, line(n))
	case *ast.LiteralNode:
		n.Value.Value = e.expand(n.Value.Value, line(n))
		return nil
	case *ast.MappingValueNode:
		ast.Walk(e, n.Value) // keys stay as they are
		return nil
	}
	return e
}

func (e *expander) expand(s string, line int) string {
	var out strings.Builder
	for {
		start := strings.Index(s, "${")
		if start < 0 {
			out.WriteString(s)
			return out.String()
		}
		if start > 0 && s[start-1] == '$' {
			out.WriteString(s[:start-1] + "${")
			s = s[start+2:]
			continue
		}
		length := strings.IndexByte(s[start:], '}')
		if length < 0 {
			e.faults = append(e.faults, fmt.Errorf("%s:%d: %q is not closed with }", e.file, line, "${"))
			return ""
		}
		value, err := e.lookup(s[start+2 : start+length])
		if err != nil {
			e.faults = append(e.faults, fmt.Errorf("%s:%d: %w", e.file, line, err))
		}
		out.WriteString(s[:start] + value)
		s = s[start+length+1:]
	}
}

func (e *expander) lookup(reference string) (string, error) {
	if path, ok := strings.CutPrefix(reference, "file:"); ok {
		text, err := e.read(path)
		if err != nil {
			return "", fmt.Errorf("${file:%s}: %w", path, err)
		}
		return strings.TrimRight(string(text), "\r\n"), nil
	}
	value, ok := e.env(reference)
	if !ok {
		return "", fmt.Errorf("environment variable %s is not set", reference)
	}
	return value, nil
}
