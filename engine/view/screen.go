package view

import (
	"io"
	"strings"
)

// beginning is what a newcomer reads first.
const beginning = `dag keeps a lake of partitioned Parquet files up to date: it plans what is stale
and why, makes exactly that in parallel, and can explain every file it made.`

// step is one thing to type.
type step struct{ typed, does string }

// steps are the verbs that a newcomer needs, in the order they are needed.
var steps = []struct {
	title string
	steps []step
}{
	{"Begin here", []step{
		{"dag demo", "make a small synthetic market and its features"},
		{"dag status", "which partitions are fresh, stale or missing"},
		{"dag plan", "what would run, and why"},
		{"dag apply --symbol ESU5", "run it; after a failure, run it again to resume"},
	}},
	{"Look closer", []step{
		{"dag graph | dot -Tsvg > g.svg", "draw the pipeline"},
		{"dag ls 'bar5s[dt=2025-08]'", "addresses of partitions: try a selector"},
		{"dag show 'bar5s[symbol=ESU5,dt=2025-08-05]'", "schema, statistics and rows"},
		{"dag why 'bar5s[symbol=ESU5,dt=2025-08-05]'", "why it would run, or why it last ran"},
	}},
	{"Write a pipeline", []step{
		{"dag validate", "check the files, without lake and network"},
		{"dag fmt --diff", "their canonical format"},
	}},
	{"When something is wrong", []step{
		{"dag explain unknown_dataset", "what a code means, and the way out"},
		{"dag doctor", "check project, lake and machine"},
	}},
}

// FirstScreen writes what dag says when it is typed alone.
func FirstScreen(w io.Writer, s Style, c Commands) error {
	p := &printer{w: w, style: s}
	p.printf("%s\n", beginning)
	width := 0
	command := func(typed string) string { return c.Name + strings.TrimPrefix(typed, "dag") }
	for _, group := range steps {
		for _, x := range group.steps {
			width = max(width, len(command(x.typed)))
		}
	}
	for _, group := range steps {
		p.printf("\n%s:\n", s.paint(bold, group.title))
		for _, x := range group.steps {
			text := command(x.typed)
			p.printf("  %s%s  %s\n", text, strings.Repeat(" ", width-len(text)), s.paint(dim, x.does))
		}
	}
	p.printf("\n%s VERB --help has examples, %s --help lists all verbs and global flags.\n", c.Name, c.Name)
	return p.err
}
