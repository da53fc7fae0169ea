package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"

	"github.com/sparrow-edge/sparrow/pkg/app/admin"
	"github.com/sparrow-edge/sparrow/pkg/trail"
)

// demoTrails lets the demo page of `sparrow dev` see where its events are.
type demoTrails struct{ ops operations }

// Trails implements console.Finder. It indents the requests' bodies for people.
func (d demoTrails) Trails(ctx context.Context, id string) ([]trail.Trail, error) {
	found, err := d.ops.Event(ctx, id, true)
	if errors.Is(err, admin.ErrNotFound) {
		return nil, nil
	}
	for i := range found {
		t := &found[i]
		if t.Steps == nil {
			t.Steps = []trail.Step{} // the page wants an array
		}
		for _, step := range t.Steps {
			for i := range step.Requests {
				step.Requests[i].Body = indented(step.Requests[i].Body)
			}
		}
	}
	return found, err
}

// indented adds white space to JSON, and nothing else; other text stays.
func indented(body string) string {
	var b bytes.Buffer
	if json.Indent(&b, []byte(body), "", "  ") != nil {
		return body
	}
	return b.String()
}
