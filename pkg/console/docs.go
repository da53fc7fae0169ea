package console

import (
	"errors"
	"fmt"
	"html/template"
	"net/http"

	"github.com/sparrow-edge/sparrow/pkg/event"
)

// The bounds of the OpenAPI document.
const (
	maxDocument = 4 << 20 // bytes
	maxLevels   = 10_000  // of nesting
)

// Docs renders an OpenAPI 3.1 document, as JSON, as one page to read: the
// operations with their parameters, bodies, answers and examples, then the
// schemas they refer to. The page is made here, once; the handler only writes
// it. It is an error if openapi is not a JSON object with "openapi" and
// "paths", or larger than 4 MiB. What a part of the document leaves out, or
// has in a form that OpenAPI does not know, the page leaves out.
func Docs(openapi []byte) (http.Handler, error) {
	if len(openapi) > maxDocument {
		return nil, fmt.Errorf("render api reference: document of %d bytes is over %d", len(openapi), maxDocument)
	}
	root, err := event.ParseValue(openapi, maxLevels)
	if err != nil {
		return nil, fmt.Errorf("render api reference: document is %w", err)
	}
	if _, found := event.Lookup(root.Fields, "openapi"); !found || member(root, "paths").Kind != event.Object {
		return nil, errors.New(`render api reference: document has no "openapi" or no "paths"`)
	}
	page, err := render("docs.html", "docs.css", "", readReference(root), template.FuncMap{"prose": prose})
	if err != nil {
		return nil, fmt.Errorf("render api reference: %w", err)
	}
	return page, nil
}
