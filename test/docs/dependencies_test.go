package docs_test

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestDependenciesHaveAReason holds docs/DEPENDENCIES.md to go.mod and to every
// package.json: what is imported has a row, and no row outlives its module.
func TestDependenciesHaveAReason(t *testing.T) {
	rows := read(t, "docs/DEPENDENCIES.md").text
	listed := map[string]bool{}
	for _, row := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\|[^|]*\\| *([^| ][^|]*)\\|$").FindAllStringSubmatch(rows, -1) {
		if listed[row[1]] {
			t.Errorf("%s has two rows", row[1])
		}
		listed[row[1]] = true
	}
	wanted := directModules(t)
	for name := range npmPackages(t) {
		wanted[name] = true
	}
	for name := range wanted {
		if !listed[name] {
			t.Errorf("%s is a dependency without a row in docs/DEPENDENCIES.md: give its reason there, or do without it", name)
		}
	}
	for name := range listed {
		if !wanted[name] {
			t.Errorf("%s has a row in docs/DEPENDENCIES.md and is no dependency: remove the row", name)
		}
	}
}

// directModules are the modules that go.mod requires and does not mark indirect.
func directModules(t *testing.T) map[string]bool {
	modules := map[string]bool{}
	for line := range strings.Lines(read(t, "go.mod").text) {
		fields := strings.Fields(strings.TrimPrefix(line, "require "))
		if len(fields) == 2 && strings.Contains(fields[0], "/") && strings.HasPrefix(fields[1], "v") {
			modules[fields[0]] = true
		}
	}
	if len(modules) < 10 {
		t.Fatalf("go.mod: only %d modules found", len(modules))
	}
	return modules
}

// npmPackages are what the package.json files of the tree ask for.
func npmPackages(t *testing.T) map[string]bool {
	packages := map[string]bool{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules" || d.Name() == "testdata"):
			return filepath.SkipDir
		case d.Name() != "package.json":
			return nil
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		var file struct{ Dependencies, DevDependencies map[string]string }
		if err := json.Unmarshal(content, &file); err != nil {
			return err
		}
		for name := range file.Dependencies {
			packages[name] = true
		}
		for name := range file.DevDependencies {
			packages[name] = true
		}
		return nil
	})
	if err != nil || len(packages) == 0 {
		t.Fatalf("read package.json files: %v, %d packages", err, len(packages))
	}
	return packages
}
