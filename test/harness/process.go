package harness

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Signal sends a signal to the process and does not wait for what it does.
func (g *Gateway) Signal(s syscall.Signal) {
	g.t.Helper()
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.process == nil {
		g.t.Fatal("signal: the gateway does not run")
	}
	if err := g.process.Process.Signal(s); err != nil {
		g.t.Errorf("signal: %v", err)
	}
}

// Ended waits until the process is gone, which is an error after the bound, and
// returns its exit code; -1 when a signal ended it.
func (g *Gateway) Ended(bound time.Duration) int {
	g.t.Helper()
	g.mu.Lock()
	process, exited := g.process, g.exited
	g.process = nil
	g.mu.Unlock()
	if process == nil {
		g.t.Fatal("wait for the end: the gateway does not run")
	}
	timer := time.NewTimer(bound)
	defer timer.Stop()
	select {
	case <-exited:
	case <-timer.C:
		_ = process.Process.Kill() // it may end at this moment
		<-exited
		g.t.Errorf("the gateway did not end within %v", bound)
	}
	return process.ProcessState.ExitCode()
}

// Running reports whether the process that was started is still there.
func (g *Gateway) Running() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.process == nil {
		return false
	}
	select {
	case <-g.exited:
		return false
	default:
		return true
	}
}

// PeakMemory is the most memory that the process has held resident, in bytes
// (VmHWM of proc_pid_status(5)).
func (g *Gateway) PeakMemory() int64 {
	g.t.Helper()
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.process == nil {
		g.t.Fatal("read memory: the gateway does not run")
	}
	status, err := os.Open(fmt.Sprintf("/proc/%d/status", g.process.Process.Pid))
	if err != nil {
		g.t.Fatal(err)
	}
	defer status.Close()
	for lines := bufio.NewScanner(status); lines.Scan(); {
		if size, ok := strings.CutPrefix(lines.Text(), "VmHWM:"); ok {
			kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(size), " kB"), 10, 64)
			if err != nil {
				g.t.Fatalf("VmHWM: %v", err)
			}
			return kib << 10
		}
	}
	g.t.Fatal("no VmHWM in the status of the process")
	return 0
}
