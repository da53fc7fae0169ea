package trackertest_test

import (
	"errors"
	"fmt"
	"strings"

	"github.com/sparrow-edge/sparrow/pkg/tracker"
)

// brokenConfigurations are trackers that configure or show themselves wrongly, by
// the clause that each must fail.
func brokenConfigurations() map[string]map[string]func(*twin) {
	return map[string]map[string]func(*twin){
		"configuration is strict": {
			"unknown keys are ignored": func(w *twin) {
				w.decode = func(decode func(any) error, into any) error {
					if err := decode(into); err != nil && !strings.Contains(err.Error(), "noSuchKey") {
						return err
					}
					into.(*config).Token = secret
					return nil
				}
			},
			"the base URL is not checked": func(w *twin) {
				w.check = func(c config) error { c.BaseURL = ""; return check(c) }
			},
			"the error names no key": func(w *twin) {
				w.check = func(c config) error {
					if check(c) != nil {
						return errors.New("invalid configuration")
					}
					return nil
				}
			},
		},
		"errors show no secret": {
			"an error quotes the token": func(w *twin) {
				w.check = func(c config) error {
					if err := check(c); err != nil {
						return fmt.Errorf("%s: %w", c.Token.Reveal(), err)
					}
					return nil
				}
			},
			"the tracker prints its token": func(w *twin) { w.shown = true },
		},
		"traits make sense": {
			"no batch":        func(w *twin) { w.traits = func(t *tracker.Traits) { t.MaxBatch = 0 } },
			"no concurrency":  func(w *twin) { w.traits = func(t *tracker.Traits) { t.Concurrency = 0 } },
			"a rate no burst": func(w *twin) { w.traits = func(t *tracker.Traits) { t.Rate = 5 } },
			"secrets unnamed": func(w *twin) { w.traits = func(t *tracker.Traits) { t.Secrets = nil } },
		},
	}
}
