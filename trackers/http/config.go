package http

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/quantity"
	"github.com/sparrow-edge/sparrow/pkg/tracker"
)

// Config is what `kind: http` takes.
type Config struct {
	// URL is where requests go, with a query if the vendor wants one. What is
	// secret in it belongs into Query. Required.
	URL          string `yaml:"url"`
	tracker.Host `yaml:",inline"`
	// Method is POST, PUT or PATCH. Default: POST.
	Method string `yaml:"method"`
	// Headers are sent as they are. Content-Type is application/json unless it is
	// one of them.
	Headers map[string]string `yaml:"headers"`
	// SecretHeaders are headers whose values are shown nowhere.
	SecretHeaders map[string]tracker.Secret `yaml:"secretHeaders"`
	// Query is added to the URL; its values are shown nowhere.
	Query map[string]tracker.Secret `yaml:"query"`
	// BasicAuth makes the Authorization header of HTTP's basic scheme.
	BasicAuth BasicAuth `yaml:"basicAuth"`
	// Secrets are variables of the programs: under `token` stands $token. Their
	// values are shown nowhere.
	Secrets map[string]tracker.Secret `yaml:"secrets"`
	// Event is the program that makes the vendor's event. Required.
	Event string `yaml:"event"`
	// Batch puts several events into a request. Default: one event a request.
	Batch Batch `yaml:"batch"`
	// Dedup claims that the vendor drops repeats by an id that the event program
	// sends, so that sending again is always safe. A false claim doubles events.
	Dedup bool `yaml:"dedup"`
	// Window is how far back the vendor takes events; older ones are rejected.
	// Default: no limit.
	Window time.Duration `yaml:"window"`
	// Linger is how long a batch waits to fill, at most 1m. Default: 1s.
	Linger time.Duration `yaml:"linger"`
	// HMAC signs each body. Default: none.
	HMAC HMAC `yaml:"hmac"`
	// Answers are the rules by which the vendor's answers are read, in order.
	Answers []Answer `yaml:"answers"`
}

// BasicAuth is a user and password, either of which may be a key or empty.
type BasicAuth struct {
	User     tracker.Secret `yaml:"user"`
	Password tracker.Secret `yaml:"password"`
}

// Batch bounds a request of several events.
type Batch struct {
	// MaxEvents is how many events one request holds, at most 10000. 0 is no batch.
	MaxEvents int `yaml:"maxEvents"`
	// MaxBytes bounds one body, at most 20MiB. It bounds one event's body too.
	// Default: 1MiB.
	MaxBytes quantity.Size `yaml:"maxBytes"`
	// Envelope is the program that makes the body around the array of events.
	// Default: the array itself.
	Envelope string `yaml:"envelope"`
}

// HMAC signs bodies with SHA-256.
type HMAC struct {
	// Secret is the key; "" signs nothing.
	Secret tracker.Secret `yaml:"secret"`
	// Header is where the signature goes. Default: X-Signature.
	Header string `yaml:"header"`
	// Prefix stands before the signature, such as "sha256=".
	Prefix string `yaml:"prefix"`
	// Encoding is "hex" or "base64". Default: hex.
	Encoding string `yaml:"encoding"`
	// Timestamp is the header of the signed time; "" signs the body alone.
	Timestamp string `yaml:"timestamp"`
}

// The limits of a configuration.
const (
	maxBatch        = 10_000
	maxRequestBytes = 20 << 20
	maxLinger       = time.Minute
	singleBatch     = 100 // events given to Requests at once where each is a request
	concurrency     = 4
)

// check returns the whole URL, which may hold secrets, and its part without the
// query, or what is wrong with the configuration. Programs are checked when they
// are compiled.
func (c Config) check() (target, base string, err error) {
	target, base, err = c.target()
	return target, base, errors.Join(err, c.checkHeaders(), c.checkValues())
}

func (c Config) checkValues() error {
	switch {
	case c.Method != http.MethodPost && c.Method != http.MethodPut && c.Method != http.MethodPatch:
		return errors.New("method: want POST, PUT or PATCH")
	case c.HMAC.Encoding != "hex" && c.HMAC.Encoding != "base64":
		return errors.New("hmac.encoding: want hex or base64")
	case c.Batch.MaxEvents < 0 || c.Batch.MaxEvents > maxBatch:
		return fmt.Errorf("batch.maxEvents: want 1 to %d, or leave batch out for one event a request", maxBatch)
	case c.Batch.MaxBytes < 1 || c.Batch.MaxBytes > maxRequestBytes:
		return errors.New("batch.maxBytes: want more than 0 and at most 20MiB")
	case c.Batch.MaxEvents == 0 && c.Batch.Envelope != "":
		return errors.New("batch.envelope: only a batch has one; set batch.maxEvents too")
	case c.Linger < 0 || c.Linger > maxLinger:
		return errors.New("linger: want 0s to 1m")
	case c.Window < 0:
		return errors.New("window: want a duration such as 120h, or leave it out")
	}
	return nil
}

var (
	headerName  = regexp.MustCompile("^[0-9A-Za-z!#$%&'*+.^_`|~-]+$") // a token of RFC 9110
	headerValue = regexp.MustCompile(`^[^\x00-\x08\x0A-\x1F\x7F]*$`)
)

func (c Config) checkHeaders() error {
	seen := map[string]bool{}
	check := func(key, name string, valueOK bool) error {
		canonical := http.CanonicalHeaderKey(name)
		switch {
		case !headerName.MatchString(name):
			return fmt.Errorf("%s: %q is no name of a header", key, name)
		case seen[canonical]:
			return fmt.Errorf("%s: %s is set twice", key, canonical)
		case !valueOK:
			return fmt.Errorf("%s.%s: the value holds a line break or another control character", key, canonical)
		}
		seen[canonical] = true
		switch canonical {
		case "Host", "Content-Length", "Transfer-Encoding", "Connection", "User-Agent", "Content-Encoding", "Trailer", "Te", "Upgrade":
			return fmt.Errorf("%s: %s is Sparrow's to set", key, canonical)
		}
		return nil
	}
	var errs []error
	for name, value := range c.Headers {
		errs = append(errs, check("headers", name, headerValue.MatchString(value)))
	}
	for name, value := range c.SecretHeaders {
		errs = append(errs, check("secretHeaders", name, headerValue.MatchString(value.Reveal())))
	}
	if c.BasicAuth != (BasicAuth{}) {
		errs = append(errs, check("basicAuth", "Authorization", true))
	}
	if c.HMAC.Secret != "" {
		errs = append(errs, check("hmac.header", c.HMAC.Header, headerValue.MatchString(c.HMAC.Prefix)))
		if c.HMAC.Timestamp != "" {
			errs = append(errs, check("hmac.timestamp", c.HMAC.Timestamp, true))
		}
	}
	return errors.Join(errs...)
}

// target is the whole URL, which may hold secrets, and its part without the
// query, which says how it is reached.
func (c Config) target() (target, base string, err error) {
	if c.URL == "" {
		return "", "", errors.New("url: required; it is where the vendor takes events")
	}
	u, err := url.Parse(strings.TrimSpace(c.URL))
	if err != nil {
		return "", "", errors.New("url: not a URL; write it like https://collector.example.com/v1/events")
	}
	query := u.Query()
	u.RawQuery, u.ForceQuery = "", false
	if base, err = c.reach(u); err != nil {
		return "", "", err
	}
	for name, value := range c.Query {
		if query.Has(name) {
			return "", "", fmt.Errorf("query.%s: stands in url too", name)
		}
		query.Set(name, value.Reveal())
	}
	if len(query) == 0 {
		return base, base, nil
	}
	return base + "?" + query.Encode(), base, nil
}

// reach is the URL without its query, on the host of BaseURL where there is one.
func (c Config) reach(u *url.URL) (string, error) {
	if c.BaseURL != "" {
		host, err := tracker.CheckBaseURL(c.BaseURL, c.Insecure)
		return host + u.EscapedPath(), err
	}
	if _, err := tracker.CheckBaseURL(u.String(), c.Insecure); err != nil {
		return "", fmt.Errorf("url: %s", strings.TrimPrefix(err.Error(), "baseURL: "))
	}
	return u.String(), nil // CheckBaseURL would take the slash at its end
}
