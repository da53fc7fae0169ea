//go:build emulator

// The shared suite on goccy's BigQuery emulator: go test -tags emulator. The
// strict server of package bigquerytest is what every test run uses.

package bigquery_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/sparrow-edge/sparrow/pkg/quantity"
	"github.com/sparrow-edge/sparrow/pkg/warehouse"
	"github.com/sparrow-edge/sparrow/pkg/warehouse/bigquery"
	"github.com/sparrow-edge/sparrow/pkg/warehouse/warehousetest"
)

// The emulator's addresses, for children of the test process.
const (
	emulatorREST = "SPARROW_BIGQUERY_EMULATOR_REST"
	emulatorGRPC = "SPARROW_BIGQUERY_EMULATOR_GRPC"
)

func TestMain(m *testing.M) {
	warehousetest.Child(openEmulated)
	code, err := withEmulator(m.Run)
	if err == nil {
		err = goleak.Find(
			goleak.IgnoreAnyFunction("go.opencensus.io/stats/view.(*worker).start"),
			// A connection that was replaced ends twenty seconds later.
			goleak.IgnoreAnyFunction("cloud.google.com/go/bigquery/storage/managedwriter.(*connection).getStream.func1"))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// withEmulator runs the tests beside an emulator of their own, which it builds
// if it must.
func withEmulator(run func() int) (code int, err error) {
	built := exec.Command(filepath.Join("..", "..", "..", "scripts", "emulator.sh"))
	built.Stderr = os.Stderr
	path, err := built.Output()
	if err != nil {
		return 1, fmt.Errorf("the BigQuery emulator cannot be built: run scripts/emulator.sh and see what it says: %w", err)
	}
	rest, err := freePort()
	if err != nil {
		return 1, err
	}
	grpc, err := freePort()
	if err != nil {
		return 1, err
	}
	emulator := exec.Command(strings.TrimSpace(string(path)), "--project=test", "--host=127.0.0.1", "--port="+rest, "--grpc-port="+grpc)
	emulator.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := emulator.Start(); err != nil {
		return 1, fmt.Errorf("start the BigQuery emulator: %w", err)
	}
	defer func() {
		_ = emulator.Process.Kill()
		_ = emulator.Wait()
	}()
	if err := answers("http://127.0.0.1:" + rest + "/bigquery/v2/projects/test/datasets"); err != nil {
		return 1, err
	}
	_ = os.Setenv(emulatorREST, "http://127.0.0.1:"+rest)
	_ = os.Setenv(emulatorGRPC, "127.0.0.1:"+grpc)
	return run(), nil
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
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for range 600 {
		response, err := client.Get(url)
		if err == nil {
			return response.Body.Close()
		}
		<-tick.C
	}
	return fmt.Errorf("the BigQuery emulator does not answer at %s", url)
}

// emulated is the configuration for the dataset of a test's directory.
func emulated(dir string) bigquery.Config {
	sum := sha256.Sum256([]byte(dir))
	config := bigquery.DefaultConfig()
	config.Project, config.Dataset = "test", "d"+hex.EncodeToString(sum[:8])
	config.Endpoint, config.StorageEndpoint, config.Insecure = os.Getenv(emulatorREST), os.Getenv(emulatorGRPC), true
	config.MaxRow = quantity.MiB
	config.InFlight = 1 // the emulator locks its tables and gives up where BigQuery waits
	return config
}

func openEmulated(dir string) (warehouse.Warehouse, error) {
	return bigquery.Open(context.Background(), emulated(dir), bigquery.Options{})
}

func TestSuiteOnEmulator(t *testing.T) {
	warehousetest.Run(t, warehousetest.Harness{Open: openEmulated, MaxRow: int(quantity.MiB), Serial: true, Ahead: true})
}
