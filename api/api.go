// Package api holds Sparrow's public contracts, as they are served and tested:
// the intake's OpenAPI document, the JSON Schemas of an event and of a tracking
// plan, and the cases in testdata that Go and JavaScript tests read alike.
package api

import (
	"embed"
	"fmt"

	"github.com/goccy/go-yaml"
)

//go:embed *.yaml *.json
var files embed.FS

// OpenAPI is the intake's OpenAPI 3.1 document as JSON, ready to be served. It
// is converted from the embedded openapi.yaml at each call: call it once.
func OpenAPI() ([]byte, error) {
	text, err := files.ReadFile("openapi.yaml")
	if err != nil {
		return nil, fmt.Errorf("read api document: %w", err)
	}
	document, err := yaml.YAMLToJSON(text)
	if err != nil {
		return nil, fmt.Errorf("convert api document: %w", err)
	}
	return document, nil
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
