package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"dag/engine/lake"
	"dag/engine/view"
)

func (a *app) diffCmd() *cobra.Command {
	return &cobra.Command{
		Use:     "diff RUN RUN",
		Short:   "Compare two runs: settings, definitions, and what became of each unit",
		Long:    "Compares two runs: their settings and definitions, units that ran in one of them or ended\notherwise, partitions that came out with other content, and what each stage took. RUN is an id,\nits beginning, or last.",
		Example: "  dag diff 20250814T061200.000-4711 last",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 2 {
				return nil
			}
			return mistake("usage", fmt.Sprintf("%s takes two arguments, not %d", cmd.CommandPath(), len(args)), "give it two runs: `dag runs` lists them")
		},
		RunE: func(_ *cobra.Command, args []string) error { return a.readLake(a.diff(args)) },
	}
}

func (a *app) diff(runs []string) func(*project, *lake.Lake) error {
	return func(p *project, l *lake.Lake) error {
		var docs [2]view.RunDoc
		var units [2][]view.UnitDoc
		for i, id := range runs {
			r, doc, err := p.recordedRun(l, id)
			if err != nil {
				return err
			}
			events, err := eventsOf(r, nil)
			if err != nil {
				return err
			}
			docs[i], units[i] = doc, view.Units(events)
		}
		doc := view.NewRunDiff(docs[0], docs[1], units[0], units[1], selectionText)
		return a.print(doc, func() error { return doc.Text(a.stdout, a.style(a.stdout)) })
	}
}
