package main

import (
	"bytes"
	"context"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/rs/zerolog"

	"dag/contracts"
	"dag/engine/config"
	"dag/engine/diag"
	"dag/engine/graph"
	"dag/engine/view"
	"dag/pipelines"
	"dag/stages"
)

// codeConstants are the types, and the prefixes of names, of constants that are
// codes, by package, and the kinds of what they are explained as.
var codeConstants = map[string][]struct {
	typ, prefix string
	kinds       []string
}{
	"engine/config":   {{"", "code", mistakes}},
	"engine/contract": {{"", "Code", mistakes}},
	"engine/plan":     {{"Code", "", []string{"reason"}}},
	"engine/event":    {{"Result", "", []string{"result"}}},
	"engine/lake":     {{"ProblemKind", "", []string{"problem"}}, {"OrphanKind", "", []string{"problem"}}, {"LeftoverKind", "", []string{"leftover"}}},
}

// mistakes are the kinds of diagnostics.
var mistakes = []string{"configuration", "command"}

// usedCodes finds every code in the sources: kinds and place by "code kind".
type usedCodes map[string]struct {
	kinds []string
	place string
}

func (u usedCodes) add(lit ast.Expr, kinds []string, at string) bool {
	l, ok := lit.(*ast.BasicLit)
	if !ok || l.Kind != token.STRING {
		return false
	}
	code, err := strconv.Unquote(l.Value)
	if err == nil && code != "" {
		u[code+" "+kinds[0]] = struct {
			kinds []string
			place string
		}{kinds, at}
	}
	return true
}

// constants notes the constants of a file that are codes.
func (u usedCodes) constants(f *ast.File, pkg, at string) {
	for _, d := range f.Decls {
		decl, ok := d.(*ast.GenDecl)
		if !ok || decl.Tok != token.CONST {
			continue
		}
		for _, s := range decl.Specs {
			spec := s.(*ast.ValueSpec)
			typ, _ := spec.Type.(*ast.Ident)
			for _, rule := range codeConstants[pkg] {
				ofType := rule.typ != "" && typ != nil && typ.Name == rule.typ
				ofName := rule.prefix != "" && strings.HasPrefix(spec.Names[0].Name, rule.prefix)
				if (ofType || ofName) && len(spec.Values) == 1 {
					u.add(spec.Values[0], rule.kinds, at)
				}
			}
		}
	}
}

// codeArgument is where functions that make diagnostics take the code.
var codeArgument = map[string]int{"mistake": 0, "FromError": 1}

// literals notes the codes that are written where they are used. A code that is
// computed there is a mistake of the source: it could not be found.
func (u usedCodes) literals(t *testing.T, f *ast.File, at string) {
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			name := ""
			switch fun := n.Fun.(type) {
			case *ast.Ident:
				name = fun.Name
			case *ast.SelectorExpr:
				name = fun.Sel.Name
			}
			if i, ok := codeArgument[name]; ok && i < len(n.Args) && !u.add(n.Args[i], mistakes, at) {
				t.Errorf("%s calls %s with a code that is not written there", at, name)
			}
		case *ast.CompositeLit:
			for _, e := range n.Elts {
				if kv, ok := e.(*ast.KeyValueExpr); ok {
					if key, ok := kv.Key.(*ast.Ident); ok && key.Name == "Code" {
						u.add(kv.Value, []string{"configuration", "command", "problem", "reason"}, at)
					}
				}
			}
		}
		return true
	})
}

func codesInSources(t *testing.T) usedCodes {
	t.Helper()
	used := usedCodes{}
	root := filepath.Join("..", "..")
	for _, top := range []string{"cmd", "engine", "stages"} {
		err := filepath.WalkDir(filepath.Join(root, top), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			rel, err := filepath.Rel(root, path)
			rel = filepath.ToSlash(rel)
			used.constants(f, filepath.ToSlash(filepath.Dir(rel)), rel)
			used.literals(t, f, rel)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return used
}

// TestEveryCodeIsExplained parses the sources: a code that is used is explained,
// and a code that is explained is used.
func TestEveryCodeIsExplained(t *testing.T) {
	all, err := view.Codes()
	if err != nil {
		t.Fatal(err)
	}
	explained := map[string]bool{} // to whether it is used
	for _, c := range all {
		if _, twice := explained[c.Kind+" "+c.Code]; twice {
			t.Errorf("the %s %s is explained twice", c.Kind, c.Code)
		}
		explained[c.Kind+" "+c.Code] = false
	}
	used := codesInSources(t)
	if len(used) < 80 {
		t.Fatalf("only %d codes were found in the sources", len(used))
	}
	for key, u := range used {
		code, _, _ := strings.Cut(key, " ")
		found := false
		for _, kind := range u.kinds {
			if _, ok := explained[kind+" "+code]; ok {
				explained[kind+" "+code], found = true, true
			}
		}
		if !found {
			t.Errorf("%s uses the code %s, which engine/view/codes does not explain as %s", u.place, code, strings.Join(u.kinds, " or "))
		}
	}
	for name, isUsed := range explained {
		if !isUsed {
			t.Errorf("the %s is explained, and no source uses it", name)
		}
	}
	for _, c := range config.Codes() {
		if _, ok := explained["configuration "+c]; !ok {
			t.Errorf("%s is not explained as a mistake of the configuration", c)
		}
	}
}

// TestExamplesShowTheirCode loads and runs the examples of mistakes: each must
// make the mistake that it is to show.
func TestExamplesShowTheirCode(t *testing.T) {
	all, err := view.Codes()
	if err != nil {
		t.Fatal(err)
	}
	project := t.TempDir()
	if err := writeOut(pipelines.FS, filepath.Join(project, pipelinesDir)); err != nil {
		t.Fatal(err)
	}
	if err := writeOut(contracts.FS, filepath.Join(project, contractsDir)); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(project, "lake"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Chdir(project)
	for _, c := range all {
		var list diag.List
		switch {
		case c.Kind == "configuration" && c.Form != "console" && c.Form != "text":
			list = loadExample(t, c)
		case c.Form == "console":
			list = typeExample(t, c)
		default:
			continue
		}
		if !slices.ContainsFunc(list, func(d diag.Diagnostic) bool { return d.Code == c.Code }) {
			t.Errorf("the example of %s gives %v", c.Code, list)
		}
	}
}

// loadExample loads an example in HCL, or a contract, beside the shipped project.
func loadExample(t *testing.T, c view.CodeDoc) diag.List {
	t.Helper()
	files, schemas := fstest.MapFS{}, fstest.MapFS{}
	copyInto := func(to fstest.MapFS, from fs.FS) {
		err := fs.WalkDir(from, ".", func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			b, err := fs.ReadFile(from, name)
			to[name] = &fstest.MapFile{Data: b}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if c.Form != "hcl alone" {
		copyInto(files, pipelines.FS)
	}
	copyInto(schemas, contracts.FS)
	text := c.Example
	if c.Form == "json" {
		schemas["example.avsc"] = &fstest.MapFile{Data: []byte(text)}
		text = "dataset \"silver\" \"future\" \"x\" {\nkeys = [\"dt\"]\npath = \"x\"\ncontract = \"example.avsc\"\n}\n"
	}
	files["example.hcl"] = &fstest.MapFile{Data: []byte(text)}
	cfg, list := config.Load(config.Options{Pipelines: files, Contracts: schemas, Transforms: stages.All()})
	_, cycles := graph.Build(cfg)
	return append(list, cycles...)
}

// typeExample runs what stands after $ in an example. The line after it, if
// there is one, must be the first that dag says.
func typeExample(t *testing.T, c view.CodeDoc) diag.List {
	t.Helper()
	typed, said, shown := strings.Cut(c.Example, "\n")
	words := shellWords(strings.TrimPrefix(typed, "$ dag "))
	var stdout, stderr bytes.Buffer
	err := runIn(&stdout, &stderr, words...)
	if said, _, _ = strings.Cut(said, "\n"); shown && !strings.HasPrefix(stderr.String(), said+"\n") {
		t.Errorf("%s: it says\n%s", typed, stderr.String())
	}
	return diag.FromError(err, "internal")
}

// runIn runs dag in this process, in the current folder.
func runIn(stdout, stderr *bytes.Buffer, args ...string) error {
	a := &app{name: "dag", stdin: strings.NewReader(""), stdout: stdout, stderr: stderr, now: time.Now, log: zerolog.Nop(), notice: func(string) {}}
	root := a.root()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	cmd, err := root.ExecuteContextC(context.Background())
	if err != nil && !a.ran {
		err = usage(err)
	}
	a.report(context.Background(), cmd, err)
	return err
}

// shellWords splits a line as a shell does, as far as examples go: words, single
// and double quotes, and a comment at the end.
func shellWords(line string) []string {
	var words []string
	word, quote, in := "", rune(0), false
	for _, r := range line {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word += string(r)
		case r == '\'' || r == '"':
			quote, in = r, true
		case r == ' ':
			if in {
				words = append(words, word)
			}
			word, in = "", false
		case r == '#' && !in:
			return words
		default:
			word, in = word+string(r), true
		}
	}
	if in {
		words = append(words, word)
	}
	return words
}
