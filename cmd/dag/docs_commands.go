package main

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"dag/engine/view"
)

// verbPage is what the reference says of a verb.
type verbPage struct {
	Path      string // "dag lock ls"
	Usage     string
	Short     string
	Long      string
	Example   string
	Flags     []flagRow
	Documents []string
	Exits     []exitRow
	Verbs     []verbRow // below it
	Runs      bool      // and does not only hold others
}

type flagRow struct{ Flag, Value, Default, Doc, Environment string }

type verbRow struct{ Path, Short string }

type exitRow struct {
	Code    int
	Meaning string
}

// verbPages describes every verb that is shown, each before those below it.
func verbPages(root *cobra.Command) ([]verbPage, error) {
	var pages []verbPage
	for _, c := range root.Commands() {
		if !c.IsAvailableCommand() {
			continue
		}
		page, err := verbPageOf(c)
		if err != nil {
			return nil, err
		}
		below, err := verbPages(c)
		if err != nil {
			return nil, err
		}
		for _, b := range below {
			page.Verbs = append(page.Verbs, verbRow{b.Path, b.Short})
		}
		pages = append(append(pages, page), below...)
	}
	return pages, nil
}

func verbPageOf(c *cobra.Command) (verbPage, error) {
	words := strings.TrimPrefix(c.CommandPath(), c.Root().Name()+" ")
	page := verbPage{Path: c.CommandPath(), Usage: c.UseLine(), Short: c.Short, Long: c.Long, Example: c.Example}
	page.Flags = flagRows(c.NonInheritedFlags(), false)
	f, ok := facts[words]
	if !ok && !c.HasAvailableSubCommands() {
		return page, fmt.Errorf("facts.go does not say which documents and exit codes `%s` has", page.Path)
	}
	page.Documents, page.Runs = f.documents, ok
	for _, e := range exits {
		if slices.Contains(f.exits, e.Code) {
			page.Exits = append(page.Exits, exitRow{e.Code, e.Meaning})
		}
	}
	return page, nil
}

// flagRows describes flags, with their environment forms if they are global.
func flagRows(flags *pflag.FlagSet, global bool) []flagRow {
	var rows []flagRow
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		value, usage := pflag.UnquoteUsage(f)
		row := flagRow{Flag: "--" + f.Name, Value: value, Doc: usage}
		if f.Shorthand != "" {
			row.Flag = "-" + f.Shorthand + ", " + row.Flag
		}
		if d := f.DefValue; d != "" && d != "false" && d != "[]" && d != "0" {
			row.Default = d
		}
		switch {
		case global && f.Name == "var":
			row.Environment = "DAG_VAR_name"
		case global:
			row.Environment = environmentForm(f.Name)
		}
		rows = append(rows, row)
	})
	return rows
}

// documentRow is a JSON document and what writes it.
type documentRow struct{ Name, Writers string }

// documentRows lists every document that has a schema.
func documentRows(pages []verbPage) ([]documentRow, error) {
	names, _ := schemaTexts()
	var rows []documentRow
	for _, name := range names {
		var verbs []string
		for _, p := range pages {
			if slices.Contains(p.Documents, name) {
				verbs = append(verbs, markdownCode(p.Path+" --json"))
			}
		}
		row := documentRow{name, cmp.Or(elsewhere[name], strings.Join(verbs, ", "))}
		if row.Writers == "" {
			return nil, fmt.Errorf("facts.go does not say what writes the document %s", name)
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// commandsPage makes cmd/README.md.
func commandsPage(root *cobra.Command) ([]byte, error) {
	pages, err := verbPages(root)
	if err != nil {
		return nil, err
	}
	codes, err := view.Codes()
	if err != nil {
		return nil, err
	}
	documents, err := documentRows(pages)
	if err != nil {
		return nil, err
	}
	return render("commands.md.tmpl", map[string]any{
		"Verbs": pages, "Global": flagRows(root.PersistentFlags(), true), "Exits": exits, "Environment": environment,
		"Documents": documents, "Codes": codes,
	})
}

// manPages makes a page for dag and one for each verb.
func manPages(root *cobra.Command, dir string) ([]docFile, error) {
	pages, err := verbPages(root)
	if err != nil {
		return nil, err
	}
	top := verbPage{Path: root.Name(), Usage: root.Name() + " VERB [flags]", Short: root.Short, Flags: flagRows(root.PersistentFlags(), true)}
	for _, p := range pages {
		top.Verbs = append(top.Verbs, verbRow{p.Path, p.Short})
	}
	var files []docFile
	for _, p := range append([]verbPage{top}, pages...) {
		page := strings.ReplaceAll(p.Path, " ", "-")
		var ends []exitRow
		for _, e := range exits {
			if e.Always || p.Path == root.Name() || slices.ContainsFunc(p.Exits, func(x exitRow) bool { return x.Code == e.Code }) {
				ends = append(ends, exitRow{e.Code, e.Meaning})
			}
		}
		text, err := render("man.tmpl", map[string]any{"Page": page, "Verb": p, "Exits": ends, "Environment": environment, "Top": p.Path == root.Name()})
		if err != nil {
			return nil, err
		}
		files = append(files, docFile{filepath.Join(dir, page+".1"), text})
	}
	return files, nil
}
