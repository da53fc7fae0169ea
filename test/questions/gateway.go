package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// gateway is the real binary, with its files in a directory: its log is gateway.log.
type gateway struct {
	binary, dir string
	address     string
	process     *exec.Cmd
}

// dryRun are the trackers of the load and of the questions.
const dryRun = `
  - { kind: ga4, mode: dry-run, measurementId: G-BENCH12345, apiSecret: not-a-secret }
  - { kind: heap, mode: dry-run, appId: "1234567890" }
  - { kind: amplitude, mode: dry-run, apiKey: not-a-real-key }`

func (g *gateway) configure(trackers string) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	g.address = l.Addr().String()
	if err := l.Close(); err != nil {
		return err
	}
	config := fmt.Sprintf(`environment: bench
listen: %s
data: %s
sources: [{ name: shop, keys: [%s] }]
trackers:%s
`, g.address, filepath.Join(g.dir, "data"), writeKey, trackers)
	plan := "events:\n"
	for i := range names - 3 {
		plan += fmt.Sprintf("  event %d: { properties: { category: string } }\n", i)
	}
	plan += `  pageview: { properties: { pathname: string } }
  view product: { properties: { category: string, productName: string, price: number } }
  purchase product: { properties: { category: string, productName: string, price: number, quantity: integer } }
`
	return errors.Join(os.WriteFile(g.path("sparrow.yaml"), []byte(config), 0o600), os.WriteFile(g.path("plan.yaml"), []byte(plan), 0o600))
}

func (g *gateway) path(name string) string { return filepath.Join(g.dir, name) }

// start starts the gateway and returns how long it took to be ready.
func (g *gateway) start(ctx context.Context) (time.Duration, error) {
	began := time.Now()
	g.process = exec.Command(g.binary, "serve", "--log-level", "warn", "--config", g.path("sparrow.yaml"))
	log, err := os.OpenFile(g.path("gateway.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return 0, err
	}
	defer log.Close()
	g.process.Stderr = log
	if err := g.process.Start(); err != nil {
		return 0, err
	}
	client := &http.Client{Timeout: time.Second}
	defer client.CloseIdleConnections()
	err = until(ctx, 5*time.Minute, 20*time.Millisecond, func() bool {
		resp, err := client.Get("http://" + g.address + "/readyz")
		if err != nil {
			return false
		}
		return resp.Body.Close() == nil && resp.StatusCode == http.StatusOK
	})
	return time.Since(began), err
}

// stop signals the process and waits for its end.
func (g *gateway) stop(signal os.Signal) error {
	if g.process == nil {
		return nil
	}
	if err := g.process.Process.Signal(signal); err != nil {
		return err
	}
	err := g.process.Wait()
	g.process = nil
	if signal == syscall.SIGKILL {
		return nil
	}
	return err
}

// command runs a command of the binary and returns how long it took.
func (g *gateway) command(ctx context.Context, args ...string) (time.Duration, error) {
	began := time.Now()
	cmd := exec.CommandContext(ctx, g.binary, append(args, "--config", g.path("sparrow.yaml"))...)
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	if err := cmd.Run(); err != nil {
		return 0, fmt.Errorf("%w: %s", err, complaint.String())
	}
	return time.Since(began), nil
}

// awaitLoaded waits until every lane has decided every event and the warehouse has it.
func (g *gateway) awaitLoaded(ctx context.Context, events int) error {
	// Asking starts a process each time: not so often that it takes the gateway's processor time.
	return until(ctx, 2*time.Hour, time.Second, func() bool {
		cmd := exec.CommandContext(ctx, g.binary, "query", "--format", "csv", "--config", g.path("sparrow.yaml"),
			"select coalesce(min(n), 0) from (select tracker, sum(case when outcome = 'accepted' then 0 else n end) + (select coalesce(sum(count), 0) from filtered as f where f.tracker = s.tracker) as n from sums as s group by tracker)")
		out, err := cmd.Output()
		if err != nil {
			return false
		}
		lines := strings.Fields(string(out))
		n, err := strconv.Atoi(lines[len(lines)-1])
		return err == nil && n >= events
	})
}

// watchMemory samples the resident memory; the function that it returns ends that
// and says the most there was.
func (g *gateway) watchMemory(ctx context.Context) func() int64 {
	ctx, cancel := context.WithCancel(ctx)
	most := make(chan int64, 1)
	pid := g.process.Process.Pid
	go func() {
		peak := int64(0)
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				most <- peak
				return
			case <-tick.C:
				peak = max(peak, resident(pid))
			}
		}
	}()
	return func() int64 {
		cancel()
		return <-most
	}
}

func resident(pid int) int64 {
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if value, ok := strings.CutPrefix(lines.Text(), "VmRSS:"); ok {
			kib, err := strconv.ParseInt(strings.Fields(value)[0], 10, 64)
			if err != nil {
				return 0
			}
			return kib << 10
		}
	}
	return 0
}

// processorTime is what the process has used since it started, user and system.
func (g *gateway) processorTime() time.Duration {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", g.process.Process.Pid))
	if err != nil {
		return 0
	}
	_, rest, _ := bytes.Cut(stat, []byte(") ")) // the name may hold blanks
	fields := bytes.Fields(rest)
	ticks := 0
	for _, field := range fields[11:13] { // utime and stime, 100 a second
		n, err := strconv.Atoi(string(field))
		if err != nil {
			return 0
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// size is what a file or directory of the data directory takes, 0 if it is missing.
func (g *gateway) size(name string) (total int64, err error) {
	err = filepath.WalkDir(filepath.Join(g.dir, "data", name), func(_ string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) || err == nil && d.IsDir() {
			return nil
		}
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil {
			total += info.Size()
		}
		return nil
	})
	return total, err
}

// until asks every period whether a condition holds, until it does.
func until(ctx context.Context, limit, period time.Duration, holds func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(period)
	defer tick.Stop()
	for !holds() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	return nil
}
