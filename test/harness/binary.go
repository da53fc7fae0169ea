package harness

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
)

var build = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "sparrow-binary-*")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "sparrow")
	cmd := exec.Command("go", "build", "-o", path, "./cmd/sparrow")
	cmd.Dir = Root()
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	return path, cmd.Run()
})

// Root is the repository's root directory.
func Root() string {
	_, self, _, _ := runtime.Caller(0)
	return filepath.Dir(filepath.Dir(filepath.Dir(self)))
}

// Binary builds the gateway's binary, once in a test process, and returns its
// path. Main removes it again.
func Binary(t testing.TB) string {
	t.Helper()
	path, err := build()
	if err != nil {
		t.Fatalf("build the gateway: %v", err)
	}
	return path
}

// Main runs a package's tests and removes the binary that they built.
func Main(m *testing.M) {
	code := m.Run()
	if path, err := build(); err == nil {
		os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}
