package harness

import (
	"os"
	"os/exec"
	"path/filepath"
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

// Root is the repository's root directory: the one above the working directory
// that has the go.mod. It does not use the path of this source file, which a build
// with -trimpath does not know.
func Root() string {
	dir, err := os.Getwd()
	if err != nil {
		panic(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			panic("harness: no go.mod above the working directory")
		}
		dir = parent
	}
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
