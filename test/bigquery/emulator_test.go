package bigquery_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/sparrow-edge/sparrow/pkg/warehouse/bigquery/emulatortest"
)

// emulator starts an emulator that ends with the test, and returns the
// configuration of a warehouse there.
func emulator(t *testing.T) string {
	t.Helper()
	// The directory is where its files stay when it is killed.
	process, err := emulatortest.Start(append(os.Environ(), "TMPDIR="+t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = process.Kill() })
	proxy, err := emulatortest.NewProxy(process)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = proxy.Close() })
	return fmt.Sprintf(`insecure: true, endpoint: "%s", storageEndpoint: "%s"`, proxy.URL, proxy.GRPCAddress)
}
