package main

import (
	"bytes"
	"embed"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/template"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"

	"dag/engine/view"
)

// The words of the reference that come neither from commands nor from specs.
//
//go:embed docs/*.tmpl
var docTemplates embed.FS

// docsFlags say what is made of the reference documentation.
type docsFlags struct {
	check bool
	man   string
}

func (a *app) docsCmd() *cobra.Command {
	var f docsFlags
	cmd := &cobra.Command{
		Use:    "docs",
		Short:  "Write the reference documentation of this repository, or man pages",
		Long:   "Writes cmd/README.md and pipelines/README.md from the commands, the specs of blocks and those\nof transforms; with --man, man pages into a folder, from any place.",
		Hidden: true, // it is for those who work on dag, and for packagers
		Example: `  dag docs
  dag docs --check
  dag docs --man /usr/local/share/man/man1`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return a.docs(cmd.Root(), f) },
	}
	cmd.Flags().BoolVar(&f.check, "check", false, "change nothing; print the differences, exit code 7 if there are any")
	cmd.Flags().StringVar(&f.man, "man", "", "write man pages into a `folder`")
	return cmd
}

func (a *app) docs(root *cobra.Command, f docsFlags) error {
	doc := view.NewFiles("docs")
	var files []docFile
	var err error
	if f.man != "" {
		files, err = manPages(root, f.man)
	} else {
		files, err = a.reference(root)
	}
	if err != nil {
		return err
	}
	for _, x := range files {
		old, err := os.ReadFile(x.path)
		if err != nil && !os.IsNotExist(err) {
			return err
		}
		changed := err != nil || !bytes.Equal(old, x.text)
		doc.Add(x.path, changed)
		switch {
		case !changed:
		case f.check && !a.flags.json:
			_, err = a.stdout.Write(diff.Diff(x.path, old, x.path+", generated", x.text))
		case !f.check:
			err = writeDoc(x.path, x.text)
		}
		if err != nil {
			return err
		}
	}
	if a.flags.json {
		err = view.WriteJSON(a.stdout, doc)
	}
	if err == nil && f.check && doc.Changed() {
		return exit(exitProblems)
	}
	return err
}

// docFile is a file of the documentation.
type docFile struct {
	path string
	text []byte
}

func writeDoc(path string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o644)
}

// reference makes the pages of the repository.
func (a *app) reference(root *cobra.Command) ([]docFile, error) {
	dir, err := a.findProject()
	if err != nil {
		return nil, err
	}
	if !isRepository(dir) {
		return nil, mistake("no_repository", fmt.Sprintf("%s is not the repository of dag", dir), "the reference is of dag's own pipelines; --man DIR writes man pages anywhere")
	}
	commands, err := commandsPage(root)
	if err != nil {
		return nil, err
	}
	shipped, err := pipelinesPage()
	if err != nil {
		return nil, err
	}
	return []docFile{{filepath.Join(dir, "cmd", "README.md"), commands}, {filepath.Join(dir, pipelinesDir, "README.md"), shipped}}, nil
}

// render fills a template of docs/.
func render(name string, data any) ([]byte, error) {
	funcs := template.FuncMap{
		"cell": markdownCell, "code": markdownCode, "anchor": markdownAnchor, "lines": unwrap, "roff": roff, "bytes": view.Bytes,
		"join": strings.Join, "dedent": dedent,
	}
	t, err := template.New(name).Funcs(funcs).ParseFS(docTemplates, "docs/"+name)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := t.Execute(&b, data); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// markdownCell is text that may stand in a table.
func markdownCell(text string) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(text), " "), "|", `\|`)
}

// markdownCode is text in the type of code; nothing for an empty one.
func markdownCode(text string) string {
	if text == "" {
		return ""
	}
	return "`" + markdownCell(text) + "`"
}

// markdownAnchor is where a link to a heading goes.
func markdownAnchor(heading string) string {
	keep := func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || r == '_' || r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			return r
		}
		return -1
	}
	return strings.Map(keep, strings.ToLower(heading))
}

// unwrap makes one line of each paragraph. One whose lines are all indented is a
// table: it is shown as it is.
func unwrap(text string) string {
	paragraphs := strings.Split(strings.Trim(text, "\n"), "\n\n")
	for i, p := range paragraphs {
		if p == strings.ReplaceAll("  "+dedent(p), "\n", "\n  ") {
			paragraphs[i] = "```\n" + dedent(p) + "\n```"
		} else {
			paragraphs[i] = strings.Join(strings.Fields(p), " ")
		}
	}
	return strings.Join(paragraphs, "\n\n")
}

// dedent takes two spaces from the beginning of every line.
func dedent(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString(strings.TrimPrefix(line, "  "))
	}
	return b.String()
}

// roff is text that roff shows as it is.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, "`", "").Replace(text)
	var b strings.Builder
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, ".") || strings.HasPrefix(line, "'") {
			b.WriteString(`\&`)
		}
		b.WriteString(line)
	}
	return b.String()
}
