package config

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sparrow-edge/sparrow/pkg/bot"
	"github.com/sparrow-edge/sparrow/pkg/delivery"
	"github.com/sparrow-edge/sparrow/pkg/plan"
	"github.com/sparrow-edge/sparrow/pkg/sanitizer"
	"github.com/sparrow-edge/sparrow/pkg/strictyaml"
	"github.com/sparrow-edge/sparrow/pkg/trace"
	"github.com/sparrow-edge/sparrow/pkg/tracker"
)

// Settings is everything that a gateway is built from: the configuration, the
// plan and the trackers, all checked.
type Settings struct {
	File     string // of the configuration, for messages
	Config   Config
	Plan     *plan.Plan
	Trackers []Tracker

	// Reread reads the files again; nil for settings that are built in.
	Reread func() (*Settings, error)
	// IsDev is set by Dev: the gateway shows its demo page.
	IsDev bool
	// Roles are the parts of the gateway that this process runs.
	Roles Roles
	// Adopt makes this process's DuckDB file the warehouse of a cluster whose
	// loader filled another process's.
	Adopt bool

	planFile string // "" for a plan that is built in
}

// Tracker is a configured tracker, built.
type Tracker struct {
	Kind   string
	Lane   delivery.Config
	Vendor tracker.Tracker
	Traits tracker.Traits

	fingerprint [sha256.Size]byte // of what the configuration says of it
}

// Same reports whether two trackers are configured alike.
func (t Tracker) Same(other Tracker) bool {
	return t.Lane.Name == other.Lane.Name && t.fingerprint == other.fingerprint
}

// Load reads and checks the configuration, the plan that it names, and every
// tracker. The error lists all that is wrong, with file and line where there is
// one; it wraps os.ErrNotExist when the configuration is not there.
func Load(file string, kinds []tracker.Kind, env func(string) (string, bool)) (*Settings, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	base := filepath.Dir(file)
	s, err := parse(file, text, kinds, env, func(name string) ([]byte, error) { return os.ReadFile(resolve(base, name)) })
	if err != nil {
		return nil, err
	}
	s.Reread = func() (*Settings, error) { return Load(file, kinds, env) }
	s.Config.Data = resolve(base, s.Config.Data)
	s.planFile = resolve(base, s.Config.Plan)
	if s.Plan, err = plan.Load(s.planFile); err != nil {
		return nil, fmt.Errorf("plan: %w", err)
	}
	return s, s.checkPlan()
}

// checkPlan checks what a plan says of trackers and kinds of personal data
// against the configuration.
func (s *Settings) checkPlan() error {
	clean, err := newSanitizer(s.Config.Sanitizer, noKey)
	if err != nil {
		return err
	}
	_, err = s.Tracer(s.Plan, clean)
	if err = errors.Join(s.Plan.CheckTrackers(s.TrackerNames()), err); err != nil {
		return fmt.Errorf("%s: %w", s.PlanFile(), err)
	}
	return nil
}

// TrackerNames are the names of the configured trackers.
func (s *Settings) TrackerNames() []string {
	names := make([]string, len(s.Trackers))
	for i, t := range s.Trackers {
		names[i] = t.Lane.Name
	}
	return names
}

// Secrets are what must never be shown: the trackers' credentials, the write
// keys of servers, the identity key, the warehouse's key, the journal's address
// where it holds a password. A browser's write key is public.
func (s *Settings) Secrets() []string {
	var list []string
	for _, t := range s.Trackers {
		for _, credential := range t.Traits.Secrets {
			list = append(list, credential.Reveal())
		}
	}
	for _, source := range s.Config.Intake.Sources {
		if len(source.Origins) == 0 {
			list = append(list, source.Keys...)
		}
	}
	if strings.Contains(s.Config.Journal.URL, "@") {
		list = append(list, s.Config.Journal.URL)
	}
	return append(list, s.Config.Sanitizer.Key, s.Config.Warehouse.BigQuery.Credentials.Reveal())
}

// PlanFile is where the plan was read from.
func (s *Settings) PlanFile() string {
	if s.planFile == "" {
		return "(built in)"
	}
	return s.planFile
}

func resolve(base, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(base, path)
}

func parse(file string, text []byte, kinds []tracker.Kind, env func(string) (string, bool), read func(string) ([]byte, error)) (*Settings, error) {
	document, err := strictyaml.Parse(file, text)
	if err != nil {
		return nil, err
	}
	if err := document.Expand(env, read); err != nil {
		return nil, err
	}
	s := &Settings{File: file, Config: defaultConfig(), Roles: everyRole()}
	if err := document.Decode(&s.Config); err != nil {
		return nil, err
	}
	if s.Config.Sentry.Environment == "" {
		s.Config.Sentry.Environment = s.Config.Environment
	}
	trackers, trackersErr := buildTrackers(file, &s.Config, kinds)
	s.Trackers = trackers
	if err := s.Config.check(); err != nil || trackersErr != nil {
		return nil, fmt.Errorf("%s: %w", file, errors.Join(err, trackersErr))
	}
	return s, nil
}

func buildTrackers(file string, c *Config, kinds []tracker.Kind) ([]Tracker, error) {
	var list []Tracker
	var errs []error
	for _, node := range c.Trackers {
		node = node.WithFile(file)
		t, err := buildTracker(node, c, kinds)
		switch {
		case err != nil:
			errs = append(errs, fmt.Errorf("tracker at line %d: %w", node.Line(), err))
		case slices.ContainsFunc(list, func(other Tracker) bool { return other.Lane.Name == t.Lane.Name }):
			errs = append(errs, fmt.Errorf("tracker at line %d: name: %q is taken by another tracker; give each its own", node.Line(), t.Lane.Name))
		default:
			list = append(list, t)
		}
	}
	return list, errors.Join(errs...)
}

// common is what every tracker's entry may hold, beside the vendor's own keys.
type common struct {
	Kind            string `yaml:"kind"`
	delivery.Config `yaml:",inline"`
}

func buildTracker(node strictyaml.Node, c *Config, kinds []tracker.Kind) (Tracker, error) {
	shared := common{Config: delivery.DefaultConfig()}
	ours, others, err := node.Split(&shared)
	if err != nil {
		return Tracker{}, err
	}
	if err := ours.Decode(&shared); err != nil {
		return Tracker{}, err
	}
	at := slices.IndexFunc(kinds, func(k tracker.Kind) bool { return k.Name == shared.Kind })
	if at < 0 {
		names := make([]string, len(kinds))
		for i, k := range kinds {
			names[i] = k.Name
		}
		return Tracker{}, fmt.Errorf("kind: %q is not known%s (there are %v)", shared.Kind, strictyaml.Suggest(shared.Kind, names), names)
	}
	if shared.Name == "" {
		shared.Name = shared.Kind
	}
	shared.MaxAge, shared.Drain = c.Journal.MaxAge, c.Drain
	if shared.Insecure && c.Environment == production {
		return Tracker{}, fmt.Errorf("insecure: plain HTTP is refused while environment is %s; give the tracker an https address", production)
	}
	t := Tracker{Kind: shared.Kind, Lane: shared.Config, fingerprint: sha256.Sum256([]byte(node.Text()))}
	t.Vendor, t.Traits, err = kinds[at].Build(func(into any) error { return decodeVendor(node, others, into) })
	if err == nil && t.Traits.Unencrypted && c.Environment == production {
		err = fmt.Errorf("baseURL: plain HTTP is refused while environment is %s; give the tracker an https address", production)
	}
	return t, errors.Join(shared.Config.Check(), err)
}

// decodeVendor fills a kind's own configuration with the keys it has. The others that
// are no common ones are decoded too, so that the strict decoder reports the unknown.
func decodeVendor(node, others strictyaml.Node, into any) error {
	known, _, err := node.Split(into)
	if err != nil {
		return err
	}
	if err := others.Decode(into); err != nil {
		return err
	}
	return known.Decode(into)
}

// Tracer applies a plan as the configuration says.
func (s *Settings) Tracer(p *plan.Plan, clean *sanitizer.Sanitizer) (*trace.Tracer, error) {
	f := s.Config.Filters
	rules := make(map[string]bot.Rules)
	for _, r := range f.BotRules {
		rules[r.Source] = r.Rules
	}
	ids := make(map[string]trace.IDRules)
	for _, r := range f.IDRules {
		ids[r.Source] = r.IDRules
	}
	regions := make(map[string][]string)
	for _, source := range s.Config.Intake.Sources {
		if len(source.Regions) > 0 {
			regions[source.Name] = source.Regions
		}
	}
	return trace.New(p, clean, trace.Options{KeepBots: !f.Bots, KeepPrerender: !f.Prerender, BotRules: rules, IDRules: ids, Regions: regions})
}

// Roles says which parts of the gateway run in this process.
type Roles struct {
	Dispatcher, Trace, Loader bool
}

func everyRole() Roles { return Roles{true, true, true} }

// SetRoles keeps the gateway to some of its roles: dispatcher, trace, loader.
// No names mean all of them. A subset needs a journal that the processes share.
func (s *Settings) SetRoles(names []string) error {
	if len(names) == 0 {
		s.Roles = everyRole()
		return nil
	}
	var r Roles
	byName := map[string]*bool{"dispatcher": &r.Dispatcher, "trace": &r.Trace, "loader": &r.Loader}
	for _, name := range names {
		if byName[name] == nil {
			return fmt.Errorf("--role %q: want dispatcher, trace or loader%s", name, strictyaml.Suggest(name, []string{"dispatcher", "trace", "loader"}))
		}
		*byName[name] = true
	}
	if r != everyRole() && s.Config.Journal.URL == "" {
		return errors.New("--role: the roles of several processes meet in a NATS cluster: set journal.url, or run all roles in one process")
	}
	s.Roles = r
	return nil
}
