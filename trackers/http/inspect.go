package http

import (
	"reflect"

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

// impure names what a program uses and must not; "" is nothing.
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
