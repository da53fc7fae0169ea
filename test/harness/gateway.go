package harness

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Gateway is the real binary on a directory of its own.
type Gateway struct {
	Dir    string   // holds sparrow.yaml, plan.yaml, data
	URL    string   // of the public listener
	Env    []string // "NAME=value", beside this process's own
	t      testing.TB
	binary string
	args   []string
	client *http.Client
	user   *syscall.Credential // nil: this process's own
	fill   *strings.Replacer   // of {{listen}} and {{dir}}

	mu      sync.Mutex
	process *exec.Cmd
	exited  chan struct{}
	log     *os.File
}

// New writes the configuration files (name to content) to a new directory, in
// which {{listen}} stands for a free loopback address and {{dir}} for the
// directory, and returns a gateway that is not yet started. args are the
// command and its flags, such as "serve".
func New(t testing.TB, files map[string]string, args ...string) *Gateway {
	t.Helper()
	g := &Gateway{t: t, Dir: shortDir(t), binary: Binary(t), args: args, client: &http.Client{Timeout: 30 * time.Second}}
	address := freeAddress(t)
	g.URL = "http://" + address
	g.fill = strings.NewReplacer("{{listen}}", address, "{{dir}}", g.Dir)
	for name, content := range files {
		g.Write(name, content)
	}
	for i := range g.args {
		g.args[i] = g.fill.Replace(g.args[i])
	}
	log, err := os.Create(filepath.Join(g.Dir, "gateway.log"))
	if err != nil {
		t.Fatal(err)
	}
	g.log = log
	t.Cleanup(func() {
		g.Kill()
		g.client.CloseIdleConnections()
		log.Close()
		if t.Failed() {
			t.Logf("the gateway's log ends with:\n%s", g.LogTail(8<<10))
		}
	})
	return g
}

// RunAs has the process run as another user, whom the gateway's directory then
// belongs to. Only root can do it.
func (g *Gateway) RunAs(user uint32) {
	g.t.Helper()
	g.user = &syscall.Credential{Uid: user, Gid: user}
	err := errors.Join(os.Chmod(filepath.Dir(g.binary), 0o755), filepath.WalkDir(g.Dir, func(path string, _ fs.DirEntry, err error) error {
		return errors.Join(err, os.Chown(path, int(user), int(user)))
	}))
	if err != nil {
		g.t.Fatal(err)
	}
}

// Write replaces a file in the gateway's directory, filled in as New does.
func (g *Gateway) Write(name, content string) {
	g.t.Helper()
	if err := os.WriteFile(filepath.Join(g.Dir, name), []byte(g.fill.Replace(content)), 0o600); err != nil {
		g.t.Fatal(err)
	}
}

// shortDir is a directory whose path is short enough for a unix socket.
func shortDir(t testing.TB) string {
	dir, err := os.MkdirTemp("", "sparrow-*")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func freeAddress(t testing.TB) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// Start starts the process and waits until it can take events.
func (g *Gateway) Start() { g.StartUntil("/readyz", http.StatusOK) }

// StartUntil starts the process and waits until a path of the public listener
// answers with a status.
func (g *Gateway) StartUntil(path string, status int) {
	g.t.Helper()
	exited := g.Launch()
	g.Await(fmt.Sprintf("the gateway to answer %d to %s", status, path), time.Minute, func() bool {
		select {
		case <-exited:
			g.t.Fatalf("the gateway ended at once:\n%s", g.LogTail(4<<10))
		default:
		}
		resp, err := g.client.Get(g.URL + path)
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == status
	})
}

// Launch starts the process and does not wait for it; the channel is closed when
// it has ended.
func (g *Gateway) Launch() (ended <-chan struct{}) {
	g.t.Helper()
	g.mu.Lock()
	cmd := exec.Command(g.binary, g.args...)
	cmd.Dir = g.Dir
	cmd.Env = append(os.Environ(), g.Env...)
	cmd.Stdout, cmd.Stderr = g.log, g.log
	if g.user != nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: g.user}
	}
	if err := cmd.Start(); err != nil {
		g.mu.Unlock()
		g.t.Fatalf("start the gateway: %v", err)
	}
	exited := make(chan struct{})
	g.process, g.exited = cmd, exited
	g.mu.Unlock()
	go func() {
		_ = cmd.Wait() // a killed process exits with a signal
		close(exited)
	}()
	return exited
}

// Kill sends SIGKILL and waits until the process is gone. Killing a gateway
// that does not run does nothing.
func (g *Gateway) Kill() { g.signal(syscall.SIGKILL, time.Minute) }

// Stop sends SIGTERM and fails the test if the process takes longer than the
// bound to end.
func (g *Gateway) Stop(bound time.Duration) {
	g.t.Helper()
	if !g.signal(syscall.SIGTERM, bound) {
		g.t.Errorf("the gateway did not end within %v after SIGTERM", bound)
	}
}

func (g *Gateway) signal(s syscall.Signal, bound time.Duration) bool {
	g.mu.Lock()
	process, exited := g.process, g.exited
	g.process = nil
	g.mu.Unlock()
	if process == nil {
		return true
	}
	_ = process.Process.Signal(s) // it may have ended by itself
	select {
	case <-exited:
		return true
	case <-time.After(bound):
		_ = process.Process.Kill()
		<-exited
		return false
	}
}

// Log returns everything the process printed.
func (g *Gateway) Log() string { return g.LogTail(math.MaxInt64) }

// LogTail returns the end of what the process printed.
func (g *Gateway) LogTail(n int64) string {
	text, err := os.ReadFile(g.log.Name())
	if err != nil {
		return err.Error()
	}
	if int64(len(text)) > n {
		text = text[int64(len(text))-n:]
	}
	return string(text)
}

// Await polls until the condition holds and fails the test after the bound.
func (g *Gateway) Await(what string, bound time.Duration, condition func() bool) {
	g.t.Helper()
	Await(g.t, what, bound, condition)
}

// Await polls until the condition holds and fails the test after the bound.
func Await(t testing.TB, what string, bound time.Duration, condition func() bool) {
	t.Helper()
	deadline := time.Now().Add(bound)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		if time.Now().After(deadline) {
			t.Fatalf("waited %v for %s", bound, what)
		}
		<-tick.C
	}
}

// Command runs the binary with other arguments in the gateway's directory and
// returns what it prints; it fails the test if the command fails.
func (g *Gateway) Command(args ...string) string {
	g.t.Helper()
	out, err := g.TryCommand(args...)
	if err != nil {
		g.t.Fatalf("sparrow %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// TryCommand is Command for a command that may fail: it returns what was
// printed, on standard error too if it failed.
func (g *Gateway) TryCommand(args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, g.binary, args...)
	cmd.Dir = g.Dir
	cmd.Env = append(os.Environ(), g.Env...)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if err := cmd.Run(); err != nil {
		return out.String() + errOut.String(), err
	}
	return out.String(), nil
}

// VerifySums fails the test unless the sums that the warehouse keeps agree with
// its rows.
func (g *Gateway) VerifySums() {
	g.t.Helper()
	if out := g.Command("reconcile", "--verify", "--since", "48h"); !strings.HasPrefix(out, "no differences in ") {
		g.t.Errorf("sparrow reconcile --verify: %s", out)
	}
}

// Query runs SQL through `sparrow query --format json`.
func (g *Gateway) Query(sql string) []map[string]any {
	g.t.Helper()
	out := g.Command("query", "--format", "json", "--max-rows", "1000000", sql)
	d := json.NewDecoder(strings.NewReader(out))
	d.UseNumber()
	var rows []map[string]any
	if err := d.Decode(&rows); err != nil {
		g.t.Fatalf("query %s: %v in %s", sql, err, out)
	}
	return rows
}

// Post sends a body to /v1/events and returns status and answer.
func (g *Gateway) Post(key, body string) (int, string) {
	g.t.Helper()
	resp, err := g.client.Post(g.URL+"/v1/events?key="+key, "application/json", strings.NewReader(body))
	if err != nil {
		g.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		g.t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// Number reads a count out of a row of Query.
func Number(row map[string]any, column string) int {
	n, err := json.Number(fmt.Sprint(row[column])).Int64()
	if err != nil {
		return -1
	}
	return int(n)
}
