// Package engine_test holds the rules of the architecture: which package may
// import what. The files themselves are parsed: the test cache would hide a new
// arrow from anything that asks the go command.
package engine_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// arrows lists what each package of ours may import of ours; a package that is not
// listed may not exist. Beyond the first design:
//   - manifest → calendar: traces are counted by day
//   - lake → calendar, stage: it lays traces out by day, and its readers and writers
//     are what transforms use
//   - plan → diag: mistakes in a selection
//   - zip: lake, exec and stagetest complete rows in the same way
//   - exec → contract: what is not stored is held to its contract as well
//   - parallel: goroutines inside one unit; exec reports their panics
var arrows = map[string][]string{
	"engine/addr":            {},
	"engine/parallel":        {},
	"engine/diag":            {},
	"engine/calendar":        {},
	"engine/event":           {"engine/addr"},
	"engine/manifest":        {"engine/addr", "engine/calendar"},
	"engine/contract":        {"engine/diag"},
	"engine/stage":           {"engine/addr", "engine/contract"},
	"engine/stage/stagetest": {"engine/stage", "engine/addr", "engine/zip"},
	"engine/zip":             {"engine/stage"},
	"engine/lake":            {"engine/manifest", "engine/contract", "engine/addr", "engine/calendar", "engine/stage", "engine/zip", "engine/parallel", "engine/lake/parquet", "engine/lake/index", "engine/lake/lease"},
	"engine/lake/parquet":    {"engine/contract", "engine/stage"},
	"engine/lake/index":      {"engine/manifest", "engine/addr", "engine/calendar"},
	"engine/lake/lease":      {"engine/addr"},
	"engine/config":          {"engine/stage", "engine/contract", "engine/calendar", "engine/addr", "engine/diag"},
	"engine/graph":           {"engine/config", "engine/addr", "engine/diag", "engine/calendar"},
	"engine/plan":            {"engine/graph", "engine/manifest", "engine/calendar", "engine/addr", "engine/diag"},
	"engine/exec":            {"engine/plan", "engine/lake", "engine/stage", "engine/contract", "engine/zip", "engine/parallel", "engine/event", "engine/graph", "engine/manifest", "engine/addr"},
	"engine/view":            {"engine/plan", "engine/graph", "engine/event", "engine/diag", "engine/addr", "engine/calendar", "engine/manifest"},
	"pipelines":              {},
	"contracts":              {},
}

// owners names the packages that may import a heavy outside module. Everything
// below the prefix is meant.
var owners = map[string][]string{
	"github.com/hashicorp/hcl":                       {"engine/config"},
	"github.com/zclconf/go-cty":                      {"engine/config"},
	"github.com/hamba/avro":                          {"engine/contract"},
	"github.com/apache/arrow/go/v17/parquet":         {"engine/lake/parquet"},
	"github.com/dominikbraun/graph":                  {"engine/graph"},
	"github.com/spf13/cobra":                         {"cmd/dag"},
	"github.com/rs/zerolog":                          {"cmd/dag"},
	"github.com/viterin/vek":                         {"stages/retrieval"},
	"github.com/apache/arrow/go/v17/parquet/pqarrow": {}, // brings gRPC with it: tests only
	"github.com/apache/arrow/go/v17/arrow/compute":   {},
}

// file is one parsed Go file.
type file struct {
	pkg, name string // folder relative to the root, file name
	imports   []string
	ast       *ast.File
}

func parseAll(t *testing.T) []file {
	t.Helper()
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	var files []file
	err = filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, p)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if d.IsDir() && (d.Name() == "testdata" || rel == "lake" || rel == ".git") {
			return fs.SkipDir
		}
		if d.IsDir() || path.Ext(p) != ".go" {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), p, nil, parser.SkipObjectResolution|parser.ParseComments)
		if err != nil {
			return err
		}
		out := file{pkg: path.Dir(rel), name: path.Base(rel), ast: f}
		for _, i := range f.Imports {
			name, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return err
			}
			out.imports = append(out.imports, name)
		}
		files = append(files, out)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 20 {
		t.Fatalf("only %d Go files found under %s", len(files), root)
	}
	return files
}

func (f file) isTest() bool { return strings.HasSuffix(f.name, "_test.go") }

// TestArrows holds every import of ours to the table.
func TestArrows(t *testing.T) {
	for _, f := range parseAll(t) {
		if f.isTest() {
			continue
		}
		for _, i := range f.imports {
			own, ok := strings.CutPrefix(i, "dag/")
			if ok && !mayImport(f.pkg, own) {
				t.Errorf("%s/%s imports %s, which the architecture does not allow", f.pkg, f.name, own)
			}
		}
	}
}

func mayImport(pkg, own string) bool {
	switch {
	case pkg == "cmd/dag":
		return true
	case strings.HasPrefix(pkg, "stages/internal/"):
		helps := own == "engine/stage/stagetest" && strings.HasSuffix(pkg, "test") // only tests import such a package
		return forStages(own) || helps || strings.HasPrefix(own, "stages/internal/")
	case pkg == "stages":
		return own == "engine/stage" || strings.HasPrefix(own, "stages/")
	case strings.HasPrefix(pkg, "stages/"):
		return forStages(own) || own == "engine/stage/stagetest" || strings.HasPrefix(own, "stages/internal/")
	}
	return slices.Contains(arrows[pkg], own)
}

// forStages tells what of the engine transforms may use.
func forStages(own string) bool { return own == "engine/stage" || own == "engine/parallel" }

// TestEveryPackageIsInTheTable keeps the table complete.
func TestEveryPackageIsInTheTable(t *testing.T) {
	for _, f := range parseAll(t) {
		if strings.HasPrefix(f.pkg, "engine/") && arrows[f.pkg] == nil {
			t.Errorf("%s is not in the table of arrows", f.pkg)
		}
	}
	for pkg := range arrows {
		if _, err := os.Stat(filepath.Join("..", pkg)); err != nil {
			t.Errorf("the table lists %s, which is not there", pkg)
		}
	}
}

// TestOwners lets each heavy outside module have one owner.
func TestOwners(t *testing.T) {
	for _, f := range parseAll(t) {
		if f.isTest() {
			continue
		}
		for _, i := range f.imports {
			for module, pkgs := range owners {
				if (i == module || strings.HasPrefix(i, module+"/")) && !slices.Contains(pkgs, f.pkg) {
					t.Errorf("%s/%s imports %s, which belongs to %v", f.pkg, f.name, i, pkgs)
				}
			}
		}
	}
}

// TestNoRegistrationByInit keeps the list of transforms in stages.go.
func TestNoRegistrationByInit(t *testing.T) {
	for _, f := range parseAll(t) {
		for _, d := range f.ast.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
				t.Errorf("%s/%s has an init function", f.pkg, f.name)
			}
		}
	}
}

// TestEngineDoesNotPrint looks for ways to the terminal in engine and stages.
func TestEngineDoesNotPrint(t *testing.T) {
	forbidden := map[string][]string{
		"fmt": {"Print", "Printf", "Println"},
		"os":  {"Stdout", "Stderr", "Exit"},
		"log": nil,
	}
	for _, f := range parseAll(t) {
		if f.isTest() || !strings.HasPrefix(f.pkg, "engine") && !strings.HasPrefix(f.pkg, "stages") || f.pkg == "engine/stage/stagetest" {
			continue
		}
		if slices.Contains(f.imports, "log") {
			t.Errorf("%s/%s imports log", f.pkg, f.name)
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			if x, ok := sel.X.(*ast.Ident); ok && slices.Contains(forbidden[x.Name], sel.Sel.Name) {
				t.Errorf("%s/%s uses %s.%s", f.pkg, f.name, x.Name, sel.Sel.Name)
			}
			return true
		})
	}
}

// TestEveryPackageIsDocumented wants one package comment a package.
func TestEveryPackageIsDocumented(t *testing.T) {
	documented, seen := map[string]bool{}, map[string]bool{}
	for _, f := range parseAll(t) {
		if f.isTest() {
			continue
		}
		seen[f.pkg] = true
		if f.ast.Doc != nil {
			documented[f.pkg] = true
		}
	}
	for pkg := range seen {
		if !documented[pkg] {
			t.Errorf("%s has no package comment", pkg)
		}
	}
}
