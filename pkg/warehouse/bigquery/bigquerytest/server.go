package bigquerytest

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"cloud.google.com/go/bigquery/storage/apiv1/storagepb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"
)

// Server is a running server. Its methods are safe for concurrent use.
type Server struct {
	config   Config
	store    *Store
	faults   *faults
	counters *counters
	tokens   *tokens
	jobs     jobs
	roots    *x509.CertPool

	grpcGate, httpGate *gate
	grpc               *grpc.Server
	http               *http.Server
	closing            chan struct{}
	closeOnce          sync.Once
	serving            sync.WaitGroup // the two accept loops
	running            sync.WaitGroup // what connections need
}

// maxMessage is what gRPC takes at most, so that a request over Config.MaxRequest
// is refused by the service's rule and not by the transport.
const maxMessage = 128 << 20

// Start starts a server that is closed with the test. A store that it makes is
// in the test's temporary directory and is closed too.
func Start(t testing.TB, config Config) *Server {
	t.Helper()
	if config.Store == nil {
		store, err := NewStore(t.TempDir(), StoreConfig{})
		if err != nil {
			t.Fatalf("start bigquery server: %v", err)
		}
		t.Cleanup(func() {
			if err := store.Close(); err != nil {
				t.Errorf("close bigquery server's store: %v", err)
			}
		})
		config.Store = store
	}
	s, err := Open(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// Open starts a server on Config.Store. It is to be closed.
func Open(config Config) (*Server, error) {
	config, err := config.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &Server{config: config, store: config.Store, faults: &faults{}, counters: newCounters(), tokens: newTokens(config.TokenLife), closing: make(chan struct{})}
	s.store.lasts.Store(int64(config.StreamLife))
	var certificate *tls.Certificate
	if config.TLS {
		if certificate, s.roots, err = selfSigned(); err != nil {
			return nil, fmt.Errorf("start bigquery server: %w", err)
		}
	}
	if err := s.listen(); err != nil {
		return nil, fmt.Errorf("start bigquery server: %w", err)
	}
	s.serve(certificate)
	return s, nil
}

func (s *Server) listen() (err error) {
	if s.grpcGate, err = listen(s.config.GRPCAddress); err != nil {
		return err
	}
	if s.httpGate, err = listen(s.config.HTTPAddress); err != nil {
		return errors.Join(err, s.grpcGate.Close())
	}
	return nil
}

// serve starts both servers; Close waits for them.
func (s *Server) serve(certificate *tls.Certificate) {
	options := []grpc.ServerOption{grpc.MaxRecvMsgSize(maxMessage), grpc.WaitForHandlers(true)}
	s.http = &http.Server{Handler: s.routes(), ReadHeaderTimeout: 10 * time.Second}
	if certificate != nil {
		options = append(options, grpc.Creds(credentials.NewServerTLSFromCert(certificate)))
		s.http.TLSConfig = &tls.Config{Certificates: []tls.Certificate{*certificate}, MinVersion: tls.VersionTLS12}
	}
	s.grpc = grpc.NewServer(options...)
	storagepb.RegisterBigQueryWriteServer(s.grpc, &service{Server: s})
	s.serving.Go(func() { _ = s.grpc.Serve(s.grpcGate) }) // it ends with Close
	s.serving.Go(func() {
		if certificate != nil {
			_ = s.http.ServeTLS(s.httpGate, "", "")
			return
		}
		_ = s.http.Serve(s.httpGate)
	})
}

// Close breaks off every call and stops the server; the store keeps what was
// committed. It may be called again.
func (s *Server) Close() {
	s.closeOnce.Do(func() {
		close(s.closing)
		s.faults.clearAll()
		s.grpcGate.cut()
		s.httpGate.cut()
		s.grpc.Stop()
		_ = s.http.Close() // its connections are cut already
		s.serving.Wait()
		s.running.Wait()
	})
}

// GRPCAddress is host and port of the Storage Write API.
func (s *Server) GRPCAddress() string { return s.grpcGate.Addr().String() }

// URL is the base of the HTTP side, without a slash at the end: the REST API is
// at URL()+"/bigquery/v2/", the token endpoint at URL()+"/token".
func (s *Server) URL() string {
	scheme := "http"
	if s.config.TLS {
		scheme = "https"
	}
	return scheme + "://" + s.httpGate.Addr().String()
}

// Project is the project's id.
func (s *Server) Project() string { return s.config.Project }

// RootCAs are what a client of a server with TLS is to trust; nil without TLS.
func (s *Server) RootCAs() *x509.CertPool { return s.roots }

// Order orders a fault.
func (s *Server) Order(f Fault) *Order { return s.faults.order(f, time.Now()) }

// ClearFaults ends all faults.
func (s *Server) ClearFaults() { s.faults.clearAll() }

// Away breaks every connection and lets none in until Back is called: BigQuery,
// or the network to it, is gone. The ports stay taken.
func (s *Server) Away() {
	s.grpcGate.shut(true)
	s.httpGate.shut(true)
}

// Back ends Away.
func (s *Server) Back() {
	s.grpcGate.shut(false)
	s.httpGate.shut(false)
}

// ResetConnections breaks every connection; new ones are let in.
func (s *Server) ResetConnections() {
	s.grpcGate.cut()
	s.httpGate.cut()
}

// Counts is what the server has done so far.
func (s *Server) Counts() Counts { return s.counters.snapshot() }

// reset breaks the connection of a call.
func (s *Server) reset(ctx context.Context) {
	if p, found := peer.FromContext(ctx); found {
		s.grpcGate.reset(p.Addr.String())
	}
}

// hang waits until the caller gives up, the fault is cleared or the server closes.
func (s *Server) hang(ctx context.Context, order *Order) {
	select {
	case <-ctx.Done():
	case <-order.cleared:
	case <-s.closing:
	}
}

// pause waits before a slow answer.
func (s *Server) pause(ctx context.Context, delay time.Duration) {
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	case <-s.closing:
	}
}

// listen takes an address, a free port where it names 0.
func listen(address string) (*gate, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, err
	}
	return &gate{Listener: l, open: map[string]*gated{}}, nil
}

// Store is what the server serves.
func (s *Server) Store() *Store { return s.store }
