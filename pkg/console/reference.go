package console

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/sparrow-edge/sparrow/pkg/event"
)

// reference is an OpenAPI document as the page shows it, in the document's order.
type reference struct {
	Title, Version, Description string
	Operations                  []operation
	Schemas                     []schema
}

type operation struct {
	ID, Method, Path, Summary, Description string
	Keys                                   []field // one of them is needed
	Parameters                             []field
	Bodies                                 []content
	BodyDescription                        string
	Answers                                []answer
}

type answer struct {
	Status, Description string
	Headers             []field
	Bodies              []content
}

// content is a body in one media type.
type content struct {
	Media    string
	Schema   schema
	Examples []example
}

type example struct{ Name, Text string }

// methods in the order in which an operation list reads best.
var methods = [...]string{"get", "head", "post", "put", "patch", "delete", "options", "trace"}

func readReference(root event.Value) reference {
	info := member(root, "info")
	ref := reference{Title: text(info, "title"), Version: text(info, "version"), Description: text(info, "description")}
	for _, path := range member(root, "paths").Fields {
		item := resolve(root, path.Value)
		for _, method := range methods {
			if op := member(item, method); op.Kind == event.Object {
				ref.Operations = append(ref.Operations, readOperation(root, path.Name, method, item, op))
			}
		}
	}
	for _, node := range member(member(root, "components"), "schemas").Fields {
		s := readSchema(node.Value)
		s.Name = node.Name
		s.ID = "schema-" + anchor(s.Name)
		ref.Schemas = append(ref.Schemas, s)
	}
	return ref
}

func readOperation(root event.Value, path, method string, item, node event.Value) operation {
	op := operation{
		ID:     anchor(method + "-" + path),
		Method: strings.ToUpper(method), Path: path,
		Summary: text(node, "summary"), Description: text(node, "description"),
	}
	op.Keys = readSecurity(root, node)
	for _, list := range []event.Value{member(item, "parameters"), member(node, "parameters")} {
		for _, p := range list.Items {
			p = resolve(root, p)
			f := readField(text(p, "name"), member(p, "schema"), member(p, "required").Kind == event.True)
			f.In = text(p, "in")
			if d := text(p, "description"); d != "" {
				f.Description = d
			}
			op.Parameters = append(op.Parameters, f)
		}
	}
	body := resolve(root, member(node, "requestBody"))
	op.BodyDescription = text(body, "description")
	op.Bodies = readContents(root, member(body, "content"))
	for _, status := range member(node, "responses").Fields {
		r := resolve(root, status.Value)
		a := answer{Status: status.Name, Description: text(r, "description"), Bodies: readContents(root, member(r, "content"))}
		for _, header := range member(r, "headers").Fields {
			h := resolve(root, header.Value)
			f := readField(header.Name, member(h, "schema"), false)
			f.Description = text(h, "description")
			a.Headers = append(a.Headers, f)
		}
		op.Answers = append(op.Answers, a)
	}
	return op
}

// readSecurity is how a client of an operation says who it is: the schemes of
// which one suffices.
func readSecurity(root, node event.Value) []field {
	security, found := event.Lookup(node.Fields, "security")
	if !found {
		security = member(root, "security")
	}
	schemes := member(member(root, "components"), "securitySchemes")
	var keys []field
	for _, choice := range security.Items {
		for _, one := range choice.Fields {
			scheme := resolve(root, member(schemes, one.Name))
			f := field{Name: text(scheme, "name"), In: text(scheme, "in"), Type: "string", Description: text(scheme, "description")}
			if text(scheme, "type") == "http" {
				f.Name, f.In, f.Type = "Authorization", "header", text(scheme, "scheme")
			}
			keys = append(keys, f)
		}
	}
	return keys
}

func readContents(root, node event.Value) []content {
	var contents []content
	for _, media := range node.Fields {
		contents = append(contents, content{Media: media.Name, Schema: readSchema(member(media.Value, "schema")), Examples: readExamples(root, media.Value)})
	}
	return contents
}

func readExamples(root, node event.Value) []example {
	var examples []example
	if e, found := event.Lookup(node.Fields, "example"); found {
		examples = append(examples, example{Text: pretty(e)})
	}
	for _, named := range member(node, "examples").Fields {
		e := resolve(root, named.Value)
		title := text(e, "summary")
		if title == "" {
			title = named.Name
		}
		examples = append(examples, example{Name: title, Text: pretty(member(e, "value"))})
	}
	return examples
}

// resolve follows references within the document, a few steps at most: they
// may lead in circles.
func resolve(root, node event.Value) event.Value {
	for range 8 {
		ref := member(node, "$ref")
		if ref.Kind != event.String || !strings.HasPrefix(ref.Text, "#/") {
			return node
		}
		node = root
		for step := range strings.SplitSeq(ref.Text[2:], "/") {
			node = member(node, strings.NewReplacer("~1", "/", "~0", "~").Replace(step))
		}
	}
	return node
}

// member is an object's member, null when there is none.
func member(node event.Value, name string) event.Value {
	value, _ := event.Lookup(node.Fields, name)
	return value
}

// text is a string of an object, "" for anything else.
func text(node event.Value, name string) string {
	if v := member(node, name); v.Kind == event.String {
		return v.Text
	}
	return ""
}

// plain is a value within a sentence: text and numbers as they are, "" for null.
func plain(v event.Value) string {
	switch v.Kind {
	case event.Null:
		return ""
	case event.String, event.Number:
		return v.Text
	}
	return string(v.AppendJSON(nil))
}

// pretty is an example as a person reads it: text as it is, JSON indented.
func pretty(v event.Value) string {
	if v.Kind == event.String {
		return v.Text
	}
	var b bytes.Buffer
	_ = json.Indent(&b, v.AppendJSON(nil), "", "  ") // what AppendJSON writes is JSON
	return b.String()
}

// anchor is a fragment made of letters, digits and dashes.
func anchor(s string) string {
	return strings.Trim(strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' {
			return r
		}
		return '-'
	}, s), "-")
}
