package bigquerytest_test

import (
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	loadAsChild() // returns at once unless this process is a child of TestKilledClientLosesNothingThatWasAnswered
	goleak.VerifyTestMain(m,
		goleak.IgnoreTopFunction("go.opencensus.io/stats/view.(*worker).start"), // the client's statistics
		// The client closes a connection that it replaces twenty seconds later.
		goleak.IgnoreAnyFunction("cloud.google.com/go/bigquery/storage/managedwriter.(*connection).getStream.func1"),
	)
}
