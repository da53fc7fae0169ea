package config

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/auth"
	"github.com/sparrow-edge/sparrow/pkg/bot"
	"github.com/sparrow-edge/sparrow/pkg/dedup"
	"github.com/sparrow-edge/sparrow/pkg/dispatcher"
	"github.com/sparrow-edge/sparrow/pkg/journal"
	"github.com/sparrow-edge/sparrow/pkg/lease"
	"github.com/sparrow-edge/sparrow/pkg/report"
	"github.com/sparrow-edge/sparrow/pkg/sanitizer"
	"github.com/sparrow-edge/sparrow/pkg/strictyaml"
	"github.com/sparrow-edge/sparrow/pkg/trace"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
	"github.com/sparrow-edge/sparrow/pkg/warehouse/bigquery"
	"github.com/sparrow-edge/sparrow/pkg/warehouse/duckdb"
)

// Config is sparrow.yaml. Each section belongs to the package that does the
// work: it owns the keys, their defaults and their check.
type Config struct {
	// Environment is where the gateway runs; "production" refuses trackers that
	// are allowed plain HTTP.
	Environment string `yaml:"environment"`
	// Listen is the address of the public listener.
	Listen string `yaml:"listen"`
	// Data is the directory of journal, duplicate index, DuckDB and admin
	// socket; a relative one counts from the configuration file.
	Data string `yaml:"data"`
	// Plan is the tracking plan's file; a relative one counts from the
	// configuration file.
	Plan  string `yaml:"plan"`
	Paths Paths  `yaml:"paths"`
	// Drain bounds each step of a shutdown.
	Drain time.Duration `yaml:"drain"`

	Intake     dispatcher.Config `yaml:",inline"` // sources, limits, clientIp
	Journal    journal.Config    `yaml:"journal"`
	Lease      lease.Config      `yaml:"lease"`
	Duplicates dedup.Config      `yaml:"duplicates"`
	Warehouse  Warehouse         `yaml:"warehouse"`
	Sanitizer  sanitizer.Config  `yaml:"sanitizer"`
	Filters    Filters           `yaml:"filters"`
	Sentry     report.Config     `yaml:"sentry"`

	// Trackers are kept as they are written until the kind is known.
	Trackers []strictyaml.Node `yaml:"trackers"`
}

// Paths are where the public listener serves what browsers use.
type Paths struct {
	// Browser is the neutral path of the SDK ("/s/sparrow.js") and its intake
	// ("/s/e"), which block lists do not know.
	Browser string `yaml:"browser"`
}

// Filters say what is kept in the warehouse and sent to no vendor.
type Filters struct {
	Bots      bool `yaml:"bots"`      // events of crawlers and headless browsers
	Prerender bool `yaml:"prerender"` // events of pages that a browser only prepared
	// BotRules come before the list of bots, for one source each.
	BotRules []BotRules `yaml:"botRules"`
	// IDRules say what is nobody's id, for one source each.
	IDRules []IDRules `yaml:"idRules"`
}

// IDRules are a source's own rules for ids.
type IDRules struct {
	Source        string `yaml:"source"`
	trace.IDRules `yaml:",inline"`
}

// BotRules are a source's own rules for user agents.
type BotRules struct {
	Source    string `yaml:"source"`
	bot.Rules `yaml:",inline"`
}

// check wants rules of sources that exist.
func (f *Filters) check(sources []dispatcher.Source) error {
	var errs []error
	checkSource := func(key, source string, earlier bool) {
		if !slices.ContainsFunc(sources, func(s dispatcher.Source) bool { return s.Name == source }) {
			errs = append(errs, fmt.Errorf("%s.source: %q is no source: use the name of one", key, source))
		}
		if earlier {
			errs = append(errs, fmt.Errorf("%s.source: %q has rules already: put them together", key, source))
		}
	}
	for i, rules := range f.IDRules {
		checkSource(fmt.Sprintf("filters.idRules[%d]", i), rules.Source, slices.ContainsFunc(f.IDRules[:i], func(r IDRules) bool { return r.Source == rules.Source }))
	}
	for i, rules := range f.BotRules {
		key := fmt.Sprintf("filters.botRules[%d]", i)
		checkSource(key, rules.Source, slices.ContainsFunc(f.BotRules[:i], func(r BotRules) bool { return r.Source == rules.Source }))
		if slices.ContainsFunc(slices.Concat(rules.People, rules.Machines), func(text string) bool { return len(text) < 3 }) {
			errs = append(errs, fmt.Errorf("%s: a text has fewer than 3 characters: use a part of a user agent, such as OurApp/", key))
		}
	}
	return errors.Join(errs...)
}

// Warehouse is where raw payloads and outcomes are kept.
type Warehouse struct {
	// Kind is the adapter: "duckdb" or "bigquery".
	Kind     string           `yaml:"kind"`
	Loader   warehouse.Config `yaml:",inline"` // retention, interval, ...
	DuckDB   duckdb.Config    `yaml:",inline"` // memory, threads, ...
	BigQuery bigquery.Config  `yaml:",inline"` // project, dataset, ...
}

// The kinds of warehouse.
const (
	KindDuckDB   = "duckdb"
	KindBigQuery = "bigquery"
)

// check joins what the loader and the adapter that is named say.
func (w *Warehouse) check() error {
	switch w.Kind {
	case KindDuckDB:
		return errors.Join(w.Loader.Check(), w.DuckDB.Check())
	case KindBigQuery:
		return errors.Join(w.Loader.Check(), w.BigQuery.Check(), w.checkCredentials())
	default:
		return errors.Join(w.Loader.Check(),
			fmt.Errorf("warehouse.kind: %q is not known, use duckdb or bigquery%s", w.Kind, strictyaml.Suggest(w.Kind, []string{KindDuckDB, KindBigQuery})))
	}
}

// checkCredentials reads the service account's key, so that a wrong one shows
// before the start. Its errors hold nothing of the text.
func (w *Warehouse) checkCredentials() error {
	key := w.BigQuery.Credentials.Reveal()
	if key == "" {
		return nil
	}
	if _, err := auth.ParseServiceAccount([]byte(key)); err != nil {
		return fmt.Errorf("warehouse.credentials: %w (a file is written as ${file:/path/to/key.json})", err)
	}
	return nil
}

const production = "production"

func defaultConfig() Config {
	return Config{
		Environment: production,
		Listen:      ":8080",
		Data:        "./data",
		Plan:        "plan.yaml",
		Paths:       Paths{Browser: "/s"},
		Drain:       15 * time.Second,
		Intake:      dispatcher.DefaultConfig(),
		Journal:     journal.DefaultConfig(),
		Lease:       lease.DefaultConfig(),
		Duplicates:  dedup.DefaultConfig(),
		Warehouse:   Warehouse{Kind: KindDuckDB, Loader: warehouse.DefaultConfig(), DuckDB: duckdb.DefaultConfig(), BigQuery: bigquery.DefaultConfig()},
		Sanitizer:   sanitizer.DefaultConfig(),
		Filters:     Filters{Bots: true, Prerender: true},
	}
}

// check joins what every part says of its own section.
func (c *Config) check() error {
	var errs []error
	add := func(section string, err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("%s%w", section, err))
		}
	}
	add("", c.checkOwn())
	add("", c.Intake.Check())
	add("journal: ", c.Journal.Check())
	add("lease: ", c.Lease.Check())
	add("duplicates: ", c.Duplicates.Check())
	add("", c.Warehouse.check())
	clean := c.Sanitizer
	clean.Key = cmp.Or(clean.Key, noKey)
	add("sanitizer: ", clean.Check())
	add("", c.Filters.check(c.Intake.Sources))
	for i, source := range c.Intake.Sources {
		add(fmt.Sprintf("sources[%d].", i), sanitizer.CheckRegions(source.Regions))
	}
	add("sentry: ", c.Sentry.Check())
	return errors.Join(errs...)
}

func (c *Config) checkOwn() error {
	var errs []error
	if c.Environment == "" {
		errs = append(errs, errors.New("environment: say where this runs, such as production or staging"))
	}
	if _, _, err := net.SplitHostPort(c.Listen); err != nil {
		errs = append(errs, fmt.Errorf("listen: %q is no address, use \":8080\" or \"127.0.0.1:8080\"", c.Listen))
	}
	if c.Data == "" {
		errs = append(errs, errors.New("data: name a directory, such as ./data"))
	}
	if b := c.Paths.Browser; !strings.HasPrefix(b, "/") || b == "/" || path.Clean(b) != b || slices.Contains([]string{"/v1", "/healthz", "/readyz", "/metrics", "/docs", "/beacon", "/sourceConfig"}, b) {
		errs = append(errs, fmt.Errorf("paths.browser: %q: use a path of its own, such as /s", b))
	}
	if c.Drain <= 0 || c.Drain > 10*time.Minute {
		errs = append(errs, fmt.Errorf("drain: %s: use 1s to 10m", c.Drain))
	}
	return errors.Join(errs...)
}
