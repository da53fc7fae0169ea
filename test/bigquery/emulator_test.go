package bigquery_test

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sparrow-edge/sparrow/test/harness"
)

// emulator starts an emulator that ends with the test, and returns the
// configuration of a warehouse there.
func emulator(t *testing.T) string {
	t.Helper()
	build := exec.Command(filepath.Join(harness.Root(), "scripts", "emulator.sh"))
	build.Stderr = os.Stderr
	binary, err := build.Output()
	if err != nil {
		t.Fatalf("there is no BigQuery emulator: run scripts/emulator.sh, which builds it, and see what it says: %v", err)
	}
	rest, grpc := freePort(t), freePort(t)
	process := exec.Command(strings.TrimSpace(string(binary)), "--project=test", "--host=127.0.0.1", "--port="+rest, "--grpc-port="+grpc)
	process.Env = append(os.Environ(), "TMPDIR="+t.TempDir()) // where its files stay when it is killed
	if err := process.Start(); err != nil {
		t.Fatalf("start the BigQuery emulator: %v", err)
	}
	t.Cleanup(func() {
		_ = process.Process.Kill()
		_ = process.Wait()
	})
	client := &http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	harness.Await(t, "the emulator to answer", 30*time.Second, func() bool {
		response, err := client.Get("http://127.0.0.1:" + rest + "/bigquery/v2/projects/test/datasets")
		if err != nil {
			return false
		}
		response.Body.Close()
		return true
	})
	return fmt.Sprintf(`insecure: true, endpoint: "http://127.0.0.1:%s", storageEndpoint: "127.0.0.1:%s"`, rest, grpc)
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}
