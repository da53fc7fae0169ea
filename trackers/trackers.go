// Package trackers is the list of the vendors in this repository. No other package
// names them: a new vendor is a directory here and a line below. For a vendor in
// another repository, write a main of your own:
// app.Main(append(trackers.All(), acme.Kind())...).
package trackers

import (
	"github.com/sparrow-edge/sparrow/pkg/tracker"
	"github.com/sparrow-edge/sparrow/trackers/amplitude"
	"github.com/sparrow-edge/sparrow/trackers/ga4"
	"github.com/sparrow-edge/sparrow/trackers/heap"
	"github.com/sparrow-edge/sparrow/trackers/http"
)

// All is every vendor of this repository, by name. The slice is the caller's.
func All() []tracker.Kind {
	return []tracker.Kind{
		amplitude.Kind(),
		ga4.Kind(),
		heap.Kind(),
		http.Kind(),
	}
}
