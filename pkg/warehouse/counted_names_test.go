package warehouse

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/event"
)

// A delivery's event is counted under the name that raw has, and a name that only
// a delivery has is a new one.
func TestCountedNamesOfDeliveries(t *testing.T) {
	today := time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC)
	names := newCountedNames(func(_ context.Context, day time.Time, source string) ([]string, error) {
		if source == "" {
			t.Error("read the names of no source")
		}
		if source != "full" || !day.Equal(today) {
			return nil, nil
		}
		list := make([]string, MaxNames)
		for i := range list {
			list[i] = fmt.Sprint("name ", i)
		}
		return list, nil
	})
	delivery := func(source, name string) DeliveryRow {
		return DeliveryRow{Delivery: event.Delivery{Source: source, Event: name, Day: today}}
	}
	b := &Batch{Deliveries: []DeliveryRow{
		delivery("full", "name 3"), delivery("full", "another"), delivery("full", event.NameInvalid),
		delivery("new", "another"), delivery("new", "another"), delivery("", ""),
	}}
	if err := names.assign(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range b.Deliveries {
		got = append(got, d.Event)
	}
	if want := "[name 3 (other) (invalid) another another ]"; fmt.Sprint(got) != want {
		t.Errorf("names %v, want %s", got, want)
	}
	if len(b.Names) != 1 || b.Names[0] != (NameRow{Day: today, Source: "new", Event: "another"}) {
		t.Errorf("new names %v", b.Names)
	}
}
