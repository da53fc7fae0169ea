package console

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/tidwall/gjson"
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

func readReference(root gjson.Result) reference {
	info := root.Get("info")
	ref := reference{Title: text(info, "title"), Version: text(info, "version"), Description: text(info, "description")}
	root.Get("paths").ForEach(func(path, item gjson.Result) bool {
		item = resolve(root, item)
		for _, method := range methods {
			if op := item.Get(method); op.IsObject() {
				ref.Operations = append(ref.Operations, readOperation(root, path.String(), method, item, op))
			}
		}
		return true
	})
	root.Get("components.schemas").ForEach(func(name, node gjson.Result) bool {
		s := readSchema(node)
		s.Name = name.String()
		s.ID = "schema-" + anchor(s.Name)
		ref.Schemas = append(ref.Schemas, s)
		return true
	})
	return ref
}

func readOperation(root gjson.Result, path, method string, item, node gjson.Result) operation {
	op := operation{
		ID:     anchor(method + "-" + path),
		Method: strings.ToUpper(method), Path: path,
		Summary: text(node, "summary"), Description: text(node, "description"),
	}
	op.Keys = readSecurity(root, node)
	for _, list := range []gjson.Result{item.Get("parameters"), node.Get("parameters")} {
		for _, p := range list.Array() {
			p = resolve(root, p)
			f := readField(text(p, "name"), p.Get("schema"), p.Get("required").Bool())
			f.In = text(p, "in")
			if d := text(p, "description"); d != "" {
				f.Description = d
			}
			op.Parameters = append(op.Parameters, f)
		}
	}
	body := resolve(root, node.Get("requestBody"))
	op.BodyDescription = text(body, "description")
	op.Bodies = readContents(root, body.Get("content"))
	node.Get("responses").ForEach(func(status, r gjson.Result) bool {
		r = resolve(root, r)
		a := answer{Status: status.String(), Description: text(r, "description"), Bodies: readContents(root, r.Get("content"))}
		r.Get("headers").ForEach(func(name, h gjson.Result) bool {
			h = resolve(root, h)
			f := readField(name.String(), h.Get("schema"), false)
			f.Description = text(h, "description")
			a.Headers = append(a.Headers, f)
			return true
		})
		op.Answers = append(op.Answers, a)
		return true
	})
	return op
}

// readSecurity is how a client of an operation says who it is: the schemes of
// which one suffices.
func readSecurity(root, node gjson.Result) []field {
	security := member(node, "security")
	if !security.Exists() {
		security = member(root, "security")
	}
	schemes := root.Get("components.securitySchemes")
	var keys []field
	for _, choice := range security.Array() {
		choice.ForEach(func(name, _ gjson.Result) bool {
			scheme := resolve(root, member(schemes, name.String()))
			f := field{Name: text(scheme, "name"), In: text(scheme, "in"), Type: "string", Description: text(scheme, "description")}
			if text(scheme, "type") == "http" {
				f.Name, f.In, f.Type = "Authorization", "header", text(scheme, "scheme")
			}
			keys = append(keys, f)
			return true
		})
	}
	return keys
}

func readContents(root, node gjson.Result) []content {
	var contents []content
	node.ForEach(func(media, c gjson.Result) bool {
		contents = append(contents, content{Media: media.String(), Schema: readSchema(c.Get("schema")), Examples: readExamples(root, c)})
		return true
	})
	return contents
}

func readExamples(root, node gjson.Result) []example {
	var examples []example
	if e := node.Get("example"); e.Exists() {
		examples = append(examples, example{Text: pretty(e)})
	}
	node.Get("examples").ForEach(func(name, e gjson.Result) bool {
		e = resolve(root, e)
		title := text(e, "summary")
		if title == "" {
			title = name.String()
		}
		examples = append(examples, example{Name: title, Text: pretty(e.Get("value"))})
		return true
	})
	return examples
}

// resolve follows references within the document, a few steps at most: they
// may lead in circles.
func resolve(root, node gjson.Result) gjson.Result {
	for range 8 {
		ref := member(node, "$ref")
		if ref.Type != gjson.String || !strings.HasPrefix(ref.Str, "#/") {
			return node
		}
		node = root
		for step := range strings.SplitSeq(ref.Str[2:], "/") {
			node = member(node, strings.NewReplacer("~1", "/", "~0", "~").Replace(step))
		}
	}
	return node
}

// member is an object's value by its exact name; gjson's paths would read
// signs such as "." and "*" in it.
func member(node gjson.Result, name string) (value gjson.Result) {
	if !node.IsObject() {
		return value
	}
	node.ForEach(func(key, v gjson.Result) bool {
		if key.String() == name {
			value = v
			return false
		}
		return true
	})
	return value
}

// text is a string of an object, "" for anything else.
func text(node gjson.Result, name string) string {
	if v := member(node, name); v.Type == gjson.String {
		return v.Str
	}
	return ""
}

// pretty is an example as a person reads it: text as it is, JSON indented.
func pretty(v gjson.Result) string {
	if v.Type == gjson.String {
		return v.Str
	}
	var b bytes.Buffer
	if json.Indent(&b, []byte(v.Raw), "", "  ") != nil {
		return v.Raw
	}
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
