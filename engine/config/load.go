package config

import (
	"bytes"
	"io/fs"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"dag/engine/calendar"
	"dag/engine/contract"
	"dag/engine/diag"
	"dag/engine/stage"
)

// Options is what a configuration is made from.
type Options struct {
	Dir        string // the project's folder, for Config.Dir
	Pipelines  fs.FS  // every *.hcl in it, recursively, is read
	Contracts  fs.FS
	Transforms []stage.Transform
	// Values for variables; the first that has one wins: Vars, VarFiles (the
	// last file first), the *.auto.dagvars at the top of Pipelines (the last
	// name first), Environ, the default.
	Vars     map[string]string // from --var
	VarFiles []string          // from --var-file: paths of the file system
	Environ  []string          // as os.Environ; DAG_VAR_name=value is looked at
	LakeRoot string            // in place of the lake block's root, unless empty
}

// Load evaluates a configuration and checks everything that can be checked
// without a lake. All mistakes that do not follow from one another are in the
// list, in the order of files and lines. If there are errors, the Config holds
// what evaluated well: enough to look at, not to run.
func Load(opts Options) (*Config, diag.List) {
	l := newLoader(opts)
	if !l.readFiles() || !l.checkBlocks() {
		return l.config, l.finish()
	}
	l.dropRepeats()
	l.readVariables()
	l.readLocals()
	l.readLake()
	l.readCalendars()
	l.readKeys()
	l.readDatasets()
	l.readStages()
	l.checkCollisions()
	l.checkWriters()
	return l.config, l.finish()
}

// loader is the state of one Load.
type loader struct {
	opts   Options
	config *Config

	sources map[string][]byte             // text by name, for the lines of diagnostics
	blocks  map[string][]*hclsyntax.Block // by type
	diags   diag.List
	errors  int                      // reported so far, repeats included
	seen    map[diag.Diagnostic]bool // instances of a for_each repeat each other

	functions  map[string]function.Function
	variables  cty.Value // object
	locals     cty.Value // object
	calendars  map[string]*calendar.Calendar
	keys       map[string]*Key
	transforms map[string]stage.Transform
	contracts  map[string]*contract.Contract // by path; nil: has been reported

	datasets map[string]*Dataset // by kind and address; nil: declared, and in error
	writers  map[*Dataset]writer
	// Set when a dataset's address, or what a stage writes, is not known because
	// of a reported error: what seems to be missing then may be a consequence.
	lostDatasets, lostWriters bool
}

func newLoader(opts Options) *loader {
	l := &loader{
		opts:       opts,
		config:     &Config{Dir: opts.Dir},
		sources:    map[string][]byte{},
		blocks:     map[string][]*hclsyntax.Block{},
		seen:       map[diag.Diagnostic]bool{},
		calendars:  map[string]*calendar.Calendar{},
		keys:       map[string]*Key{},
		transforms: map[string]stage.Transform{},
		contracts:  map[string]*contract.Contract{},
		datasets:   map[string]*Dataset{},
		writers:    map[*Dataset]writer{},
	}
	l.functions = functions(opts.Pipelines)
	for _, t := range opts.Transforms {
		l.transforms[t.Spec().Name] = t
	}
	return l
}

// maxSource is how long a line may be that is shown with a diagnostic.
const maxSource = 500

// finish sorts what was found and gives each diagnostic its source line.
func (l *loader) finish() diag.List {
	for i := range l.diags {
		d := &l.diags[i]
		if text, ok := l.sources[d.Range.File]; ok && d.Range.Line > 0 && d.Source == "" {
			if s := line(text, d.Range.Line); len(s) <= maxSource {
				d.Source = s
			}
		}
	}
	l.diags.Sort()
	c := l.config
	slices.SortFunc(c.Variables, func(a, b *Variable) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(c.Calendars, func(a, b *calendar.Calendar) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(c.Keys, func(a, b *Key) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(c.Datasets, func(a, b *Dataset) int { return a.Addr.Compare(b.Addr) })
	slices.SortFunc(c.Stages, func(a, b *Stage) int { return a.Addr.Compare(b.Addr) })
	return l.diags
}

// line is the n-th line of a text, counted from 1; empty if there is none.
func line(text []byte, n int) string {
	lines := bytes.SplitN(text, []byte("\n"), n+1)
	if len(lines) < n {
		return ""
	}
	return string(bytes.TrimRight(lines[n-1], "\r"))
}

// add reports a diagnostic, unless the very same one has been reported.
func (l *loader) add(d diag.Diagnostic) {
	if d.Severity == diag.Error {
		l.errors++
	}
	if !l.seen[d] {
		l.seen[d] = true
		l.diags = append(l.diags, d)
	}
}

// error reports an error at a place: what is wrong, the values involved and
// the way out.
func (l *loader) error(code string, at hcl.Range, summary, detail, hint string) {
	l.add(newError(code, toRange(at), summary, detail, hint))
}

func newError(code string, at diag.Range, summary, detail, hint string) diag.Diagnostic {
	return diag.Diagnostic{Code: code, Summary: summary, Detail: detail, Hint: hint, Range: at}
}

// ok runs f and tells whether it reported no error.
func (l *loader) ok(f func()) bool {
	before := l.errors
	f()
	return l.errors == before
}

func toRange(r hcl.Range) diag.Range {
	return diag.Range{File: r.Filename, Line: r.Start.Line, Column: r.Start.Column, EndLine: r.End.Line, EndColumn: r.End.Column}
}
