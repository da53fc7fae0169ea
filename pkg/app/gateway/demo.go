package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"

	"github.com/sparrow-edge/sparrow/pkg/app/admin"
	"github.com/sparrow-edge/sparrow/pkg/console"
)

// demoWays lets the demo page of `sparrow dev` see where its events are.
type demoWays struct{ ops operations }

// Way implements console.Finder.
func (d demoWays) Way(ctx context.Context, id string) ([]console.Way, error) {
	found, err := d.ops.Event(ctx, id, true)
	if errors.Is(err, admin.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	ways := make([]console.Way, len(found))
	for i := range found {
		f := &found[i]
		ways[i] = console.Way{EventID: f.EventID, Receipt: f.Receipt, ReceivedAt: f.ReceivedAt, Duplicate: f.Duplicate, Hops: []console.Hop{}}
		for j := range f.Steps {
			ways[i].Hops = append(ways[i].Hops, demoHop(&f.Steps[j]))
		}
	}
	return ways, nil
}

func demoHop(h *admin.TrailStep) console.Hop {
	hop := console.Hop{Tracker: h.Tracker, Outcome: h.Outcome, Reason: h.Reason, Error: h.Error, Properties: h.Property}
	for _, request := range h.Requests {
		request.Body = indented(request.Body)
		hop.Requests = append(hop.Requests, console.Request(request))
	}
	return hop
}

// indented adds white space to JSON, and nothing else; other text stays.
func indented(body string) string {
	var b bytes.Buffer
	if json.Indent(&b, []byte(body), "", "  ") != nil {
		return body
	}
	return b.String()
}
