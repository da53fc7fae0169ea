package plan

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// TypeScript is the plan as a declaration file for the browser SDK: an
// interface PlanEvents with the properties of each event, which augments the
// SDK's own interface Events, so that a name or a property which is not in the
// plan does not compile. Types are erased: the page pays nothing. The same
// plan gives the same text. Names and descriptions may contain anything.
func (p *Plan) TypeScript() string {
	w := typeWriter{}
	w.line("// Made by `sparrow plan types` of the plan %s. Make it again when the plan changes.", p.Version())
	w.line(`import type {} from "@sparrow-edge/sdk";`)
	w.line("")
	w.comment("The tracking plan: events by name, and their properties.")
	w.open("export interface PlanEvents {")
	for _, name := range p.Events() {
		e := p.events[name]
		w.comment(e.Description)
		if len(e.Properties) == 0 {
			w.line("%s: Record<string, never>;", memberName(name))
			continue
		}
		w.open("%s: {", memberName(name))
		w.members(e.Properties, 0)
		w.close("};")
	}
	w.close("}")
	w.line("")
	w.open(`declare module "@sparrow-edge/sdk" {`)
	w.line("interface Events extends PlanEvents {}")
	w.close("}")
	return w.text.String()
}

// typeWriter writes indented lines.
type typeWriter struct {
	text  strings.Builder
	depth int
}

func (w *typeWriter) line(format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	if line != "" {
		line = strings.Repeat("  ", w.depth) + line
	}
	w.text.WriteString(line + "\n")
}

func (w *typeWriter) open(format string, args ...any) {
	w.line(format, args...)
	w.depth++
}

func (w *typeWriter) close(line string) {
	w.depth--
	w.line("%s", line)
}

// comment writes a description, which may contain any text, as a comment that editors
// show; "" is no comment.
func (w *typeWriter) comment(text string) {
	printable := strings.Map(func(r rune) rune {
		if r == '\n' || r >= ' ' && r != 0x7f && r != '\u2028' && r != '\u2029' {
			return r
		}
		return ' '
	}, text)
	lines := strings.Split(strings.TrimSpace(strings.ReplaceAll(printable, "*/", `*\/`)), "\n")
	switch {
	case lines[0] == "":
	case len(lines) == 1:
		w.line("/** %s */", lines[0])
	default:
		w.line("/**")
		for _, line := range lines {
			w.line("%s", strings.TrimRight(" * "+line, " "))
		}
		w.line(" */")
	}
}

// members writes properties; those within others (depth above 0) are never required.
func (w *typeWriter) members(properties map[string]*Property, depth int) {
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		property := properties[name]
		w.comment(property.Description)
		mark := "?"
		if property.Required && depth == 0 {
			mark = ""
		}
		nested, suffix := property, ";"
		for nested.Type == Array && nested.Of != nil {
			nested, suffix = nested.Of, "[]"+suffix
		}
		if nested.Type == Object && len(nested.Properties) > 0 {
			w.open("%s%s: {", memberName(name), mark)
			w.members(nested.Properties, depth+1)
			w.close("}" + suffix)
			continue
		}
		w.line("%s%s: %s;", memberName(name), mark, typeOf(property))
	}
}

// typeOf is the type of values that the plan allows; an object's members are
// written by members.
func typeOf(p *Property) string {
	switch p.Type {
	case String:
		return union(p, quote, "string")
	case Number, Integer:
		return union(p, numberLiteral, "number")
	case Boolean:
		return "boolean"
	case Timestamp:
		return "string | Date"
	case Array:
		if p.Of == nil {
			return "unknown[]"
		}
		return element(typeOf(p.Of)) + "[]"
	case Object:
		if p.Properties != nil {
			return "Record<string, never>"
		}
		return "Record<string, unknown>"
	}
	return "unknown"
}

// union is the type of the values that the plan lists, else the whole type.
func union(p *Property, literal func(string) string, whole string) string {
	if p.Values == nil {
		return whole
	}
	var literals []string
	for _, v := range p.Values {
		literals = append(literals, literal(v))
	}
	return strings.Join(literals, " | ")
}

// element puts a union in parentheses: [] binds stronger than |.
func element(t string) string {
	if strings.Contains(t, " | ") {
		return "(" + t + ")"
	}
	return t
}

var identifier = regexp.MustCompile(`^[A-Za-z_$][A-Za-z0-9_$]*$`)

// memberName is a property's name as it is written in a type.
func memberName(name string) string {
	if identifier.MatchString(name) {
		return name
	}
	return quote(name)
}

// quote is a literal of a text: JSON strings are TypeScript literals.
func quote(text string) string {
	literal, _ := json.Marshal(text) // a string always has a form
	return string(literal)
}

var number = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)

// numberLiteral is a number that the plan lists, or "never": no event can have a value
// that is not a number.
func numberLiteral(value string) string {
	if number.MatchString(value) {
		return value
	}
	return "never"
}
