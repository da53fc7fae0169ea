package dispatcher

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/sparrow-edge/sparrow/pkg/event"
)

// clientIP finds a request's client address, cut to the configured precision.
//
// chi's middleware ClientIPFromXFF and ClientIPFromHeader do not replace it. Our
// header is configurable and may have several addresses, addresses may have a
// port (Azure's gateways write one), and after an entry that is no address we keep
// the last trusted one, where chi keeps none. They would also copy each request.
type clientIP struct {
	header    string // canonical, "" for none
	trusted   []netip.Prefix
	precision string
}

// newClientIP makes a clientIP of a configuration that passed its check.
func newClientIP(c ClientIP) clientIP {
	ip := clientIP{header: http.CanonicalHeaderKey(c.Header), precision: c.Precision}
	for _, s := range c.TrustedProxies {
		network, _ := parseNetwork(s)
		ip.trusted = append(ip.trusted, network.Masked())
	}
	return ip
}

// of returns the address to keep; "" when it is unknown or must not be kept.
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
		addr = event.CutIP(addr)
	}
	return addr.String()
}

func (c *clientIP) trusts(addr netip.Addr) bool {
	return slices.ContainsFunc(c.trusted, func(network netip.Prefix) bool { return network.Contains(addr) })
}

// forwarded goes through the addresses that proxies appended, from the last one
// back, to the first that is not a trusted proxy's. It stops at an entry that is
// not an address: what is before it cannot be trusted.
func (c *clientIP) forwarded(values []string, peer netip.Addr) netip.Addr {
	found := peer
	for _, rest := range slices.Backward(values) {
		for rest != "" {
			comma := strings.LastIndexByte(rest, ',')
			last := rest[comma+1:]
			rest = rest[:max(comma, 0)]
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
