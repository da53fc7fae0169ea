// Package trackers is the list of vendors that Sparrow knows. It is the one
// place that names them: a new vendor is its own directory here and a line
// below. A vendor kept elsewhere joins the list in a main of one's own:
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
