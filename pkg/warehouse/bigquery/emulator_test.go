package bigquery_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/pkg/quantity"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
	"github.com/sparrow-edge/sparrow/pkg/warehouse/bigquery"
	"github.com/sparrow-edge/sparrow/pkg/warehouse/warehousetest"
)

// emulators are the emulators of this process, one for each directory that
// stands for a warehouse: two datasets in one emulator read each other's views.
type emulators struct {
	binary func() (string, error)

	mu      sync.Mutex
	running map[string]*os.Process // by directory
}

// emulated is the process's. Children of it find an emulator by its file.
var emulated = &emulators{running: map[string]*os.Process{}, binary: sync.OnceValues(func() (string, error) {
	build := exec.Command(filepath.Join("..", "..", "..", "scripts", "emulator.sh"))
	build.Stderr = os.Stderr
	path, err := build.Output()
	if err != nil {
		return "", fmt.Errorf("the BigQuery emulator cannot be built: run scripts/emulator.sh and see what it says: %w", err)
	}
	return strings.TrimSpace(string(path)), nil
})}

// addresses of an emulator, in the file emulator.json of its directory.
type addresses struct {
	REST, GRPC string
	PID        int
}

// config is the configuration for the emulator of a directory, which is started
// when there is none.
func (e *emulators) config(dir string) (bigquery.Config, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	config := bigquery.DefaultConfig()
	config.Project, config.Dataset, config.Insecure = "test", "sparrow", true
	config.MaxRow = quantity.MiB
	config.InFlight = 1 // the emulator locks its tables and gives up where BigQuery waits
	file := filepath.Join(dir, "emulator.json")
	text, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		text, err = e.start(dir, file)
	}
	if err != nil {
		return config, err
	}
	var at addresses
	if err := json.Unmarshal(text, &at); err != nil {
		return config, err
	}
	if e.running[dir] == nil { // a child that was killed started it
		if e.running[dir], err = os.FindProcess(at.PID); err != nil {
			return config, err
		}
	}
	config.Endpoint, config.StorageEndpoint = at.REST, at.GRPC
	return config, nil
}

func (e *emulators) start(dir, file string) ([]byte, error) {
	e.stop(func(dir string) bool {
		_, err := os.Stat(dir)
		return err != nil // its test has ended
	})
	binary, err := e.binary()
	if err != nil {
		return nil, err
	}
	rest, err := freePort()
	if err != nil {
		return nil, err
	}
	grpc, err := freePort()
	if err != nil {
		return nil, err
	}
	process := exec.Command(binary, "--project=test", "--host=127.0.0.1", "--port="+rest, "--grpc-port="+grpc)
	if err := process.Start(); err != nil {
		return nil, fmt.Errorf("start the BigQuery emulator: %w", err)
	}
	e.running[dir] = process.Process
	at := addresses{"http://127.0.0.1:" + rest, "127.0.0.1:" + grpc, process.Process.Pid}
	if err := answers(at.REST + "/bigquery/v2/projects/test/datasets"); err != nil {
		return nil, err
	}
	text, err := json.Marshal(at)
	if err != nil {
		return nil, err
	}
	return text, os.WriteFile(file, text, 0o600)
}

// stop ends the emulators of the directories that ended names.
func (e *emulators) stop(ended func(dir string) bool) {
	for dir, process := range e.running {
		if ended(dir) {
			_ = process.Kill()
			_, _ = process.Wait() // fails of a killed child's
			delete(e.running, dir)
		}
	}
}

func (e *emulators) close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.stop(func(string) bool { return true })
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, err
}

// answers waits until the emulator does.
func answers(url string) error {
	client := &http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for range 1500 {
		response, err := client.Get(url)
		if err == nil {
			return response.Body.Close()
		}
		<-tick.C
	}
	return fmt.Errorf("the BigQuery emulator does not answer at %s", url)
}

func openEmulated(dir string) (warehouse.Warehouse, error) {
	config, err := emulated.config(dir)
	if err != nil {
		return nil, err
	}
	s, err := bigquery.Open(context.Background(), config, bigquery.Options{})
	if err != nil {
		return nil, err
	}
	bigquery.WithoutDryRuns(s)
	return s, nil
}

// unfit are the parts of the suite that the emulator cannot show, and why; and
// where it is shown instead.
var unfit = map[string]string{
	"cancel":              "it goes on with what was cancelled, and locks its tables meanwhile: TestCancelled",
	"query while loading": "its tables lock when they are read and written at once: the views show only what a commit covers",
	"limits":              "it bounds neither a query's time nor its bytes: TestDryRunDecides",
	"types":               "its NUMERIC has no bounds, and safe_cast makes 0 of text: TestSameAnswers has the other values",
	"hostile names":       "its JSON paths know no escaped double quote: TestPaths, and TestSameAnswers for the other names",
}

// emulatedResults gives the time its offset: without one it is UTC's to BigQuery,
// and California's to the emulator.
const emulatedResults = `select cast(1 as bigint) as a, 9007199254740993 as a2, cast('12345678901234567890.123456789' as numeric) as odd_name,
	true as b, null as n, 'text' as s, cast('2026-01-31' as date) as d, cast('2026-01-31 12:00:00.25+00' as timestamp) as t, 0.5e0 as f`

func TestSuiteOnEmulator(t *testing.T) {
	h := warehousetest.Harness{Open: openEmulated, MaxRow: int(quantity.MiB), Ahead: true, Histories: 1, Results: emulatedResults}
	for _, check := range warehousetest.Checks() {
		if unfit[check.Name] == "" {
			t.Run(check.Name, func(t *testing.T) {
				t.Parallel()
				check.Run(t, h)
			})
		}
	}
}
