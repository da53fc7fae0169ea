package api_test

import (
	"encoding/json"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// schemas checks JSON values against the part of JSON Schema 2020-12 that
// Sparrow's contracts use. An unknown keyword is an error, so that a contract
// cannot say more than its tests understand. Values are decoded with UseNumber.
type schemas struct {
	root any // what a $ref beginning with # points into
}

// annotations say nothing about validity.
var annotations = []string{"$schema", "$id", "$comment", "title", "description", "examples", "example", "default"}

// check returns what is wrong with value, with its path, or nil.
func (s schemas) check(schema, value any, path string) error {
	if schema == true {
		return nil
	}
	rules, ok := schema.(map[string]any)
	if !ok {
		return fmt.Errorf("%s: not allowed", path)
	}
	for keyword, rule := range rules {
		if slices.Contains(annotations, keyword) {
			continue
		}
		if err := s.keyword(keyword, rule, rules, value, path); err != nil {
			return err
		}
	}
	return nil
}

func (s schemas) keyword(keyword string, rule any, rules map[string]any, value any, path string) error {
	wrong := func(holds bool) error {
		if holds {
			return nil
		}
		return fmt.Errorf("%s: breaks %s", path, keyword)
	}
	switch keyword {
	case "$ref":
		target, err := s.resolve(rule.(string))
		if err != nil {
			return err
		}
		return s.check(target, value, path)
	case "type":
		return wrong(hasType(rule, value))
	case "enum":
		return wrong(slices.Contains(rule.([]any), value))
	case "const":
		return wrong(rule == value)
	case "anyOf":
		var last error
		for _, one := range rule.([]any) {
			if last = s.check(one, value, path); last == nil {
				return nil
			}
		}
		return last
	case "minLength", "maxLength", "pattern", "format":
		text, ok := value.(string)
		return wrong(!ok || textHolds(keyword, rule, text))
	case "minimum":
		n, ok := value.(json.Number)
		return wrong(!ok || number(n).Cmp(number(rule.(json.Number))) >= 0)
	case "required", "properties", "additionalProperties":
		fields, ok := value.(map[string]any)
		if !ok {
			return nil
		}
		return s.fields(keyword, rule, rules, fields, path)
	case "items", "minItems", "maxItems":
		list, ok := value.([]any)
		if !ok {
			return nil
		}
		return s.items(keyword, rule, list, path)
	}
	return fmt.Errorf("%s: this test does not know the keyword %s: teach it", path, keyword)
}

func (s schemas) fields(keyword string, rule any, rules, fields map[string]any, path string) error {
	switch keyword {
	case "required":
		for _, name := range rule.([]any) {
			if _, found := fields[name.(string)]; !found {
				return fmt.Errorf("%s.%s: required", path, name)
			}
		}
	case "properties":
		for name, schema := range rule.(map[string]any) {
			if value, found := fields[name]; found {
				if err := s.check(schema, value, path+"."+name); err != nil {
					return err
				}
			}
		}
	case "additionalProperties":
		known, _ := rules["properties"].(map[string]any)
		for name, value := range fields {
			if _, found := known[name]; !found {
				if err := s.check(rule, value, path+"."+name); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (s schemas) items(keyword string, rule any, list []any, path string) error {
	switch keyword {
	case "items":
		for i, value := range list {
			if err := s.check(rule, value, fmt.Sprintf("%s[%d]", path, i)); err != nil {
				return err
			}
		}
	case "minItems":
		if number(rule.(json.Number)).Cmp(big.NewRat(int64(len(list)), 1)) > 0 {
			return fmt.Errorf("%s: breaks minItems", path)
		}
	case "maxItems":
		if number(rule.(json.Number)).Cmp(big.NewRat(int64(len(list)), 1)) < 0 {
			return fmt.Errorf("%s: breaks maxItems", path)
		}
	}
	return nil
}

// resolve follows a reference within the document.
func (s schemas) resolve(ref string) (any, error) {
	pointer, local := strings.CutPrefix(ref, "#/")
	if !local {
		return nil, fmt.Errorf("%s: not a reference within the document", ref)
	}
	at := s.root
	for _, part := range strings.Split(pointer, "/") {
		name := strings.NewReplacer("~1", "/", "~0", "~").Replace(part)
		node, ok := at.(map[string]any)
		if !ok || node[name] == nil {
			return nil, fmt.Errorf("%s: leads nowhere", ref)
		}
		at = node[name]
	}
	return at, nil
}

func hasType(rule, value any) bool {
	if list, several := rule.([]any); several {
		return slices.ContainsFunc(list, func(one any) bool { return hasType(one, value) })
	}
	switch v := value.(type) {
	case nil:
		return rule == "null"
	case bool:
		return rule == "boolean"
	case string:
		return rule == "string"
	case []any:
		return rule == "array"
	case map[string]any:
		return rule == "object"
	case json.Number:
		return rule == "number" || rule == "integer" && number(v).IsInt()
	}
	return false
}

func textHolds(keyword string, rule any, text string) bool {
	switch keyword {
	case "minLength":
		return big.NewRat(int64(utf8.RuneCountInString(text)), 1).Cmp(number(rule.(json.Number))) >= 0
	case "maxLength":
		return big.NewRat(int64(utf8.RuneCountInString(text)), 1).Cmp(number(rule.(json.Number))) <= 0
	case "pattern":
		// \u0000 is JavaScript's, \x00 Go's.
		return regexp.MustCompile(strings.ReplaceAll(rule.(string), `\u0000`, `\x00`)).MatchString(text)
	}
	_, err := time.Parse(time.RFC3339, text)
	return rule == "date-time" && err == nil
}

func number(n json.Number) *big.Rat {
	r, ok := new(big.Rat).SetString(string(n))
	if !ok {
		return new(big.Rat)
	}
	return r
}
