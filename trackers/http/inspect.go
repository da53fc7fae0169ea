package http

import (
	"fmt"
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/itchyny/gojq"
)

// findings is what a program's syntax tree holds.
type findings struct {
	literals map[string]bool // strings without interpolation
	calls    map[string]bool // functions and variables
	imports  bool
}

func inspect(query *gojq.Query) findings {
	f := findings{literals: map[string]bool{}, calls: map[string]bool{}}
	f.walk(reflect.ValueOf(query))
	return f
}

// walk looks at every node: reflection, because the tree has some forty kinds.
func (f *findings) walk(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return
		}
		switch node := v.Interface().(type) {
		case *gojq.String:
			if len(node.Queries) == 0 {
				f.literals[node.Str] = true
			}
		case *gojq.Func:
			f.calls[node.Name] = true
		case *gojq.Import:
			f.imports = true
		}
		f.walk(v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				f.walk(v.Field(i))
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			f.walk(v.Index(i))
		}
	}
}

// impure is the first thing in a program that is refused, or "".
func (f findings) impure() string {
	if f.imports {
		return "import"
	}
	for _, name := range []string{
		"now", "localtime", "strflocaltime", "input", "inputs", "env", "$ENV", "debug", "stderr", "halt", "halt_error",
		"input_filename", "input_line_number", "modulemeta", "get_search_list",
	} {
		if f.calls[name] {
			return name
		}
	}
	return ""
}

// place says where in a source an offset is: "line 2, column 14", in characters
// from 1.
func place(source string, offset int) string {
	before := source[:min(max(offset, 0), len(source))]
	line := 1 + strings.Count(before, "\n")
	column := 1 + utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:])
	return fmt.Sprintf("line %d, column %d", line, column)
}

// placeOf is where a name first stands in a source, outside texts and comments.
// The compiler knows names, not places.
func placeOf(source, name string) string {
	code := blank(source)
	for from := 0; name != ""; {
		at := strings.Index(code[from:], name)
		if at < 0 {
			break
		}
		at += from
		from = at + len(name)
		if at > 0 && (isNameByte(code[at-1]) || code[at-1] == '.' || code[at-1] == '$' || code[at-1] == '@') || from < len(code) && isNameByte(code[from]) {
			continue
		}
		return place(source, at)
	}
	return place(source, 0)
}

// isNameByte reports whether a byte can be part of a name in a program.
func isNameByte(c byte) bool {
	return c == '_' || c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9'
}

// blank is a source with its texts and comments replaced by spaces, byte for
// byte; code within a text, \( ), stays.
func blank(source string) string {
	b := []byte(source)
	var open []int // for each text around: how many parentheses are open in its code
	inText := false
	for i := 0; i < len(b); i++ {
		c := b[i]
		switch {
		case inText && c == '\\' && i+1 < len(b):
			inText = b[i+1] != '('
			b[i] = ' '
			i++
			b[i] = ' '
		case inText:
			if c == '"' {
				inText = false
				open = open[:len(open)-1]
			}
			b[i] = ' '
		case c == '"':
			inText = true
			open = append(open, 0)
			b[i] = ' '
		case c == '#':
			for ; i < len(b) && b[i] != '\n'; i++ {
				b[i] = ' '
			}
		case c == '(' && len(open) > 0:
			open[len(open)-1]++
		case c == ')' && len(open) > 0:
			if open[len(open)-1]--; open[len(open)-1] < 0 { // back in the text
				open[len(open)-1] = 0
				inText = true
			}
		}
	}
	return string(b)
}

// undefined is the name that a compiler's error is about, or "".
func undefined(err error) string {
	_, name, found := strings.Cut(err.Error(), "not defined: ")
	if !found {
		return ""
	}
	name, _, _ = strings.Cut(name, "/")
	return name
}
