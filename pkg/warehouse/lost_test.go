package warehouse_test

import (
	"strings"
	"testing"

	"github.com/sparrow-edge/sparrow/pkg/warehouse"
)

// TestLostCountBelievesWhatCanBe: whole numbers between 1 and 100,000, also as text.
func TestLostCountBelievesWhatCanBe(t *testing.T) {
	for count, want := range map[string]int64{
		"1": 1, "17": 17, `"4"`: 4, "2.0": 2, "1e4": 10_000, "100000": 100_000, "100001": 0, "0": 0, "-3": 0, "1.5": 0, "1e15": 0, "1e999999999": 0,
		`"x"`: 0, `"inf"`: 0, `"0x10"`: 0, "null": 0, "true": 0, "[1]": 0, `""`: 0,
	} {
		data := strings.ReplaceAll(`{"event":"sparrow:lost","properties":{"count":N}}`, "N", count)
		row := warehouse.RawRow{Event: warehouse.LostEvent, Usable: true, Data: data}
		if got := warehouse.LostCount(&row); got != want {
			t.Errorf("count %s is %d, want %d", count, got, want)
		}
		for _, other := range []func(*warehouse.RawRow){
			func(r *warehouse.RawRow) { r.Duplicate = true },
			func(r *warehouse.RawRow) { r.Usable = false },
			func(r *warehouse.RawRow) { r.Refused = "too large" },
			func(r *warehouse.RawRow) { r.Event = "buy" },
		} {
			changed := row
			other(&changed)
			if got := warehouse.LostCount(&changed); got != 0 {
				t.Errorf("%+v counts %d", changed, got)
			}
		}
	}
}
