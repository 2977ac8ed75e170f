package config

import (
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"dag/engine/diag"
)

// Folders of a project, as they stand in front of the names in ranges.
const (
	pipelinesFolder = "pipelines/"
	contractsFolder = "contracts/"
)

// validName is what can be part of an address.
var validName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*$`)

// readFiles parses every *.hcl and tells whether all of them are HCL: after a
// syntax error what follows would be consequences.
func (l *loader) readFiles() bool {
	err := fs.WalkDir(l.opts.Pipelines, ".", func(name string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case e.IsDir() && name != "." && strings.HasPrefix(e.Name(), "."):
			return fs.SkipDir
		case e.IsDir() || path.Ext(name) != ".hcl" || strings.HasPrefix(e.Name(), "."):
			return nil
		}
		text, err := fs.ReadFile(l.opts.Pipelines, name)
		if err != nil {
			return err
		}
		l.parse(pipelinesFolder+name, text)
		return nil
	})
	if err != nil {
		l.add(diag.Diagnostic{Code: codeFile, Summary: "the pipelines cannot be read: " + err.Error(), Range: diag.Range{File: pipelinesFolder}})
	}
	if len(l.sources) == 0 && err == nil {
		l.add(diag.Diagnostic{Code: codeMissingBlock, Summary: "there is no *.hcl file in pipelines/", Hint: "a project is the folder that holds pipelines/; choose it with -C"})
	}
	return l.errors == 0
}

func (l *loader) parse(name string, text []byte) {
	l.sources[name] = text
	file, ds := parseHCL(text, name)
	l.addHCL(codeSyntax, ds)
	if ds.HasErrors() {
		return
	}
	body := file.Body.(*hclsyntax.Body)
	for _, a := range sortedAttributes(body) {
		l.error(codeUnknownArgument, a.NameRange, fmt.Sprintf("argument %s stands outside of any block", a.Name), "", "named values are written in locals { }")
	}
	for _, b := range body.Blocks {
		l.blocks[b.Type] = append(l.blocks[b.Type], b)
	}
}

// addHCL reports what HCL has found wrong in a text.
func (l *loader) addHCL(code string, ds hcl.Diagnostics) {
	for _, d := range ds {
		if d.Severity == hcl.DiagError && d.Subject != nil {
			l.error(code, *d.Subject, summaryOf(d), flatten(d.Detail), "")
		}
	}
}

// summaryOf puts a summary of HCL into our form: no capital, no final stop.
func summaryOf(d *hcl.Diagnostic) string {
	s := strings.TrimSuffix(flatten(d.Summary), ".")
	if s == "" {
		return "invalid expression"
	}
	return strings.ToLower(s[:1]) + s[1:]
}

func flatten(s string) string { return strings.Join(strings.Fields(s), " ") }

// checkBlocks checks the types and labels of the top-level blocks, and tells
// whether all are sound: what refers to an unsound one would be reported too.
func (l *loader) checkBlocks() bool {
	return l.ok(func() {
		for kind, blocks := range l.blocks {
			spec := blockSpec(kind)
			for _, b := range blocks {
				if spec != nil {
					l.checkLabels(b, spec.Labels)
				} else {
					l.error(codeUnknownBlock, b.TypeRange, "there is no block type "+kind, "", didYouMean(kind, blockTypes()))
				}
			}
		}
	})
}

// dropRepeats keeps the first of blocks that declare the same thing. Datasets
// and sources are compared later, by address: they may have for_each.
func (l *loader) dropRepeats() {
	for kind, blocks := range l.blocks {
		if spec := blockSpec(kind); len(spec.Labels) > 1 || spec.Names {
			continue
		}
		first := map[string]*hclsyntax.Block{}
		l.blocks[kind] = slices.DeleteFunc(blocks, func(b *hclsyntax.Block) bool {
			name := strings.Join(b.Labels, "")
			if f := first[name]; f != nil {
				l.duplicate(b.DefRange(), strings.TrimSpace(kind+" "+name), f.DefRange())
				return true
			}
			first[name] = b
			return false
		})
	}
}

func (l *loader) checkLabels(b *hclsyntax.Block, labels []string) bool {
	if len(b.Labels) != len(labels) {
		want := b.Type
		for _, n := range labels {
			want += " \"" + strings.ToUpper(n) + "\""
		}
		l.error(codeLabels, b.DefRange(), fmt.Sprintf("%s block has %s, and this one has %d", article(b.Type), count(len(labels), "label"), len(b.Labels)), "", "write "+want+" { }")
		return false
	}
	return l.ok(func() {
		for i, label := range b.Labels {
			l.checkName(label, b.LabelRanges[i])
		}
	})
}

func (l *loader) checkName(name string, at hcl.Range) {
	if !validName.MatchString(name) {
		l.error(codeName, at, fmt.Sprintf("%q cannot be a name", name), "", "names have letters, digits, _ and -, and do not begin with a digit")
	}
}

func (l *loader) duplicate(at hcl.Range, what string, first hcl.Range) {
	l.error(codeDuplicate, at, what+" is declared twice", "it was declared before at "+toRange(first).String(), "remove or rename one of them")
}
