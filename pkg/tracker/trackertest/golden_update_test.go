package trackertest_test

import (
	"flag"
	"testing"

	"github.com/sparrow-edge/sparrow/pkg/tracker/trackertest"
)

var update = flag.Bool("update", false, "rewrite the golden files")

func TestUpdateGolden(t *testing.T) {
	s := spec(t, sound())
	s.Update = *update
	if faults := trackertest.FaultsOf(s, "golden requests"); len(faults) > 0 {
		t.Error(faults)
	}
}
