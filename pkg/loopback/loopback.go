// Package loopback recognises names and addresses of this machine: where plain
// HTTP is allowed, and where `sparrow dev` may listen.
package loopback

import (
	"net"
	"net/netip"
	"strings"
)

// IsHost reports whether host, without a port, names this machine: "localhost"
// or a loopback address, in brackets or not. It asks no name server.
func IsHost(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(host, "["), "]"))
	return err == nil && addr.Unmap().IsLoopback()
}

// IsHostPort is IsHost for a host that may be followed by ":port".
func IsHostPort(hostport string) bool {
	if host, _, err := net.SplitHostPort(hostport); err == nil {
		return IsHost(host)
	}
	return IsHost(hostport)
}
