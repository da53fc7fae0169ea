package dispatcher

import (
	"errors"
	"net/url"
	"strings"
)

// origin is one allowed web origin: exact, or with a wildcard first label.
type origin struct {
	exact          string // "https://example.com"
	scheme, suffix string // "https://", ".example.com" or ".example.com:8443"
}

var errOrigin = errors.New("want scheme://host or scheme://host:port in lower case, such as https://example.com, or https://*.example.com for the names below it; no path")

// parseOrigin reads one of a source's origins, written as browsers write them.
func parseOrigin(s string) (origin, error) {
	u, err := url.Parse(s)
	if err != nil || s != strings.ToLower(s) {
		return origin{}, errOrigin
	}
	host := u.Hostname()
	if u.Scheme != "http" && u.Scheme != "https" || host == "" || u.Scheme+"://"+u.Host != s {
		return origin{}, errOrigin
	}
	if port := u.Port(); port == "" && strings.HasSuffix(u.Host, ":") ||
		u.Scheme == "https" && port == "443" || u.Scheme == "http" && port == "80" {
		return origin{}, errors.New("leave out the scheme's own port: browsers do")
	}
	rest, wild := strings.CutPrefix(host, "*.")
	if strings.Contains(rest, "*") || wild && !strings.Contains(rest, ".") {
		return origin{}, errors.New("a wildcard is allowed only as the first label above a domain, such as https://*.example.com")
	}
	if wild {
		return origin{scheme: u.Scheme + "://", suffix: strings.TrimPrefix(u.Host, "*")}, nil
	}
	return origin{exact: s}, nil
}

// origins is a source's allow list; an empty one allows any.
type origins struct {
	any       bool
	exact     map[string]struct{}
	wildcards []origin
}

func newOrigins(list []string) (origins, error) {
	o := origins{any: len(list) == 0, exact: make(map[string]struct{}, len(list))}
	for _, s := range list {
		parsed, err := parseOrigin(s)
		if err != nil {
			return origins{}, err
		}
		if parsed.exact != "" {
			o.exact[parsed.exact] = struct{}{}
		} else {
			o.wildcards = append(o.wildcards, parsed)
		}
	}
	return o, nil
}

// allow reports whether a page of the origin may send events.
func (o *origins) allow(from string) bool {
	if o.any {
		return true
	}
	if _, found := o.exact[from]; found {
		return true
	}
	for _, w := range o.wildcards {
		host, secure := strings.CutPrefix(from, w.scheme)
		if !secure {
			continue
		}
		below, found := strings.CutSuffix(host, w.suffix)
		if found && below != "" && !strings.ContainsAny(below, "/:@") {
			return true
		}
	}
	return false
}
