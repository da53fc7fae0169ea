package dispatcher

import (
	"net/http"
	"net/netip"
	"strings"
)

// clientIP finds a request's client address, cut to the configured precision.
type clientIP struct {
	header    string // canonical, "" for none
	trusted   []netip.Prefix
	precision string
}

func newClientIP(c ClientIP) (clientIP, error) {
	ip := clientIP{precision: c.Precision}
	if c.Header != "" {
		ip.header = http.CanonicalHeaderKey(c.Header)
	}
	for _, s := range c.TrustedProxies {
		network, err := parseNetwork(s)
		if err != nil {
			return clientIP{}, err
		}
		ip.trusted = append(ip.trusted, network.Masked())
	}
	return ip, nil
}

// of returns the address as it is kept; "" when it is unknown or not wanted.
func (c *clientIP) of(r *http.Request) string {
	if c.precision == PrecisionNone {
		return ""
	}
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return ""
	}
	addr := peer.Addr().Unmap().WithZone("")
	if c.header != "" && c.trusts(addr) {
		addr = c.forwarded(r.Header[c.header], addr)
	}
	if !addr.IsValid() {
		return ""
	}
	if c.precision == PrecisionCut {
		bits := 24
		if addr.Is6() {
			bits = 48
		}
		if cut, err := addr.Prefix(bits); err == nil {
			addr = cut.Addr()
		}
	}
	return addr.String()
}

func (c *clientIP) trusts(addr netip.Addr) bool {
	for _, network := range c.trusted {
		if network.Contains(addr) {
			return true
		}
	}
	return false
}

// forwarded walks the addresses that proxies appended, from the last one back,
// to the first that is not a trusted proxy's. What is not an address ends the
// walk: nothing before it can be believed.
func (c *clientIP) forwarded(values []string, peer netip.Addr) netip.Addr {
	found := peer
	for i := len(values) - 1; i >= 0; i-- {
		rest := values[i]
		for rest != "" {
			var last string
			if comma := strings.LastIndexByte(rest, ','); comma >= 0 {
				rest, last = rest[:comma], rest[comma+1:]
			} else {
				rest, last = "", rest
			}
			addr, err := parseForwarded(strings.TrimSpace(last))
			if err != nil {
				return found
			}
			if found = addr; !c.trusts(addr) {
				return found
			}
		}
	}
	return found
}

// parseForwarded reads an address, with or without a port.
func parseForwarded(s string) (netip.Addr, error) {
	if addr, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil {
		return addr.Unmap().WithZone(""), nil
	}
	withPort, err := netip.ParseAddrPort(s)
	return withPort.Addr().Unmap().WithZone(""), err
}
