package view

import (
	"embed"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
)

// CodeDoc explains one code.
type CodeDoc struct {
	Kind    string `json:"kind"`    // what it is a code of, see codeKinds
	Code    string `json:"code"`    // stable, unique within its kind
	Title   string `json:"title"`   // one sentence
	Meaning string `json:"meaning"` // further paragraphs; may be empty
	Example string `json:"example"` // text that shows it
	// Form of the example: "hcl" (beside the shipped pipelines), "hcl alone" (a
	// whole project), "json", "console" (typed after $) or "text".
	Form   string `json:"form"`
	WayOut string `json:"way_out"`
}

// codeKinds are the kinds of codes, in the order they are listed. Their texts are
// the files KIND*.md of codes/: a heading a code, its sentence, paragraphs, an
// example, the way out.
var codeKinds = []string{"configuration", "command", "reason", "result", "problem", "leftover"}

//go:embed codes/*.md
var codeTexts embed.FS

// Codes lists every code that dag shows or writes, by kind and then by name.
func Codes() ([]CodeDoc, error) {
	var all []CodeDoc
	for _, kind := range codeKinds {
		list, err := codesOf(kind)
		if err != nil {
			return nil, err
		}
		slices.SortFunc(list, func(a, b CodeDoc) int { return strings.Compare(a.Code, b.Code) })
		all = append(all, list...)
	}
	return all, nil
}

// codesOf reads the codes of a kind, in the order of the texts.
func codesOf(kind string) ([]CodeDoc, error) {
	names, err := fs.Glob(codeTexts, "codes/"+kind+"*.md")
	if err != nil {
		return nil, err
	}
	var list []CodeDoc
	for _, name := range names {
		text, err := codeTexts.ReadFile(name)
		if err != nil {
			return nil, err
		}
		_, sections, _ := strings.Cut(string(text), "\n## ")
		for _, section := range strings.Split(sections, "\n## ") {
			doc, err := parseCode(section)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			doc.Kind = kind
			list = append(list, doc)
		}
	}
	return list, nil
}

// parseCode reads one section: the code, its sentence, paragraphs, a fenced
// example, and a paragraph that begins "Way out: ".
func parseCode(section string) (CodeDoc, error) {
	const fence, way = "\n```", "Way out: "
	code, rest, _ := strings.Cut(section, "\n")
	doc := CodeDoc{Code: code}
	words, rest, ok := strings.Cut(rest, fence)
	example, after, ok2 := strings.Cut(rest, fence)
	if !ok || !ok2 {
		return doc, fmt.Errorf("%s has no example", code)
	}
	doc.Title, doc.Meaning, _ = strings.Cut(strings.TrimSpace(words), "\n\n")
	doc.Form, doc.Example, _ = strings.Cut(example, "\n")
	if doc.WayOut, ok = strings.CutPrefix(strings.TrimSpace(after), way); !ok {
		return doc, fmt.Errorf("%s has no way out", code)
	}
	if doc.Title == "" || doc.Example == "" || doc.Form == "" {
		return doc, fmt.Errorf("%s has no sentence, or an empty example", code)
	}
	return doc, nil
}

// ExplainDoc explains codes, see schemas/explain.schema.json.
type ExplainDoc struct {
	Command       string    `json:"command"`
	FormatVersion int       `json:"format_version"`
	Codes         []CodeDoc `json:"codes"`
}

// NewExplain explains the codes of a name, of whatever kind; all of them for an
// empty one.
func NewExplain(name string) (*ExplainDoc, error) {
	all, err := Codes()
	if err != nil {
		return nil, err
	}
	doc := &ExplainDoc{Command: "explain", FormatVersion: formatVersion, Codes: []CodeDoc{}}
	for _, c := range all {
		if name == "" || c.Code == name {
			doc.Codes = append(doc.Codes, c)
		}
	}
	return doc, nil
}

// kinds name the kinds of codes: one code, and the list of all.
var kinds = map[string]struct{ noun, list string }{
	"configuration": {"mistake", "Mistakes in pipelines and contracts (dag validate)"},
	"command":       {"mistake", "Mistakes on the command line"},
	"reason":        {"reason", "Reasons to make a partition (dag plan, dag why)"},
	"result":        {"result", "Results of a unit of work (dag apply)"},
	"problem":       {"problem", "Problems of a lake (dag verify)"},
	"leftover":      {"leftover", "Leftovers (dag gc)"},
}

// List writes a line a code, by kind.
func (d *ExplainDoc) List(w io.Writer, s Style) error {
	p := &printer{w: w, style: s}
	for i, kind := range codeKinds {
		if i > 0 {
			p.printf("\n")
		}
		p.printf("%s\n", s.paint(bold, kinds[kind].list))
		t := table{}
		for _, c := range d.Codes {
			if c.Kind == kind {
				t.text(c.Code, inline(c.Title))
			}
		}
		t.print(p, "  ")
	}
	return p.err
}

// Text writes all that is said of each code.
func (d *ExplainDoc) Text(w io.Writer, s Style) error {
	p := &printer{w: w, style: s}
	for i, c := range d.Codes {
		if i > 0 {
			p.printf("\n")
		}
		p.wrapped(bold, c.Code+" ("+kinds[c.Kind].noun+"): ", "  ", inline(c.Title))
		for _, paragraph := range strings.Split(c.Meaning, "\n\n") {
			if paragraph != "" {
				p.printf("\n")
				p.wrapped(plain, "", "", inline(paragraph))
			}
		}
		p.printf("\n%s\n", s.paint(dim, "Example:"))
		for line := range strings.Lines(c.Example) {
			p.printf("  %s\n", strings.TrimRight(line, "\n"))
		}
		p.printf("\n")
		p.wrapped(green, "Way out: ", "  ", inline(c.WayOut))
	}
	return p.err
}

// inline drops the marks of code, which a terminal does not show.
func inline(text string) string { return strings.ReplaceAll(text, "`", "") }
