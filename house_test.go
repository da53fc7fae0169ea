// Package house_test holds the rules of this repository ("house rules"): what may
// import what, what must be documented, what must not be written. A failing test
// says which rule is broken and what to do.
package house_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/sparrow-edge/sparrow"

// mayImport is the import map: a package, and the packages of this module that it
// may import. "*" stands for any. Tests may import more.
var mayImport = map[string][]string{
	"api":            {},
	"pkg/event":      {},
	"pkg/fault":      {},
	"pkg/quantity":   {},
	"pkg/strictyaml": {},
	"pkg/loopback":   {},
	"pkg/secret":     {},
	"pkg/retry":      {"pkg/fault"},
	"pkg/segment":    {"pkg/event"},
	"pkg/trail":      {},

	"pkg/journal":    {"pkg/event", "pkg/fault", "pkg/quantity", "pkg/retry"},
	"pkg/lease":      {"pkg/fault", "pkg/retry"},
	"pkg/dedup":      {"pkg/event", "pkg/fault", "pkg/quantity", "pkg/retry"},
	"pkg/dispatcher": {"pkg/event", "pkg/fault", "pkg/loopback", "pkg/quantity", "pkg/segment"},
	"pkg/plan":       {"pkg/event", "pkg/fault", "pkg/quantity", "pkg/strictyaml"},
	"pkg/sanitizer":  {"pkg/event", "pkg/fault", "pkg/quantity"},
	"pkg/bot":        {},
	"pkg/trace":      {"pkg/bot", "pkg/event", "pkg/fault", "pkg/plan", "pkg/sanitizer"},
	"pkg/tracker":    {"pkg/event", "pkg/fault", "pkg/loopback", "pkg/secret"},
	"pkg/delivery":   {"pkg/event", "pkg/fault", "pkg/loopback", "pkg/quantity", "pkg/retry", "pkg/tracker"},
	"pkg/report":     {"pkg/fault", "pkg/loopback", "pkg/secret"},
	"pkg/auth":       {"pkg/fault", "pkg/loopback", "pkg/retry"},
	"pkg/console":    {"api", "pkg/event", "pkg/fault", "pkg/quantity", "pkg/trail"},

	"pkg/tracker/trackertest":     {"pkg/event", "pkg/fault", "pkg/loopback", "pkg/strictyaml", "pkg/tracker"},
	"pkg/tracker/vendortest":      {},
	"pkg/warehouse":               {"pkg/event", "pkg/fault", "pkg/quantity", "pkg/retry"},
	"pkg/warehouse/duckdb":        {"pkg/event", "pkg/fault", "pkg/quantity", "pkg/retry", "pkg/warehouse"},
	"pkg/warehouse/bigquery":      {"pkg/auth", "pkg/event", "pkg/fault", "pkg/loopback", "pkg/quantity", "pkg/retry", "pkg/secret", "pkg/warehouse"},
	"pkg/warehouse/warehousetest": {"pkg/event", "pkg/fault", "pkg/quantity", "pkg/warehouse"},

	"pkg/app":         {"*"},
	"pkg/app/admin":   {"pkg/event", "pkg/trail", "pkg/warehouse"},
	"pkg/app/command": {"*"},
	"pkg/app/config": {
		"pkg/auth", "pkg/bot", "pkg/dedup", "pkg/delivery", "pkg/dispatcher", "pkg/journal", "pkg/lease", "pkg/plan", "pkg/report", "pkg/sanitizer",
		"pkg/strictyaml", "pkg/trace", "pkg/tracker", "pkg/warehouse", "pkg/warehouse/bigquery", "pkg/warehouse/duckdb",
	},
	"pkg/app/gateway": {"*"},

	"trackers":    {"*"},
	"cmd/sparrow": {"pkg/app", "trackers"},
}

// patterns are the import rules of packages that exist once per vendor or adapter.
var patterns = map[string][]string{
	"trackers/*":        {"pkg/event", "pkg/fault", "pkg/quantity", "pkg/tracker"},
	"pkg/warehouse/*/*": {"pkg/auth", "pkg/event", "pkg/fault", "pkg/quantity", "pkg/warehouse"},             // an adapter's strict server
	"trackers/*/*":      {"pkg/event", "pkg/fault", "pkg/quantity", "pkg/tracker", "pkg/tracker/vendortest"}, // the vendor's fake
}

// onlyIn names heavy modules and the one package that may import each.
var onlyIn = map[string]string{
	"github.com/duckdb/duckdb-go":     "pkg/warehouse/duckdb",
	"github.com/nats-io/nats-server":  "pkg/journal",
	"github.com/nats-io/nats.go":      "pkg/journal",
	"github.com/getsentry/sentry-go":  "pkg/report",
	"github.com/cockroachdb/pebble":   "pkg/dedup",
	"github.com/spf13/cobra":          "pkg/app/command",
	"cloud.google.com/go/bigquery":    "pkg/warehouse/bigquery",
	"github.com/golang-jwt/jwt":       "pkg/auth",
	"github.com/itchyny/gojq":         "trackers/http",
	"github.com/nyaruka/phonenumbers": "pkg/sanitizer",
}

// forbidden names modules and packages that nothing here may import, tests
// included, and what to use instead.
var forbidden = map[string]string{
	"github.com/stretchr/testify":      "use testing and go-cmp",
	"gopkg.in/yaml.v3":                 "use pkg/strictyaml",
	"github.com/nats-io/nats.go/micro": "the journal needs streams only",
	"encoding/gob":                     "use a format with a documented layout",
	"math/rand":                        "use math/rand/v2",
}

// file is one parsed Go file of the repository.
type file struct {
	path    string // relative, with slashes
	pkg     string // directory
	test    bool
	ast     *ast.File
	content []byte
}

func repository(t *testing.T) []file {
	t.Helper()
	var files []file
	fset := token.NewFileSet()
	err := filepath.WalkDir(".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			if p != "." && (strings.HasPrefix(name, ".") || name == "node_modules" || name == "testdata" || name == "data" || name == "bin") {
				return filepath.SkipDir
			}
			if _, err := os.Stat(filepath.Join(p, "go.mod")); err == nil && p != "." {
				return filepath.SkipDir // a module of its own
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		content, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		parsed, err := parser.ParseFile(fset, p, content, parser.ParseComments)
		if err != nil {
			return err
		}
		slashed := filepath.ToSlash(p)
		files = append(files, file{slashed, path.Dir(slashed), strings.HasSuffix(name, "_test.go"), parsed, content})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 20 {
		t.Fatalf("found %d Go files only: is this the repository's root?", len(files))
	}
	return files
}

func rulesFor(pkg string) ([]string, bool) {
	if allowed, ok := mayImport[pkg]; ok {
		return allowed, true
	}
	for pattern, allowed := range patterns {
		if ok, _ := path.Match(pattern, pkg); ok {
			own := path.Dir(pkg) // a vendor's fake may know its vendor
			return append(slices.Clone(allowed), own), true
		}
	}
	return nil, false
}

func TestImportsFollowTheMap(t *testing.T) {
	for _, f := range repository(t) {
		if f.test || f.pkg == "." || strings.HasPrefix(f.pkg, "test") {
			continue
		}
		allowed, known := rulesFor(f.pkg)
		if !known {
			t.Errorf("%s: package %s is not on the map in house_test.go: decide what it may import and add it", f.path, f.pkg)
			continue
		}
		for _, spec := range f.ast.Imports {
			imported, _ := strconv.Unquote(spec.Path.Value)
			inner, ours := strings.CutPrefix(imported, module+"/")
			if ours && !slices.Contains(allowed, "*") && !slices.Contains(allowed, inner) {
				t.Errorf("%s imports %s, which the map does not allow: declare the small interface you need where you use it, and let pkg/app/gateway wire it", f.path, inner)
			}
		}
	}
}

// within says whether an import path is a module's or package's own, or below it.
func within(imported, prefix string) bool {
	return imported == prefix || strings.HasPrefix(imported, prefix+"/")
}

func TestHeavyModulesAreImportedByOnePackage(t *testing.T) {
	for _, f := range repository(t) {
		if f.test || strings.HasSuffix(f.pkg, "test") {
			continue
		}
		for _, spec := range f.ast.Imports {
			imported, _ := strconv.Unquote(spec.Path.Value)
			for prefix, home := range onlyIn {
				if within(imported, prefix) && f.pkg != home {
					t.Errorf("%s imports %s: only %s may", f.path, imported, home)
				}
			}
		}
	}
}

func TestForbiddenModulesAreNotImported(t *testing.T) {
	for _, f := range repository(t) {
		for _, spec := range f.ast.Imports {
			imported, _ := strconv.Unquote(spec.Path.Value)
			for prefix, instead := range forbidden {
				if within(imported, prefix) && imported != "math/rand/v2" {
					t.Errorf("%s imports %s: %s", f.path, imported, instead)
				}
			}
		}
	}
}

// TestTheRulesNameWhatExists: a rule about a module or package that is gone checks
// nothing, and hides a mistyped name.
func TestTheRulesNameWhatExists(t *testing.T) {
	imports := map[string][]string{} // by package, tests left out
	for _, f := range repository(t) {
		imports[f.pkg] = append(imports[f.pkg], "")
		for _, spec := range f.ast.Imports {
			if imported, _ := strconv.Unquote(spec.Path.Value); !f.test {
				imports[f.pkg] = append(imports[f.pkg], imported)
			}
		}
	}
	exists := func(rule, pkg string) {
		if imports[pkg] == nil {
			t.Errorf("%s names %s, and there is no such package: remove it from the rule", rule, pkg)
		}
	}
	for pkg, allowed := range mayImport {
		exists("mayImport", pkg)
		for _, other := range slices.DeleteFunc(slices.Clone(allowed), func(s string) bool { return s == "*" }) {
			exists("mayImport["+pkg+"]", other)
		}
	}
	for _, pkg := range owners {
		exists("owners", pkg)
	}
	for _, c := range calls {
		for _, pkg := range c.in {
			exists("calls["+c.name+"]", pkg)
		}
	}
	mod, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	for prefix, home := range onlyIn {
		required := slices.ContainsFunc(strings.Fields(string(mod)), func(word string) bool { return within(word, prefix) })
		used := slices.ContainsFunc(imports[home], func(imported string) bool { return within(imported, prefix) })
		if !required || !used {
			t.Errorf("onlyIn names %s for %s: in go.mod: %v, imported there: %v; remove it from the rule, or correct it", prefix, home, required, used)
		}
	}
}

func TestEveryPackageIsDocumented(t *testing.T) {
	documented := map[string]bool{}
	for _, f := range repository(t) {
		if !f.test {
			documented[f.pkg] = documented[f.pkg] || f.ast.Doc != nil && len(f.ast.Doc.Text()) > 40
		}
	}
	for pkg, ok := range documented {
		if !ok {
			t.Errorf("package %s has no documentation: say in doc.go what it is and what it promises", pkg)
		}
	}
}

func TestEveryExportedNameIsDocumented(t *testing.T) {
	for _, f := range repository(t) {
		if f.test || f.ast.Name.Name == "main" {
			continue
		}
		for _, decl := range f.ast.Decls {
			for _, name := range undocumented(decl) {
				t.Errorf("%s: %s has no comment: give its meaning, units, limits, errors", f.path, name)
			}
		}
	}
}

// undocumented returns the exported names that a declaration leaves without a comment.
func undocumented(decl ast.Decl) []string {
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if d.Name.IsExported() && d.Doc == nil && (d.Recv == nil || exportedReceiver(d)) && !wellKnown[d.Name.Name] {
			return []string{d.Name.Name}
		}
	case *ast.GenDecl:
		var names []string
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.TypeSpec:
				if s.Name.IsExported() && d.Doc == nil && s.Doc == nil {
					names = append(names, s.Name.Name)
				}
			case *ast.ValueSpec:
				for _, n := range s.Names {
					if n.IsExported() && d.Doc == nil && s.Doc == nil && s.Comment == nil {
						names = append(names, n.Name)
					}
				}
			}
		}
		return names
	}
	return nil
}

// wellKnown are methods whose meaning the standard library defines.
var wellKnown = map[string]bool{"Error": true, "Unwrap": true, "Is": true, "As": true, "Len": true, "Less": true, "Swap": true, "Close": true}

func exportedReceiver(d *ast.FuncDecl) bool {
	t := d.Recv.List[0].Type
	if star, ok := t.(*ast.StarExpr); ok {
		t = star.X
	}
	if index, ok := t.(*ast.IndexExpr); ok {
		t = index.X
	}
	name, ok := t.(*ast.Ident)
	return ok && name.IsExported()
}

func TestPackageNamesSayWhatTheyHide(t *testing.T) {
	for _, f := range repository(t) {
		for _, part := range strings.Split(f.pkg, "/") {
			if slices.Contains([]string{"util", "utils", "common", "helpers", "helper", "types", "misc", "base", "shared"}, part) {
				t.Errorf("%s: the name %q does not say what the package contains", f.path, part)
			}
		}
	}
}

func TestNoRegistriesByInit(t *testing.T) {
	for _, f := range repository(t) {
		for _, decl := range f.ast.Decls {
			if fn, ok := decl.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
				t.Errorf("%s has an init function: pass values from main instead", f.path)
			}
		}
	}
}

// calls are selector expressions that are forbidden, and why.
var calls = []struct {
	name  string
	tests bool // forbidden in tests, too (or, with only, in tests only)
	only  bool
	in    []string // packages where it may stand
	why   string
}{
	{name: "time.Sleep", tests: true, only: true, why: "use testing/synctest, a channel, or poll with a deadline through a real condition"},
	{name: "os.Exit", in: []string{"cmd/sparrow", "pkg/app", "test/bench", "test/harness", "test/questions"}, why: "return an error; only main exits"},
	{name: "log.Fatal", why: "return an error; only main exits"},
	{name: "log.Fatalf", why: "return an error; only main exits"},
	{name: "log.Printf", why: "log with the injected slog.Logger"},
	{name: "http.DefaultClient", tests: false, why: "make a client with limits; the default has none and follows redirects"},
	{name: "http.DefaultTransport", why: "make a transport with limits"},
	{name: "http.Get", why: "make a client with limits; the default has none and follows redirects"},
	{name: "http.Post", why: "make a client with limits; the default has none and follows redirects"},
	{name: "prometheus.MustRegister", why: "register with the injected prometheus.Registerer"},
	{name: "prometheus.DefaultRegisterer", why: "register with the injected prometheus.Registerer"},
	{name: "slog.Default", in: []string{"pkg/app/command"}, why: "take the logger as an argument"},
	{name: "slog.SetDefault", why: "pass the logger on"},
	{name: "context.TODO", why: "pass the context on"},
	{name: "ioutil.ReadAll", why: "io.ReadAll of a limited reader"},
}

func TestNothingForbiddenIsCalled(t *testing.T) {
	for _, f := range repository(t) {
		ast.Inspect(f.ast, func(n ast.Node) bool {
			name := selected(n)
			for _, c := range calls {
				if c.name != name || name == "time.Sleep" && fakeTime(f) || slices.Contains(c.in, f.pkg) || f.test && !c.tests || !f.test && c.only {
					continue
				}
				t.Errorf("%s: %s: %s", f.path, c.name, c.why)
			}
			return true
		})
	}
}

// selected returns "x.Name" for such an expression, and "" for any other node.
func selected(n ast.Node) string {
	sel, ok := n.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	x, ok := sel.X.(*ast.Ident)
	if !ok {
		return ""
	}
	return x.Name + "." + sel.Sel.Name
}

// fakeTime says whether a file's tests run in synctest bubbles: sleeping costs no
// time there, and waits for nothing that it could miss.
func fakeTime(f file) bool { return strings.Contains(string(f.content), "testing/synctest") }

// TestTestsDoNotSleep finds the sleeps that time.Sleep's ban does not: a receive
// from time.After or time.Tick that nothing else can end. A select with a second
// case is a time-out, which is fine.
func TestTestsDoNotSleep(t *testing.T) {
	for _, f := range repository(t) {
		if !f.test && !strings.HasPrefix(f.pkg, "test/") || fakeTime(f) {
			continue
		}
		timeouts := map[ast.Stmt]bool{}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.SelectStmt:
				for _, c := range n.Body.List {
					timeouts[c.(*ast.CommClause).Comm] = len(n.Body.List) > 1
				}
			case *ast.ExprStmt:
				if from := receivedFrom(n); !timeouts[n] && (from == "time.After" || from == "time.Tick") {
					t.Errorf("%s: <-%s(...) is a sleep: use testing/synctest, wait for a channel, or poll a condition with a ticker and a deadline", f.path, from)
				}
			}
			return true
		})
	}
}

// receivedFrom returns the function whose result a statement only receives from,
// such as "time.After" for <-time.After(d); "" for other statements.
func receivedFrom(stmt *ast.ExprStmt) string {
	receive, ok := stmt.X.(*ast.UnaryExpr)
	if !ok || receive.Op != token.ARROW {
		return ""
	}
	call, ok := receive.X.(*ast.CallExpr)
	if !ok {
		return ""
	}
	return selected(call.Fun)
}

// owners are the packages that may start goroutines: each waits for those it started.
var owners = []string{
	"pkg/app/gateway", "pkg/app/admin", "pkg/app/command", "pkg/delivery", "pkg/journal", "pkg/report", "pkg/dedup",
	"pkg/dispatcher", "pkg/warehouse", "pkg/warehouse/duckdb",
}

func TestGoroutinesHaveOwners(t *testing.T) {
	for _, f := range repository(t) {
		if f.test || slices.Contains(owners, f.pkg) || strings.HasSuffix(f.pkg, "test") || strings.HasPrefix(f.pkg, "test") {
			continue
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			if _, ok := n.(*ast.GoStmt); ok {
				t.Errorf("%s starts a goroutine: be passive, or have Run(ctx), and be listed in owners", f.path)
			}
			return true
		})
	}
}

func TestFilesStaySmall(t *testing.T) {
	const limit = 500
	for _, f := range repository(t) {
		if lines := strings.Count(string(f.content), "\n"); !f.test && lines > limit {
			t.Errorf("%s has %d lines, more than %d: one file does one thing", f.path, lines, limit)
		}
	}
}

func TestNothingIsLeftForLater(t *testing.T) {
	for _, f := range repository(t) {
		if f.path == "house_test.go" {
			continue
		}
		for i, line := range strings.Split(string(f.content), "\n") {
			for _, word := range []string{"TODO", "FIXME", "XXX"} {
				if strings.Contains(line, word) {
					t.Errorf("%s:%d: %q: finish it, or write it down as an issue", f.path, i+1, word)
				}
			}
		}
	}
}

func TestVendorsTouchOneDirectoryAndOneLine(t *testing.T) {
	vendors, err := filepath.Glob("trackers/*/doc.go")
	if err != nil || len(vendors) == 0 {
		t.Fatalf("no vendors found: %v", err)
	}
	for _, f := range repository(t) {
		if f.test || strings.HasPrefix(f.pkg, "trackers") || strings.HasPrefix(f.pkg, "test") {
			continue
		}
		for _, spec := range f.ast.Imports {
			imported, _ := strconv.Unquote(spec.Path.Value)
			if strings.HasPrefix(imported, module+"/trackers/") {
				t.Errorf("%s imports %s: only trackers/trackers.go names vendors", f.path, imported)
			}
		}
	}
}

// overloaded are words that once had several meanings here, or that nobody says:
// no exported name in pkg may contain one, but in the packages that are listed.
// docs/ARCHITECTURE.md has the glossary. (Post is fine: it is an HTTP method.)
var overloaded = map[string][]string{
	"Admit": nil, "Bare": nil, "Board": nil, "Books": nil, "Doubt": nil, "Exchange": nil, "Fleet": nil, "Front": nil,
	"Hold": {"pkg/lease"}, "Holds": {"pkg/lease"}, "Hop": nil, "House": nil, "Ledger": nil, "Look": nil, "Man": nil, "Mark": nil, "Marks": nil,
	"Note": {"pkg/app/admin"}, "Notes": nil, "Room": nil, "Take": nil, "Tell": nil, "Turn": nil, "Twin": nil, "Way": nil, "Ways": nil, "Worse": nil,
}

// camelWord is one word of an identifier such as OldestPin or URLOf.
var camelWord = regexp.MustCompile(`[A-Z]+[a-z0-9]*`)

func TestExportedNamesKeepTheVocabulary(t *testing.T) {
	for _, f := range repository(t) {
		if f.test || !strings.HasPrefix(f.pkg, "pkg/") {
			continue
		}
		for _, decl := range f.ast.Decls {
			for _, name := range exportedNames(decl) {
				for _, word := range camelWord.FindAllString(name, -1) {
					if allowed, found := overloaded[word]; found && !slices.Contains(allowed, f.pkg) {
						t.Errorf("%s: %s: %q is not in the vocabulary: use the word of the glossary in docs/ARCHITECTURE.md, or the term that Go engineers use", f.path, name, word)
					}
				}
			}
		}
	}
}

// exportedNames are the exported names that a declaration makes: functions,
// methods, types with their fields and methods, values.
func exportedNames(decl ast.Decl) []string {
	var names []string
	add := func(ids ...*ast.Ident) {
		for _, id := range ids {
			if id.IsExported() {
				names = append(names, id.Name)
			}
		}
	}
	switch d := decl.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil || exportedReceiver(d) {
			add(d.Name)
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.ValueSpec:
				add(s.Names...)
			case *ast.TypeSpec:
				if add(s.Name); s.Name.IsExported() {
					ast.Inspect(s.Type, func(n ast.Node) bool {
						if field, ok := n.(*ast.Field); ok {
							add(field.Names...)
						}
						return true
					})
				}
			}
		}
	}
	return names
}
