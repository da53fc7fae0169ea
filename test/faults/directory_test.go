package faults_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/test/harness"
)

// logLimit bounds the lines that a gateway may log about a directory that is gone.
const logLimit = 300

// removeAll removes a directory in which a gateway goes on making files.
func removeAll(dir string) (err error) {
	for range 1000 {
		if err = os.RemoveAll(dir); err == nil {
			return nil
		}
	}
	return err
}

func TestDataDirectoryThatGoesAwayEndsNeitherTheStopNorTheLog(t *testing.T) {
	t.Parallel()
	for name, disturb := range map[string]func(data string) error{
		"removed": removeAll,
		"moved":   func(data string) error { return os.Rename(data, data+".elsewhere") },
		"replaced by an empty one": func(data string) error {
			if err := os.Rename(data, data+".elsewhere"); err != nil {
				return err
			}
			return os.Mkdir(data, 0o700)
		},
		"journal removed":   func(data string) error { return removeAll(filepath.Join(data, "journal")) },
		"index removed":     func(data string) error { return removeAll(filepath.Join(data, "duplicates")) },
		"warehouse removed": func(data string) error { return os.Remove(filepath.Join(data, "warehouse.duckdb")) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := harness.New(t, map[string]string{"sparrow.yaml": fmt.Sprintf(quietConfig, " []"), "plan.yaml": identifiedPlan}, "serve")
			g.Start()
			generator, stop := startLoad(g, "gone")
			defer stop()
			g.Await("the load to go on", time.Minute, func() bool { return len(generator.Acknowledged()) > 200 })
			if err := disturb(filepath.Join(g.Dir, "data")); err != nil {
				t.Fatal(err)
			}
			if name == "removed" || name == "moved" || name == "journal removed" {
				g.Await("readiness to be lost", time.Minute, func() bool {
					response, err := http.Get(g.URL + "/readyz")
					return err == nil && response.Body.Close() == nil && response.StatusCode == http.StatusServiceUnavailable
				})
			}
			begun := time.Now()
			g.Signal(syscall.SIGTERM)
			g.Ended(2 * time.Minute) // whatever its code: it could not store everything
			t.Logf("it took %v to stop", time.Since(begun).Round(time.Millisecond))
			if lines := strings.Count(g.Log(), "\n"); lines > logLimit {
				t.Errorf("%d lines were logged, want %d at most", lines, logLimit)
			}
		})
	}
}

func TestSecondSignalEndsTheProcess(t *testing.T) {
	t.Parallel()
	g := harness.New(t, map[string]string{"sparrow.yaml": fmt.Sprintf(quietConfig, " []"), "plan.yaml": identifiedPlan}, "serve")
	g.Start()
	if err := removeAll(filepath.Join(g.Dir, "data")); err != nil {
		t.Fatal(err)
	}
	g.Signal(syscall.SIGTERM)
	g.Await("the stop to begin", time.Minute, func() bool { return strings.Contains(g.Log(), "stopping") })
	g.Signal(syscall.SIGTERM) // it may have ended by itself
	begun := time.Now()
	g.Ended(time.Minute)
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("it took %v to end after the second signal", took)
	}
}
