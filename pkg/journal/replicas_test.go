package journal_test

import (
	"fmt"
	"net"
	"net/url"
	"sync"
	"testing"
	"time"

	natsd "github.com/nats-io/nats-server/v2/server"

	"github.com/sparrow-edge/sparrow/pkg/journal"
)

// startReplicas starts three servers that form a cluster.
func startReplicas(t *testing.T) []*natsd.Server {
	t.Helper()
	const size = 3
	var routes []*url.URL
	var ports []int
	for range size {
		port := freePort(t)
		ports = append(ports, port)
		routes = append(routes, &url.URL{Scheme: "nats", Host: fmt.Sprintf("127.0.0.1:%d", port)})
	}
	var servers []*natsd.Server
	for i, port := range ports {
		s, err := natsd.NewServer(&natsd.Options{
			ServerName: fmt.Sprint("node", i), Host: "127.0.0.1", Port: natsd.RANDOM_PORT, NoSigs: true, NoLog: true,
			JetStream: true, StoreDir: t.TempDir(), SyncAlways: true,
			Cluster: natsd.ClusterOpts{Name: "test", Host: "127.0.0.1", Port: port}, Routes: routes,
		})
		if err != nil {
			t.Fatal(err)
		}
		s.Start()
		t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
		servers = append(servers, s)
	}
	eventually(t, "a cluster with a leader", func() bool {
		for _, s := range servers {
			if s.JetStreamIsLeader() && len(s.JetStreamClusterPeers()) == size {
				return true
			}
		}
		return false
	})
	return servers
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// One of three servers dies under load: nothing acknowledged is lost, nothing
// is stored twice, and the reader goes on.
func TestReplicas(t *testing.T) {
	servers := startReplicas(t)
	cfg := testConfig()
	cfg.Replicas = 3
	cfg.URL = servers[0].ClientURL() + "," + servers[1].ClientURL() + "," + servers[2].ClientURL()
	j := mustOpen(t, cfg, journal.Options{})
	j.Hurry(2*time.Second, 20*time.Second)
	stop := run(t, j)
	r := mustRead(t, j.Events(), 0)
	const callers, calls = 8, 40
	var all sync.WaitGroup
	for c := range callers {
		all.Go(func() {
			for i := range calls {
				if c == 0 && i == calls/4 {
					servers[0].Shutdown()
				}
				if _, err := j.Append(t.Context(), [][]byte{fmt.Append(nil, c, "-", i)}); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	found := make(map[string]int)
	for n := 0; n < callers*calls; {
		m := mustNext(t, r)
		if m.Lost > 0 {
			t.Errorf("message %d: lost %d", m.Seq, m.Lost)
		}
		for _, record := range m.Records {
			found[string(record)]++
			n++
		}
	}
	all.Wait()
	if len(found) != callers*calls {
		t.Errorf("want %d records, got %d", callers*calls, len(found))
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
	mustClose(t, j) // before the servers
}
