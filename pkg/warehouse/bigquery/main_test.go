//go:build bigquery

// Run with go test -tags bigquery: the adapter is not finished, and some of its
// tests say so.

package bigquery_test

import (
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/sparrow-edge/sparrow/pkg/warehouse/warehousetest"
)

func TestMain(m *testing.M) {
	warehousetest.Child(openEmulated)
	code := m.Run()
	emulated.close()
	err := goleak.Find(
		goleak.IgnoreAnyFunction("go.opencensus.io/stats/view.(*worker).start"),
		// A connection that was replaced ends twenty seconds later.
		goleak.IgnoreAnyFunction("cloud.google.com/go/bigquery/storage/managedwriter.(*connection).getStream.func1"))
	if code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}
