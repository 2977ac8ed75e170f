package config

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "rewrite what the archives in testdata expect")

// TestMistakes loads, for each case of each archive, the base project with the
// case's files, and compares everything that is reported. In an archive
// CASE/name.hcl is a file of pipelines/, CASE/name.avsc one of contracts/,
// CASE/options holds one option a line, and CASE/want the expected report.
func TestMistakes(t *testing.T) {
	base := readBase(t)
	archives, err := filepath.Glob("testdata/mistakes/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatalf("no archives: %v", err)
	}
	for _, name := range archives {
		a, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(filepath.Base(name), func(t *testing.T) {
			for _, c := range caseNames(a) {
				t.Run(c, func(t *testing.T) { runCase(t, base, a, c) })
			}
		})
		if *update {
			if err := os.WriteFile(name, txtar.Format(a), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func caseNames(a *txtar.Archive) []string {
	var names []string
	for _, f := range a.Files {
		if c, _, _ := strings.Cut(f.Name, "/"); !slices.Contains(names, c) {
			names = append(names, c)
		}
	}
	return names
}

func runCase(t *testing.T, base project, a *txtar.Archive, name string) {
	files, want, options := map[string]string{}, -1, ""
	last := 0
	for i, f := range a.Files {
		rest, ok := strings.CutPrefix(f.Name, name+"/")
		if !ok {
			continue
		}
		last = i
		switch filepath.Ext(rest) {
		case ".avsc":
			files[contractsFolder+rest] = string(f.Data)
		case ".hcl", ".csv", ".dagvars":
			files[pipelinesFolder+rest] = string(f.Data)
		default:
			if rest == "want" {
				want = i
			} else {
				options = string(f.Data)
			}
		}
	}
	o := base.with(files).options()
	applyOptions(t, &o, options)
	_, ds := Load(o)
	got := render(ds)
	if *update {
		f := txtar.File{Name: name + "/want", Data: []byte(got)}
		if want >= 0 {
			a.Files[want] = f
		} else {
			a.Files = slices.Insert(a.Files, last+1, f)
		}
		return
	}
	if want < 0 {
		t.Fatal("the case has no want; run with -update and read what it says")
	}
	if d := cmp.Diff(string(a.Files[want].Data), got); d != "" {
		t.Error(d)
	}
}

// applyOptions reads lines such as "var x=1", "env DAG_VAR_x=1", "lake data".
func applyOptions(t *testing.T, o *Options, text string) {
	for line := range strings.Lines(text) {
		kind, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch kind {
		case "var":
			k, v, _ := strings.Cut(value, "=")
			if o.Vars == nil {
				o.Vars = map[string]string{}
			}
			o.Vars[k] = v
		case "env":
			o.Environ = append(o.Environ, value)
		case "file":
			o.VarFiles = append(o.VarFiles, value)
		default:
			t.Fatalf("unknown option %q", line)
		}
	}
}

// TestCodes sees that the archives report every code that is listed, and no
// other: the list holds no dead ones.
func TestCodes(t *testing.T) {
	archives, err := filepath.Glob("testdata/mistakes/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	var all []byte
	for _, name := range archives {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, text...)
	}
	reported := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^\S*: (?:error|warning) ([a-z_]+): `).FindAllSubmatch(all, -1) {
		reported[string(m[1])] = true
	}
	for _, c := range Codes() {
		if !reported[c] {
			t.Errorf("no case reports %s", c)
		}
		delete(reported, c)
	}
	for name := range reported {
		t.Errorf("code %s is not listed", name)
	}
}
