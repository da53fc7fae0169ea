package journal

import (
	"context"
	"net"
	"sync"
)

// dialer opens the connections to a cluster. Until the first is established they
// are closed when ctx ends: a server that accepts and says nothing must not delay a
// process that must stop while it starts.
type dialer struct {
	mu   sync.Mutex
	ctx  context.Context
	stop []func() bool
}

// Dial is nats.CustomDialer's.
func (d *dialer) Dial(network, address string) (net.Conn, error) {
	d.mu.Lock()
	ctx := d.ctx
	d.mu.Unlock()
	conn, err := (&net.Dialer{Timeout: connectLimit}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ctx.Done() != nil {
		d.stop = append(d.stop, context.AfterFunc(d.ctx, func() { _ = conn.Close() })) // the reader of conn gets the error
	}
	return conn, nil
}

// established says that from now on connections live as long as they can.
func (d *dialer) established() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, stop := range d.stop {
		stop()
	}
	d.ctx, d.stop = context.Background(), nil
}
