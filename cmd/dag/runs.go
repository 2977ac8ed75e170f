package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"dag/engine/diag"
	"dag/engine/graph"
	"dag/engine/lake"
	"dag/engine/view"
)

func (a *app) runsCmd() *cobra.Command {
	limit := 20
	cmd := &cobra.Command{
		Use:   "runs [RUN]",
		Short: "List the runs of a lake, or show one",
		Long:  "Lists what `apply` has done in this lake, the newest first, or shows one run: its selection,\nits variables, and what failed. RUN is an id, its beginning, or last.",
		Example: `  dag runs
  dag runs last`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if limit < 1 {
				return mistake("usage", fmt.Sprintf("--limit is %d", limit), "at least one run is listed")
			}
			if len(args) > 0 {
				return a.oneRun(args[0])
			}
			return a.runs(limit)
		},
	}
	cmd.Flags().IntVar(&limit, "limit", limit, "list at most `N` runs")
	return cmd
}

// readLake opens the project's lake for reading.
func (a *app) readLake(f func(p *project, l *lake.Lake) error) error {
	p, err := a.load()
	if err != nil {
		return err
	}
	l, err := p.openLake(lake.Options{NoWrite: true})
	if err != nil {
		return err
	}
	return f(p, l)
}

func (a *app) runs(limit int) error {
	return a.readLake(func(_ *project, l *lake.Lake) error {
		runs, err := l.Runs()
		if err != nil {
			return err
		}
		doc := view.NewRuns()
		for _, r := range runs[:min(limit, len(runs))] {
			_, d, err := readRun(r)
			if err != nil {
				a.diagnose(diag.List{{Severity: diag.Warning, Code: "record", Summary: "run " + r.ID + " is left out", Detail: err.Error()}})
				continue
			}
			if !r.HasResults() && (d.State == view.RunRunning || d.State == view.RunKilled) {
				events, err := eventsOf(r, nil)
				if err != nil {
					return err
				}
				d.SoFar(events)
			}
			doc.Runs = append(doc.Runs, d)
		}
		if a.flags.json {
			return view.WriteJSON(a.stdout, doc)
		}
		return doc.Text(a.stdout, a.style(a.stdout), selectionText)
	})
}

// selectionText writes a selection for people.
func selectionText(r graph.Request) string {
	if text := requestText(r); text != "" {
		return text
	}
	return "everything"
}

func (a *app) oneRun(id string) error {
	return a.readLake(func(p *project, l *lake.Lake) error {
		r, doc, err := p.recordedRun(l, id)
		if err != nil {
			return err
		}
		events, err := eventsOf(r, nil)
		if err != nil {
			return err
		}
		doc.SoFar(events)
		one := view.OneRun{RunDoc: doc, Units: view.Units(events)}
		return a.print(one, func() error { return doc.Text(a.stdout, a.style(a.stdout), selectionText, one.Units) })
	})
}
