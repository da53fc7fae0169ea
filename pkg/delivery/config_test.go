package delivery_test

import (
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/sparrow-edge/sparrow/pkg/delivery"
	"github.com/sparrow-edge/sparrow/pkg/tracker"
)

func TestConfigCheck(t *testing.T) {
	cases := map[string]struct {
		change func(c *delivery.Config)
		want   string // in the error, "" for none
	}{
		"default":      {func(*delivery.Config) {}, ""},
		"from a time":  {func(c *delivery.Config) { c.From = "2026-11-20T09:00:00Z" }, ""},
		"name":         {func(c *delivery.Config) { c.Name = "GA 4" }, "name:"},
		"no name":      {func(c *delivery.Config) { c.Name = "" }, "name:"},
		"mode":         {func(c *delivery.Config) { c.Mode = "dry" }, "live or dry-run"},
		"from":         {func(c *delivery.Config) { c.From = "yesterday" }, "from:"},
		"rate":         {func(c *delivery.Config) { c.Rate = -1 }, "rate:"},
		"burst":        {func(c *delivery.Config) { c.Burst = -1 }, "burst:"},
		"concurrency":  {func(c *delivery.Config) { c.Concurrency = 1000 }, "concurrency:"},
		"budget":       {func(c *delivery.Config) { c.RetryFor = -time.Hour }, "budget:"},
		"timeout":      {func(c *delivery.Config) { c.Timeout = 0 }, "timeout:"},
		"long timeout": {func(c *delivery.Config) { c.Timeout = time.Hour }, "timeout:"},
		"maxParked":    {func(c *delivery.Config) { c.MaxParked = 1 << 20 }, "maxParked:"},
		"isolateAfter": {func(c *delivery.Config) { c.IsolateAfter = 1 }, "isolateAfter:"},
		"drain":        {func(c *delivery.Config) { c.Drain = -1 }, "drain:"},
		"maxAge":       {func(c *delivery.Config) { c.MaxAge = -1 }, "maxAge:"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			config := delivery.DefaultConfig()
			config.Name = "ga4"
			c.change(&config)
			err := config.Check()
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("Check() = %v, want %q", err, c.want)
			}
			_, newErr := delivery.New(config, &translator{}, tracker.Traits{}, newWorld(t, true).deps())
			if (newErr == nil) != (err == nil) {
				t.Errorf("New() = %v, Check() = %v", newErr, err)
			}
		})
	}
}

func TestConfigKeys(t *testing.T) {
	text := "name: ga4\nmode: dry-run\nfrom: start\ninsecure: true\nrate: 600/min\nburst: 20\nconcurrency: 3\nbudget: 2h\ntimeout: 5s\nmaxParked: 7\nisolateAfter: 4\n"
	config := delivery.DefaultConfig()
	if err := yaml.UnmarshalWithOptions([]byte(text), &config, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	want := delivery.Config{
		Name: "ga4", Mode: delivery.DryRun, From: "start", Insecure: true, Rate: 10, Burst: 20, Concurrency: 3,
		RetryFor: 2 * time.Hour, Timeout: 5 * time.Second, MaxParked: 7, IsolateAfter: 4, Drain: delivery.DefaultConfig().Drain,
	}
	if config != want {
		t.Errorf("got %+v, want %+v", config, want)
	}
}

func TestNewNeedsItsDependencies(t *testing.T) {
	config := delivery.DefaultConfig()
	config.Name = "ga4"
	for name, break_ := range map[string]func(d *delivery.Deps){
		"source":      func(d *delivery.Deps) { d.Source = nil },
		"outcome log": func(d *delivery.Deps) { d.OutcomeLog = nil },
		"tracer":      func(d *delivery.Deps) { d.Tracer = nil },
	} {
		deps := newWorld(t, true).deps()
		break_(&deps)
		if _, err := delivery.New(config, &translator{}, tracker.Traits{}, deps); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("without %s: %v", name, err)
		}
	}
	if _, err := delivery.New(config, nil, tracker.Traits{}, newWorld(t, true).deps()); err == nil {
		t.Error("New took no tracker")
	}
}
