// Package bigquery_test runs the real binary with `warehouse.kind: bigquery`:
// against the emulator, which speaks BigQuery's SQL, to see that every command
// works; and against the strict server of this process, which fails to order and
// keeps its own record of each committed row, to see that nothing is lost or
// stored twice. What the gateway's views say is never a witness of that.
package bigquery_test

import (
	"flag"
	"testing"

	"github.com/sparrow-edge/sparrow/test/harness"
)

func TestMain(m *testing.M) {
	flag.Parse()
	_ = flag.Set("test.parallel", "4") // most of the time of these tests is waiting
	harness.Main(m)
}
