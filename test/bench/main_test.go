package main

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/sparrow-edge/sparrow/test/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }

// TestEverySideIsMeasured runs one short round of each. It does not check speed.
func TestEverySideIsMeasured(t *testing.T) {
	bench := filepath.Join(t.TempDir(), "bench")
	if out, err := exec.Command("go", "build", "-o", bench, ".").CombinedOutput(); err != nil {
		t.Fatalf("build the bench: %v\n%s", err, out)
	}
	out, err := exec.Command(bench, "-rounds", "1", "-length", "100ms", "-gateway", harness.Binary(t)).CombinedOutput()
	if err != nil {
		t.Fatalf("bench: %v\n%s", err, out)
	}
	for _, connections := range []string{"64", "256"} {
		for _, side := range []string{"bare", "intake", "gateway"} {
			row := regexp.MustCompile(`(?m)^` + connections + ` +` + side + ` +[1-9]`)
			if !row.Match(out) {
				t.Errorf("no events of %s at %s connections:\n%s", side, connections, out)
			}
		}
	}
}
