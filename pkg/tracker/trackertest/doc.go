// Package trackertest is the conformance suite of the tracker contract. It has one
// subtest for each clause, the same for every vendor, in this repository or outside
// it. A vendor's test describes the vendor:
//
//	var update = flag.Bool("update", false, "rewrite the golden files")
//
//	func TestConformance(t *testing.T) {
//		trackertest.Run(t, trackertest.Spec{
//			Kind:      acme.Kind(),
//			Config:    "apiKey: not-a-real-key\n",
//			Secrets:   []string{"not-a-real-key"},
//			Refused:   []trackertest.Refused{{Config: "{}", Key: "apiKey"}},
//			MaxEvents: 100,
//			MaxBytes:  1 << 20,
//			Update:    *update,
//		})
//	}
//
// A tracker that passes accounts for each event of a batch, keeps its limits, gives
// the same bytes for the same events, never takes a response for a delivery that did
// not happen, is safe for concurrent use, and never shows its secrets.
//
// Run needs nothing but the tracker. With a strict Fake of the vendor, NothingRefused
// checks random events against the vendor's rules. FuzzRequests, FuzzJudge and
// BenchmarkRequests are the bodies of a vendor's fuzz targets and benchmark:
//
//	func FuzzRequests(f *testing.F) { trackertest.FuzzRequests(f, spec()) }
//
// For a vendor's own tests, Corpus and Events are the suite's events, Build makes a
// tracker, and Perform sends a request to a handler.
package trackertest
