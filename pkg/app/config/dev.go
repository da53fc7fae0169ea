package config

import (
	"cmp"
	_ "embed"
	"fmt"
	"os"

	"github.com/sparrow-edge/sparrow/pkg/plan"
	"github.com/sparrow-edge/sparrow/pkg/tracker"
)

//go:embed dev/sparrow.yaml
var devConfig []byte

//go:embed dev/plan.yaml
var devPlan []byte

// DevOptions change what `sparrow dev` runs on.
type DevOptions struct {
	Listen string // "" keeps the built-in address
	Data   string // "" keeps ./data
}

// Dev is the configuration that `sparrow dev` brings with it: a source with a
// known key, DuckDB, the three vendors in dry-run.
func Dev(kinds []tracker.Kind, options DevOptions) (*Settings, error) {
	none := func(string) (string, bool) { return "", false }
	s, err := parse("the configuration of sparrow dev", devConfig, kinds, none, os.ReadFile)
	if err != nil {
		return nil, fmt.Errorf("built-in configuration: %w", err)
	}
	s.Config.Listen = cmp.Or(options.Listen, s.Config.Listen)
	s.Config.Data = cmp.Or(options.Data, s.Config.Data)
	s.IsDev = true
	if s.Plan, err = plan.Parse("the plan of sparrow dev", devPlan); err != nil {
		return nil, fmt.Errorf("built-in plan: %w", err)
	}
	return s, s.checkPlan()
}
