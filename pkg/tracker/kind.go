package tracker

import "fmt"

// Kind is a vendor that a configuration can name.
type Kind struct {
	// Name is what `kind:` says in the configuration, such as "ga4".
	Name string
	// Summary is one line for `sparrow trackers list`.
	Summary string
	// Build makes a tracker from its part of the configuration. decode fills a pointer
	// to the kind's config struct; an unknown key is an error with its line. The error
	// names the wrong key and never a secret.
	Build func(decode func(into any) error) (Tracker, Traits, error)
}

// Define makes a Kind from a config struct with its defaults, and a function
// that checks a configuration and builds the tracker. C must not hold maps or
// slices in its defaults: they would be shared between trackers.
func Define[C any](name, summary string, defaults C, build func(C) (Tracker, Traits, error)) Kind {
	return Kind{Name: name, Summary: summary, Build: func(decode func(into any) error) (Tracker, Traits, error) {
		config := defaults
		if err := decode(&config); err != nil {
			return nil, Traits{}, err
		}
		t, traits, err := build(config)
		if err != nil {
			return nil, Traits{}, fmt.Errorf("%s: %w", name, err)
		}
		return t, traits, nil
	}}
}
