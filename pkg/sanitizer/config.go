package sanitizer

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/nyaruka/phonenumbers"
)

// Config is what an operator sets of the sanitizer.
type Config struct {
	// Key is the secret with which ids that are personal data are hashed
	// (HMAC-SHA-256); at least 16 bytes. Do not change it: with another key a
	// user is a new user at the vendors.
	Key string `yaml:"key"`
	// Parameters are the query parameters that stay in URLs, beside those of
	// DefaultParameters; a trailing * stands for any ending.
	Parameters []string `yaml:"parameters"`
	// Regions are the countries (ISO 3166: ES, PL) whose national phone numbers are
	// found. Without any, the forms of some large countries are found
	// that hardly anything else has.
	Regions []string `yaml:"regions"`
	// Patterns are kinds of the operator's own.
	Patterns []Pattern `yaml:"patterns"`
}

// Pattern is a kind of the operator's own: what matches is replaced by the
// pattern's name in brackets.
type Pattern struct {
	Name  string `yaml:"name"`  // lower-case letters, digits and hyphens
	Match string `yaml:"match"` // a regular expression, Go's syntax (RE2)
}

// minKey is the least length of a key, in bytes.
const minKey = 16

// DefaultConfig has no key: set one, or generate and store one.
func DefaultConfig() Config { return Config{} }

// DefaultParameters are the query parameters that always stay: they identify
// campaigns and ads.
func DefaultParameters() []string {
	return []string{
		"utm_*", "gclid", "gclsrc", "gbraid", "wbraid", "dclid", "fbclid", "msclkid", "ttclid", "twclid",
		"li_fat_id", "yclid", "igshid", "mc_cid", "epik", "sccid", "rdt_cid",
	}
}

// Check names the configuration keys that are wrong and says what to do. An empty Key
// passes: the caller of New must then set one.
func (c *Config) Check() error {
	var faults []error
	if c.Key != "" && len(c.Key) < minKey {
		faults = append(faults, fmt.Errorf("key: %d bytes; give it at least %d random ones", len(c.Key), minKey))
	}
	for i, p := range c.Parameters {
		if p == "" || p == "*" || strings.Contains(strings.TrimSuffix(p, "*"), "*") {
			faults = append(faults, fmt.Errorf("parameters[%d]: want a parameter's name, or how it begins and a * at its end", i))
		}
	}
	faults = append(faults, CheckRegions(c.Regions))
	if len(c.Patterns) > maxOwn {
		faults = append(faults, fmt.Errorf("patterns: %d; %d at most", len(c.Patterns), maxOwn))
	}
	for i, p := range c.Patterns {
		if err := p.check(c.Patterns[:i]); err != nil {
			faults = append(faults, fmt.Errorf("patterns[%d]: %w", i, err))
		}
	}
	return errors.Join(faults...)
}

// CheckRegions names the regions that are none.
func CheckRegions(regions []string) error {
	for i, region := range regions {
		if !phonenumbers.GetSupportedRegions()[region] {
			return fmt.Errorf("regions[%d]: %q is no region; want a country's two capital letters, such as ES", i, region)
		}
	}
	return nil
}

func (p Pattern) check(earlier []Pattern) error {
	switch {
	case p.Name == "" || len(p.Name) > 40 || strings.Trim(p.Name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "":
		return errors.New("name: want 1 to 40 lower-case letters, digits and hyphens")
	case slices.Contains(builtin, p.Name) || p.Name == "at" || p.Name == "dot":
		return fmt.Errorf("name: %q is taken; choose another", p.Name)
	case slices.ContainsFunc(earlier, func(e Pattern) bool { return e.Name == p.Name }):
		return fmt.Errorf("name: %q stands twice", p.Name)
	case p.Match == "":
		return errors.New("match: required: a regular expression")
	}
	match, err := regexp.Compile(p.Match)
	switch {
	case err != nil:
		return fmt.Errorf("match: %w", err)
	case match.MatchString(""):
		return errors.New("match: matches the empty string; make it match something")
	case match.MatchString("[" + p.Name + "]"):
		return errors.New("match: matches its own replacement, [" + p.Name + "]; make it narrower")
	}
	return nil
}
