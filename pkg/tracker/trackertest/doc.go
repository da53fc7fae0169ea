// Package trackertest is the conformance suite of the tracker contract: one
// subtest a clause, the same for every vendor, in this repository or outside it.
// A vendor's test is its facts:
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
// It promises that a tracker which passes accounts for each event of a batch,
// stays within its limits, gives the same bytes for the same events, reads any
// answer without claiming a delivery that did not happen, can be used by many
// goroutines at once, and shows its secrets nowhere.
//
// Run needs nothing but the tracker. With a strict Fake of the vendor, NothingRefused
// holds random events against its rules; FuzzRequests, FuzzJudge and
// BenchmarkRequests are the bodies of a vendor's fuzz targets and benchmark:
//
//	func FuzzRequests(f *testing.F) { trackertest.FuzzRequests(f, spec()) }
//
// Corpus and Events are the suite's events, Build and Perform make trackers and
// perform requests, for a vendor's own tests.
package trackertest
