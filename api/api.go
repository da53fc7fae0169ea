// Package api holds Sparrow's public contracts, as they are served and tested:
// the intake's OpenAPI document, the JSON Schemas of an event and of a tracking
// plan, and the cases in testdata that Go and JavaScript tests read alike.
package api

import (
	"embed"
	"fmt"
	"sync"

	"github.com/goccy/go-yaml"
)

//go:embed *.yaml *.json
var files embed.FS

// OpenAPI is the intake's OpenAPI 3.1 document as JSON, ready to be served: the
// embedded openapi.yaml with the event's schema put in. It is converted once;
// callers share the bytes and must not change them.
func OpenAPI() []byte { return openAPI() }

var openAPI = sync.OnceValue(func() []byte {
	document, err := convert()
	if err != nil {
		// The files are part of the program, and a test converts them.
		panic(fmt.Sprintf("api: %v", err))
	}
	return document
})

func convert() ([]byte, error) {
	var document, event yaml.MapSlice
	for name, into := range map[string]*yaml.MapSlice{"openapi.yaml": &document, "event.schema.json": &event} {
		text, err := files.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		if err := yaml.UnmarshalWithOptions(text, into, yaml.UseOrderedMap()); err != nil {
			return nil, fmt.Errorf("parse %s: %w", name, err)
		}
	}
	if err := replace(document, event, "components", "schemas", "Event"); err != nil {
		return nil, err
	}
	text, err := yaml.MarshalWithOptions(document, yaml.JSON())
	if err != nil {
		return nil, fmt.Errorf("convert openapi.yaml: %w", err)
	}
	return text, nil
}

// replace sets the value at a path of names that exists in the document.
func replace(document, value yaml.MapSlice, path ...string) error {
	for i := range document {
		if document[i].Key != path[0] {
			continue
		}
		if len(path) == 1 {
			document[i].Value = value
			return nil
		}
		if inner, ok := document[i].Value.(yaml.MapSlice); ok {
			return replace(inner, value, path[1:]...)
		}
	}
	return fmt.Errorf("openapi.yaml has no %s", path[0])
}

// Schema is an embedded JSON Schema by its file's name: "event.schema.json" or
// "plan.schema.json".
func Schema(name string) ([]byte, error) {
	text, err := files.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("read schema: %w", err)
	}
	return text, nil
}
