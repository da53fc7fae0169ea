package bigquery_test

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/sparrow-edge/sparrow/pkg/warehouse/warehousetest"
)

func TestMain(m *testing.M) {
	warehousetest.Child(openEmulated)
	flag.Parse()
	_ = flag.Set("test.parallel", "6") // most of the time of these tests is waiting
	// An emulator that is killed leaves its files where it made them.
	dir, err := os.MkdirTemp("", "sparrow-bigquery-*")
	if err == nil {
		err = os.Setenv("TMPDIR", dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	processes.close()
	_ = os.RemoveAll(dir)
	err = goleak.Find(
		goleak.IgnoreAnyFunction("go.opencensus.io/stats/view.(*worker).start"),
		// A connection that was replaced ends twenty seconds later.
		goleak.IgnoreAnyFunction("cloud.google.com/go/bigquery/storage/managedwriter.(*connection).getStream.func1"))
	if code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}
