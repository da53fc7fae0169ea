package cluster_test

import (
	"fmt"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	natsd "github.com/nats-io/nats-server/v2/server"

	"github.com/sparrow-edge/sparrow/test/harness"
)

// startNATS starts a cluster of so many servers that write to disk as Sparrow
// asks for, and returns them with journal.url for all of them.
func startNATS(t *testing.T, size int) ([]*natsd.Server, string) {
	t.Helper()
	var routes []*url.URL
	for range size {
		routes = append(routes, &url.URL{Scheme: "nats", Host: fmt.Sprint("127.0.0.1:", freePort(t))})
	}
	var servers []*natsd.Server
	var urls []string
	for i, route := range routes {
		options := &natsd.Options{
			ServerName: fmt.Sprint("node", i), Host: "127.0.0.1", Port: natsd.RANDOM_PORT, NoSigs: true, NoLog: true,
			JetStream: true, StoreDir: t.TempDir(), SyncAlways: true, MaxPayload: 8 << 20,
		}
		if size > 1 {
			host, port, _ := net.SplitHostPort(route.Host)
			options.Cluster = natsd.ClusterOpts{Name: "test", Host: host}
			_, _ = fmt.Sscan(port, &options.Cluster.Port)
			options.Routes = routes
		}
		s := startServer(t, options)
		servers = append(servers, s)
		urls = append(urls, s.ClientURL())
	}
	harness.Await(t, "the cluster to have a leader", time.Minute, func() bool {
		for _, s := range servers {
			if size == 1 || s.JetStreamIsLeader() && len(s.JetStreamClusterPeers()) == size {
				return true
			}
		}
		return false
	})
	return servers, strings.Join(urls, ",")
}

func startServer(t *testing.T, options *natsd.Options) *natsd.Server {
	t.Helper()
	s, err := natsd.NewServer(options)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(20 * time.Second) {
		t.Fatal("the NATS server does not start")
	}
	return s
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
