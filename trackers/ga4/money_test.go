package ga4_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/tracker/trackertest"
	"github.com/sparrow-edge/sparrow/trackers/ga4"
)

// In every event, an amount goes with its currency or not at all.
func TestAnAmountNeedsItsCurrency(t *testing.T) {
	text, number := event.StringValue, event.NumberValue
	for _, name := range []string{"Article Shared", "add_to_cart"} {
		for _, try := range []struct {
			value, currency event.Value
			want            string
		}{
			{number("9.90"), text("eur"), "9.9 EUR"},
			{text("9.9"), text("EUR"), "9.9 EUR"},
			{number("9.90"), event.Value{}, "<nil> <nil>"},
			{event.Value{}, text("EUR"), "<nil> <nil>"},
			{text("high"), text("EUR"), "<nil> <nil>"},
			{number("1"), text("Euro"), "<nil> <nil>"},
			{number("1e400"), text("EUR"), "<nil> <nil>"},
		} {
			e := trackertest.Track()
			e.Name, e.Properties = name, []event.Property{{Name: "value", Value: try.value}, {Name: "currency", Value: try.currency}}
			params := body(t, func(*ga4.Config) {}, e)["events"].([]any)[0].(map[string]any)["params"].(map[string]any)
			if got := fmt.Sprint(params["value"], " ", params["currency"]); got != try.want {
				t.Errorf("%s, %v %v: sent as %s, want %s", name, try.value, try.currency, got, try.want)
			}
		}
	}
}

// Google has no field for an event's id, and as a parameter it would be a
// dimension of as many values as there are events.
func TestTheEventsIDIsNotSent(t *testing.T) {
	e := trackertest.Track()
	if sent := fmt.Sprint(body(t, func(*ga4.Config) {}, e)); strings.Contains(sent, e.EventID) {
		t.Errorf("sent: %s", sent)
	}
}
