package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"
	"golang.org/x/sync/errgroup"

	"github.com/sparrow-edge/sparrow/pkg/dispatcher"
	"github.com/sparrow-edge/sparrow/pkg/journal"
)

const benchKey = "pk_bench_key"

// serveBare is what the others are compared with: an HTTP handler that reads and discards the body.
func serveBare(ctx context.Context) error {
	return serve(ctx, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"accepted":1}`)
	}))
}

// serveIntake is the dispatcher on a journal in dir.
func serveIntake(ctx context.Context, dir string) error {
	j, err := journal.Open(ctx, journal.DefaultConfig(), journal.Options{Dir: dir})
	if err != nil {
		return err
	}
	c := dispatcher.DefaultConfig()
	c.Sources = []dispatcher.Source{{Name: "bench", Keys: []string{benchKey}}}
	d, err := dispatcher.New(c, j, dispatcher.Options{})
	if err != nil {
		return errors.Join(err, j.Close())
	}
	routes := chi.NewRouter()
	d.Mount(routes, "/s")
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return j.Run(ctx) })
	group.Go(func() error { return serve(ctx, routes) })
	return errors.Join(group.Wait(), j.Close())
}

// serve listens on a port of the kernel's, prints its address, and ends with ctx.
func serve(ctx context.Context, h http.Handler) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	server := &http.Server{Handler: h, ReadHeaderTimeout: time.Minute}
	stop := context.AfterFunc(ctx, func() { server.Close() })
	defer stop()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// start starts a side in a process of its own and returns its address.
func start(ctx context.Context, side, gateway, dir string) (address string, stop func(), err error) {
	var cmd *exec.Cmd
	if side == "gateway" {
		if address, err = gatewayFiles(dir); err != nil {
			return "", nil, err
		}
		cmd = exec.CommandContext(ctx, gateway, "serve", "--log-level", "error", "--config", filepath.Join(dir, "sparrow.yaml"))
	} else {
		self, err := os.Executable()
		if err != nil {
			return "", nil, err
		}
		cmd = exec.CommandContext(ctx, self, "-serve", side, "-dir", dir)
	}
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return "", nil, err
	}
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	stop = func() {
		_ = cmd.Process.Signal(os.Interrupt) // it may have ended by itself
		_ = cmd.Wait()
	}
	if side != "gateway" {
		line, err := bufio.NewReader(out).ReadString('\n')
		if err != nil {
			stop()
			return "", nil, fmt.Errorf("read the address: %w", err)
		}
		address = strings.TrimSpace(line)
	}
	return address, stop, nil
}

// gatewayFiles writes the configuration of a gateway with everything on.
func gatewayFiles(dir string) (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		return "", err
	}
	config := fmt.Sprintf(`environment: bench
listen: %s
data: %s
sources: [{ name: bench, keys: [%s] }]
trackers:
  - { kind: ga4, mode: dry-run, measurementId: G-BENCH12345, apiSecret: not-a-secret }
  - { kind: heap, mode: dry-run, appId: "1234567890" }
  - { kind: amplitude, mode: dry-run, apiKey: not-a-real-key }
`, address, dir, benchKey)
	plan := "events:\n  purchase product:\n    properties: { category: string, productName: string }\n"
	return address, errors.Join(
		os.WriteFile(filepath.Join(dir, "sparrow.yaml"), []byte(config), 0o600),
		os.WriteFile(filepath.Join(dir, "plan.yaml"), []byte(plan), 0o600))
}
