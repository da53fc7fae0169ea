package bigquerytest

import (
	"net"
	"sync"
)

// gate is a listener that knows its connections: it can break them, and let none
// in for a while without giving up its port.
type gate struct {
	net.Listener

	mu     sync.Mutex
	closed bool // lets none in
	open   map[string]*gated
}

// gated is a connection that the gate can break.
type gated struct {
	net.Conn
	gate *gate
}

// Accept returns the next connection; while the gate is shut, callers are reset.
func (g *gate) Accept() (net.Conn, error) {
	for {
		conn, err := g.Listener.Accept()
		if err != nil {
			return nil, err
		}
		c := &gated{conn, g}
		if g.let(c) {
			return c, nil
		}
		c.reset()
	}
}

func (g *gate) let(c *gated) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return false
	}
	g.open[c.RemoteAddr().String()] = c
	return true
}

// Close forgets the connection and closes it.
func (c *gated) Close() error {
	c.gate.mu.Lock()
	if key := c.RemoteAddr().String(); c.gate.open[key] == c {
		delete(c.gate.open, key)
	}
	c.gate.mu.Unlock()
	return c.Conn.Close()
}

// reset closes the connection with RST instead of FIN.
func (c *gated) reset() {
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // it may be closed already
	}
	_ = c.Close()
}

// shut breaks all connections and lets none in, or lets them in again.
func (g *gate) shut(closed bool) {
	g.mu.Lock()
	g.closed = closed
	g.mu.Unlock()
	if closed {
		g.cut()
	}
}

// cut breaks all connections.
func (g *gate) cut() {
	g.mu.Lock()
	var list []*gated
	for _, c := range g.open {
		list = append(list, c)
	}
	g.mu.Unlock()
	for _, c := range list {
		c.reset()
	}
}

// reset breaks the connection from an address.
func (g *gate) reset(remote string) {
	g.mu.Lock()
	c := g.open[remote]
	g.mu.Unlock()
	if c != nil {
		c.reset()
	}
}
