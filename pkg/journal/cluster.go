package journal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

const (
	monitorPort  = "8222" // NATS's usual one
	monitorLimit = 2 * time.Second
)

// inspectCluster warns of settings of the servers that a client cannot change.
func (j *Journal) inspectCluster(ctx context.Context) {
	if got := j.writes.conn.MaxPayload(); got < maxPayload {
		j.log.Warn("the cluster's max_payload bounds one request", "max_payload", got, "recommended", maxPayload)
	}
	always, err := syncsAlways(ctx, j.writes.conn.ConnectedUrl())
	switch {
	case err != nil:
		j.log.Warn("cannot tell whether the cluster syncs every write, set sync_interval: always on each server", "err", err)
	case !always:
		j.log.Warn("the cluster does not sync every write, set sync_interval: always on each server")
	}
}

// syncsAlways asks the monitoring port of the server at address.
func syncsAlways(ctx context.Context, address string) (bool, error) {
	u, err := url.Parse(address)
	if err != nil {
		return false, errors.New("the server's address cannot be read")
	}
	ctx, cancel := context.WithTimeout(ctx, monitorLimit)
	defer cancel()
	monitor := &url.URL{Scheme: "http", Host: net.JoinHostPort(u.Hostname(), monitorPort), Path: "/varz"}
	req := (&http.Request{Method: http.MethodGet, URL: monitor}).WithContext(ctx)
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return false, fmt.Errorf("monitoring port: %w", err)
	}
	defer resp.Body.Close()
	return readVarz(resp.Body)
}

func readVarz(body io.Reader) (bool, error) {
	const limit = 1 << 20
	var varz struct {
		JetStream struct {
			Config *struct {
				SyncAlways bool `json:"sync_always"`
			} `json:"config"`
		} `json:"jetstream"`
	}
	if err := json.NewDecoder(io.LimitReader(body, limit)).Decode(&varz); err != nil {
		return false, fmt.Errorf("monitoring port: %w", err)
	}
	if varz.JetStream.Config == nil {
		return false, errors.New("monitoring port: it says nothing of JetStream")
	}
	return varz.JetStream.Config.SyncAlways, nil
}
