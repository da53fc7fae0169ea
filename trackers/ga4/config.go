package ga4

import (
	"errors"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/tracker"
)

// Config is what `kind: ga4` takes.
type Config struct {
	// MeasurementID names the web data stream: G- and what follows. Required.
	MeasurementID string `yaml:"measurementId"`
	// APISecret is made for the data stream in Google's Admin pages, under
	// "Measurement Protocol API secrets". Required.
	APISecret tracker.Secret `yaml:"apiSecret"`
	// Region "eu" has the data handled in the European Union; "" or "global" is
	// Google's default endpoint.
	Region       string `yaml:"region"`
	tracker.Host `yaml:",inline"`
	// ForwardIP sends the visitor's address, as far as the gateway keeps it, so
	// that Google can derive a place from it. Default: false.
	ForwardIP bool `yaml:"forwardIP"`
	// Location names the properties that hold the visitor's place. An event with one
	// is sent with that place and without an address. Default: none.
	Location Location `yaml:"location"`
	// Validate is the share of events, 0 to 1, that Google's validation endpoint is
	// asked about first: what it finds fault with is rejected. Which ones depends on
	// their ids alone. Default: 0.
	Validate float64 `yaml:"validate"`
	// Consent says which purposes of an event's consent allow Google's uses for
	// advertising. An event without the purpose is sent as denied.
	Consent Consent `yaml:"consent"`
}

// Location says which properties hold the visitor's place. They are then no
// parameters. A value of another form is left out.
type Location struct {
	Country string `yaml:"country"` // two capital letters, such as GB
	Region  string `yaml:"region"`  // country and subdivision, such as US-CA
	City    string `yaml:"city"`
}

// Consent maps Google's two advertising uses to purposes of the consent that
// events carry.
type Consent struct {
	// AdUserData is the purpose that allows user data for advertising. Default: marketing.
	AdUserData string `yaml:"adUserData"`
	// AdPersonalization is the purpose that allows personalised advertising. Default: marketing.
	AdPersonalization string `yaml:"adPersonalization"`
}

const window = 72 * time.Hour // Google's limit for back-dating

// check returns the base URL to send to, or what is wrong with the configuration.
func (c Config) check() (base string, err error) {
	const global = "https://www.google-analytics.com"
	base, err = c.InRegion(c.Region, map[string]string{"": global, "global": global, "eu": "https://region1.google-analytics.com"})
	if !(c.Validate >= 0 && c.Validate <= 1) { // so that NaN fails
		err = errors.Join(errors.New("validate: want a share of the events, 0 to 1, such as 0.01"), err)
	}
	// Google would drop everything that has a wrong secret, and answer 204.
	secret := tracker.CheckSecret("apiSecret", c.APISecret, "make one in Google Analytics under Admin, Data streams, Measurement Protocol API secrets")
	return base, errors.Join(checkMeasurementID(c.MeasurementID), secret, err)
}

func checkMeasurementID(id string) error {
	switch {
	case id == "":
		return errors.New("measurementId: required; it is the G-... id of the web data stream")
	case strings.HasPrefix(strings.ToUpper(id), "UA-"):
		return errors.New("measurementId: a UA-... id belongs to Universal Analytics, which Google shut down in July 2024 and which stores nothing any more; use the G-... id of a GA4 web data stream")
	case !regexp.MustCompile(`^G-[A-Z0-9]{4,20}$`).MatchString(id):
		return errors.New("measurementId: want G- and capital letters or digits, such as G-ABC123DEF4")
	}
	return nil
}

// urls are where events go, and where they are validated. Both hold the secret.
func (c Config) urls(base string) (collect, validate string) {
	query := url.Values{"measurement_id": {c.MeasurementID}, "api_secret": {c.APISecret.Reveal()}}.Encode()
	return base + "/mp/collect?" + query, base + "/debug/mp/collect?" + query
}
