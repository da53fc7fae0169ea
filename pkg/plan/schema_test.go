package plan_test

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/goccy/go-yaml"

	"github.com/sparrow-edge/sparrow/pkg/plan"
)

// TestSchemaAgreesWithTheParser holds api/plan.schema.json against the parser.
// What a schema cannot say (one property, one type; columns) is left to the parser.
func TestSchemaAgreesWithTheParser(t *testing.T) {
	raw, err := os.ReadFile("../../api/plan.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var root map[string]any
	if err := json.Unmarshal(raw, &root); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]bool{
		shop:                                    true,
		"":                                      true,
		"events:":                               true,
		"events: {}":                            true,
		"version: 1":                            true,
		"version: a":                            true,
		"evens: {}":                             false,
		"events: []":                            false,
		"events: { a: }":                        true,
		"events: { a: { x: 1 } }":               false,
		"events: { a: { trackers: [] } }":       true,
		"events: { a: { trackers: [x, x] } }":   false,
		"events: { a: { trackers: { x: y } } }": false,
		"events: { a: { consent: [\"\"] } }":    false,
		"events: { a: { names: { ga4: purchase } } }":                            true,
		"events: { a: { names: { ga4: \"\" } } }":                                false,
		"events: { a: { properties: { p: string } } }":                           true,
		"events: { a: { properties: { p: text } } }":                             false,
		"events: { a: { properties: { p: } } }":                                  false,
		"events: { a: { properties: { p: {} } } }":                               false,
		"events: { a: { properties: { p: { type: any } } } }":                    true,
		"events: { a: { properties: { p: { type: string, values: [] } } } }":     false,
		"events: { a: { properties: { p: { type: string, values: [a, b] } } } }": true,
		"events: { a: { properties: { p: { type: string, required: yess } } } }": false,
		"events: { a: { properties: { p: { type: string, required: true } } } }": true,
		"events: { a: { properties: { p: { type: array, of: number } } } }":      true,
		"events: { a: { properties: { p: { type: array, of: nmber } } } }":       false,
		"events: { a: { properties: { \"\": string } } }":                        false,
		"userProperties: { tier: string }":                                       true,
		"userProperties: { tier: { typ: string } }":                              false,
		"context: { page: false }":                                               true,
		"context: { pages: false }":                                              false,
		"context: { page: 3 }":                                                   false,
		"defaults: { consent: [a] }":                                             true,
		"defaults: { consents: [a] }":                                            false,
		"events: { " + strings.Repeat("a", 201) + ": {} }":                       false,
	} {
		_, parseErr := plan.Parse("plan.yaml", []byte(text))
		var value any
		if err := yaml.Unmarshal([]byte(text), &value); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		schemaErr := (&validator{root}).check(root, value, "plan")
		if (parseErr == nil) != want || (schemaErr == nil) != want {
			t.Errorf("%q: want accepted %v; the parser says %v, the schema %v", text, want, parseErr, schemaErr)
		}
	}
}

// validator knows the keywords that the schema uses, and refuses others.
type validator struct{ root map[string]any }

func (v *validator) check(schema map[string]any, value any, at string) error {
	for keyword, want := range schema {
		if err := v.keyword(keyword, want, schema, value); err != nil {
			return fmt.Errorf("%s: %w", at, err)
		}
	}
	return nil
}

func (v *validator) keyword(keyword string, want any, schema map[string]any, value any) error {
	object, isObject := value.(map[string]any)
	list, isList := value.([]any)
	text, isText := value.(string)
	switch keyword {
	case "$schema", "$id", "$defs", "title", "description", "default":
	case "$ref":
		name := strings.TrimPrefix(want.(string), "#/$defs/")
		return v.check(v.root["$defs"].(map[string]any)[name].(map[string]any), value, name)
	case "type":
		types, ok := want.([]any)
		if !ok {
			types = []any{want}
		}
		if !slices.ContainsFunc(types, func(t any) bool { return typeOf(value) == t }) {
			return fmt.Errorf("is %s", typeOf(value))
		}
	case "enum":
		if !slices.Contains(want.([]any), any(text)) || !isText {
			return fmt.Errorf("%v is not one of %v", value, want)
		}
	case "required":
		for _, name := range want.([]any) {
			if _, ok := object[name.(string)]; isObject && !ok {
				return fmt.Errorf("%v is missing", name)
			}
		}
	case "properties":
		for name, inner := range want.(map[string]any) {
			if member, ok := object[name]; ok {
				if err := v.check(inner.(map[string]any), member, name); err != nil {
					return err
				}
			}
		}
	case "additionalProperties":
		known, _ := schema["properties"].(map[string]any)
		for name, member := range object {
			if _, ok := known[name]; ok {
				continue
			}
			inner, ok := want.(map[string]any)
			if !ok {
				return fmt.Errorf("%q is unknown", name)
			}
			if err := v.check(inner, member, name); err != nil {
				return err
			}
		}
	case "propertyNames":
		for name := range object {
			if err := v.check(want.(map[string]any), name, name); err != nil {
				return err
			}
		}
	case "items":
		for _, item := range list {
			if err := v.check(want.(map[string]any), item, "item"); err != nil {
				return err
			}
		}
	case "uniqueItems":
		for i, item := range list {
			if slices.Contains(list[:i], item) {
				return fmt.Errorf("%v stands twice", item)
			}
		}
	case "anyOf":
		for _, option := range want.([]any) {
			if v.check(option.(map[string]any), value, "option") == nil {
				return nil
			}
		}
		return fmt.Errorf("%v is none of the options", value)
	case "minLength", "maxLength", "minItems", "maxProperties":
		return bound(keyword, int(want.(float64)), isText, utf8.RuneCountInString(text), isList, len(list), len(object))
	default:
		return fmt.Errorf("keyword %q is not known to this test", keyword)
	}
	return nil
}

func bound(keyword string, limit int, isText bool, runes int, isList bool, items, members int) error {
	if keyword == "minLength" && isText && runes < limit || keyword == "maxLength" && isText && runes > limit ||
		keyword == "minItems" && isList && items < limit || keyword == "maxProperties" && members > limit {
		return fmt.Errorf("breaks %s %d", keyword, limit)
	}
	return nil
}

func typeOf(value any) string {
	switch value.(type) {
	case nil:
		return "null"
	case string:
		return "string"
	case bool:
		return "boolean"
	case map[string]any:
		return "object"
	case []any:
		return "array"
	}
	return "number"
}
