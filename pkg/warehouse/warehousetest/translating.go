package warehousetest

import (
	"testing"

	"github.com/sparrow-edge/sparrow/pkg/event"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
)

// checkTranslated: an event in another format keeps its bytes in raw; its name
// and its columns are its translation's. One that keeps no contract has no row
// in the view.
func checkTranslated(t testing.TB, h Harness) {
	w := prepared(t, h)
	apply(t, w, false, warehouse.Column{Name: "n", Property: "n", Type: warehouse.TypeInteger})
	const sent = `{ "type":"page", "anonymousId":"a", "event":"not this one", "properties":{"n":1} }`
	const translated = `{"event":"pageview","deviceId":"a","userId":"u","timestamp":"2026-01-31T12:00:00Z","properties":{"n":7}}`
	foreign := record(at(1, 0), sent)
	foreign.Context.Format, foreign.Translated = "segment", []byte(translated)
	own := record(at(1, 1), `{"event":"e","deviceId":"d","properties":{"n":2}}`)
	invalid := record(at(1, 2), `{"type":"page"}`)
	invalid.Context.Format, invalid.Context.Invalid, invalid.Translated = "segment", "anonymousId or userId: required", []byte(`{"event":"pageview"}`)
	load(t, w, batch(t, event.Position{Seq: 2}, foreign, own, invalid))
	same(t, "raw", ask(t, w, "select data, event, usable, translated from raw order by idx"), [][]any{
		{sent, "pageview", true, translated},
		{`{"event":"e","deviceId":"d","properties":{"n":2}}`, "e", true, nil},
		{`{"type":"page"}`, "pageview", false, `{"event":"pageview"}`},
	})
	same(t, "raw_normalized", ask(t, w, "select event, deviceId, userId, timestamp, n from raw_normalized order by receipt"), [][]any{
		{"pageview", "a", "u", "2026-01-31T12:00:00Z", "7"},
		{"e", "d", nil, ask(t, w, "select receivedAt from raw_normalized where event = 'e'")[0][0], "2"},
	})
}
