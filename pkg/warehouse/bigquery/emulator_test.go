package bigquery_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/sparrow-edge/sparrow/pkg/quantity"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
	"github.com/sparrow-edge/sparrow/pkg/warehouse/bigquery"
	"github.com/sparrow-edge/sparrow/pkg/warehouse/bigquery/emulatortest"
	"github.com/sparrow-edge/sparrow/pkg/warehouse/warehousetest"
)

// emulators are the emulators of this process, one for each directory that
// stands for a warehouse: two datasets in one emulator read each other's views.
type emulators struct {
	mu      sync.Mutex
	running map[string]*emulated // by directory
}

// emulated is an emulator and this process's proxy to it.
type emulated struct {
	*emulatortest.Emulator
	proxy *emulatortest.Proxy
}

// processes are the emulators of this process. A child process, which the suite
// kills, starts one that stays: its address is in the file emulator.json of the
// directory.
var processes = &emulators{running: map[string]*emulated{}}

// config is the configuration for the emulator of a directory, which is started
// when there is none.
func (e *emulators) config(dir string) (bigquery.Config, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	config := bigquery.DefaultConfig()
	config.Project, config.Dataset, config.Insecure = emulatortest.Project, "sparrow", true
	config.MaxRow = quantity.MiB
	at := e.running[dir]
	if at == nil {
		var err error
		if at, err = e.open(dir); err != nil {
			return config, err
		}
		e.running[dir] = at
	}
	config.Endpoint, config.StorageEndpoint = at.proxy.URL, at.proxy.GRPCAddress
	return config, nil
}

func (e *emulators) open(dir string) (*emulated, error) {
	e.stop(func(dir string) bool {
		_, err := os.Stat(dir)
		return err != nil // its test has ended
	})
	at := &emulated{}
	file := filepath.Join(dir, "emulator.json")
	text, err := os.ReadFile(file)
	switch {
	case err == nil:
		err = json.Unmarshal(text, &at.Emulator)
	case errors.Is(err, os.ErrNotExist):
		if at.Emulator, err = emulatortest.Start(nil); err == nil {
			text, _ = json.Marshal(at.Emulator)
			err = os.WriteFile(file, text, 0o600)
		}
	}
	if err != nil {
		return nil, err
	}
	at.proxy, err = emulatortest.NewProxy(at.Emulator)
	return at, err
}

// stop ends the emulators of the directories that ended names.
func (e *emulators) stop(ended func(dir string) bool) {
	for dir, at := range e.running {
		if ended(dir) {
			_ = at.proxy.Close()
			_ = at.Kill()
			delete(e.running, dir)
		}
	}
}

func (e *emulators) close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.stop(func(string) bool { return true })
}

func openEmulated(dir string) (warehouse.Warehouse, error) {
	config, err := processes.config(dir)
	if err != nil {
		return nil, err
	}
	return bigquery.Open(context.Background(), config, bigquery.Options{})
}

// unfit are the parts of the suite that the emulator cannot show, and why; and
// where it is shown instead.
var unfit = map[string]string{
	"cancel":              "it goes on with what was cancelled, and locks its tables meanwhile: TestCancelledLoadStoresNothingTwice",
	"query while loading": "its tables lock when they are read and written at once: the views show only what a commit covers",
	"limits":              "it bounds neither a query's time nor its bytes: TestDryRunDecides",
	"types":               "its NUMERIC has no bounds, and safe_cast makes 0 of text: TestBigQueryAnswersAsDuckDB has the other values",
	"hostile names":       "its JSON paths know no escaped double quote: TestPathsAreReadAsTheirNames, and TestBigQueryAnswersAsDuckDB for the other names",
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
