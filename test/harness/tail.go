package harness

import (
	"bytes"
	"os/exec"
	"sync"
	"testing"
	"time"
)

// Tail is a `sparrow tail` that runs beside the gateway.
type Tail struct {
	mu  sync.Mutex
	out bytes.Buffer
}

// Write takes what the command prints.
func (t *Tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.out.Write(p)
}

// Output is what it has printed so far.
func (t *Tail) Output() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.out.String()
}

// Tail starts `sparrow tail` with these flags; it ends with the test. It shows
// only what is taken after it began: nudge is called until it shows something.
func (g *Gateway) Tail(t testing.TB, nudge func(), flags ...string) *Tail {
	t.Helper()
	tail := &Tail{}
	cmd := exec.Command(g.binary, append([]string{"tail"}, flags...)...)
	cmd.Dir = g.Dir
	cmd.Stdout, cmd.Stderr = tail, tail
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended with the gateway
		_ = cmd.Wait()
	})
	Await(t, "sparrow tail to show something", 30*time.Second, func() bool {
		nudge()
		return tail.Output() != ""
	})
	return tail
}
