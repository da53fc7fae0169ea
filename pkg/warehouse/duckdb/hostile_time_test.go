//go:build cgo

package duckdb_test

import (
	"fmt"
	"testing"

	"github.com/sparrow-edge/sparrow/pkg/event"
)

// A time that no correction can move must not stop the loader: typed events are
// made in the transaction of the rows.
func TestTimesBeyondTheCalendarDoNotStopLoading(t *testing.T) {
	w := reopened(t, t.TempDir())
	b := message(t, 1, 6, false)
	for i, at := range []string{"infinity", "-infinity", "294246-12-31T00:00:00Z", "9999-12-31T23:59:59Z", "290308-12-21 (BC) 00:00:00", "0001-01-01T00:00:00Z"} {
		b.Raw[i].Data = fmt.Sprintf(`{"event":"e","deviceId":"d","timestamp":%q}`, at)
		b.Raw[i].Context = []string{`{"sentAt":"0001-01-01T00:00:00Z"}`, `{"sentAt":"9999-12-31T23:59:59Z"}`}[i%2]
	}
	b.Events.Next = event.Position{Seq: 2}
	if err := w.Load(t.Context(), b); err != nil {
		t.Fatal(err)
	}
}
