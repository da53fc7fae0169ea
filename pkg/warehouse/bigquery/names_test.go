package bigquery_test

import (
	"slices"
	"testing"

	"github.com/sparrow-edge/sparrow/pkg/warehouse"
	"github.com/sparrow-edge/sparrow/pkg/warehouse/bigquery/bigquerytest"
)

// TestDeliveriesSayWhatTheyAreOf: source and event come from the checkpoint or, where
// it does not say them, from the raw row: of the same batch, or stored before. An
// outcome of a duplicate, or of no row, has none.
func TestDeliveriesSayWhatTheyAreOf(t *testing.T) {
	server := bigquerytest.Start(t, bigquerytest.Config{Anonymous: true})
	w := strict(t, server, nil)
	persist(t, w, messages(t, 1, 3)) // with their raw rows: four outcomes
	b := messages(t, 3, 5)
	b.Raw[1].Duplicate = true
	b.Deliveries[3].Position.Index = 9 // there is no such row
	events, outcomes := *b, *b
	events.Outcomes, events.Deliveries, events.Filtered, events.Leaks, events.Lanes = warehouse.StreamPosition{}, nil, nil, nil, nil
	outcomes.Events, outcomes.Raw = warehouse.StreamPosition{}, nil
	outcomes.Deliveries = slices.Clone(b.Deliveries)
	outcomes.Deliveries[2].Source, outcomes.Deliveries[2].Event = "told", "by the checkpoint"
	persist(t, w, &events)
	persist(t, w, &outcomes) // after their raw rows
	if got, want := values(t, server, "deliveries", "source"), []string{"shop", "shop", "shop", "shop", "<nil>", "shop", "told", "<nil>"}; !slices.Equal(got, want) {
		t.Errorf("sources %v, want %v", got, want)
	}
	if got, want := values(t, server, "deliveries", "event"), []string{"buy", "buy", "buy", "buy", "<nil>", "buy", "by the checkpoint", "<nil>"}; !slices.Equal(got, want) {
		t.Errorf("events %v, want %v", got, want)
	}
	if outcomes.Deliveries[0].Source != "" || outcomes.Deliveries[1].Source != "" {
		t.Error("loading has changed the caller's batch")
	}
}
