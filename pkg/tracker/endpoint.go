package tracker

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/sparrow-edge/sparrow/pkg/loopback"
)

// CheckBaseURL checks the base URL that a tracker sends to, such as
// "https://collector.example.com" or "http://127.0.0.1:9000/vendor", and returns it
// without a slash at its end. It must be https; plain http is allowed to this
// machine, or to any if insecure is set. It must have no credentials, query or
// fragment. Errors contain nothing of the URL but its scheme and host name.
func CheckBaseURL(raw string, insecure bool) (string, error) {
	u, err := url.Parse(strings.TrimSpace(raw))
	if err != nil {
		return "", errors.New("baseURL: not a URL; write it like https://collector.example.com")
	}
	switch {
	case u.Scheme != "https" && u.Scheme != "http":
		return "", errors.New("baseURL: must begin with https://")
	case u.Hostname() == "":
		return "", errors.New("baseURL: has no host; write it like https://collector.example.com")
	case u.User != nil:
		return "", errors.New("baseURL: must not hold credentials; the tracker has keys of its own for them")
	case u.RawQuery != "" || u.ForceQuery:
		return "", errors.New("baseURL: must not have a query; the tracker adds its own")
	case u.Fragment != "" || strings.HasSuffix(raw, "#"):
		return "", errors.New("baseURL: must not have a fragment (#)")
	case u.Scheme == "http" && !insecure && !loopback.IsHost(u.Hostname()):
		return "", fmt.Errorf("baseURL: plain http to %s is refused; use https, or set insecure: true for a test server", u.Hostname())
	}
	return strings.TrimRight(u.String(), "/"), nil
}

// Host has the keys by which a configuration sends to another host than the
// vendor's. A vendor's config struct embeds it, with the tag `yaml:",inline"`.
type Host struct {
	// BaseURL replaces the vendor's scheme and host, for a test server or a proxy.
	BaseURL string `yaml:"baseURL"`
	// Insecure allows plain http to another machine.
	Insecure bool `yaml:"insecure"`
}

// InRegion is the base URL of a vendor with a host for each region: BaseURL if
// it is set, otherwise the host of the region. It is checked as CheckBaseURL does.
// The region must be one of the vendor's even where BaseURL is set.
func (h Host) InRegion(region string, hosts map[string]string) (string, error) {
	host, found := hosts[region]
	if !found {
		names := slices.DeleteFunc(slices.Sorted(maps.Keys(hosts)), func(name string) bool { return name == "" })
		return "", fmt.Errorf("region: %q is not known; want %s", region, strings.Join(names, " or "))
	}
	return CheckBaseURL(cmp.Or(h.BaseURL, host), h.Insecure)
}

// Unencrypted reports whether a base URL that passed CheckBaseURL sends events
// unencrypted to another machine: the value of Traits.Unencrypted.
func Unencrypted(baseURL string) bool {
	u, err := url.Parse(baseURL)
	return err != nil || u.Scheme != "https" && !loopback.IsHost(u.Hostname())
}
