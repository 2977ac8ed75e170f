package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"dag/engine/addr"
	"dag/engine/event"
	"dag/engine/graph"
	"dag/engine/lake"
	"dag/engine/plan"
	"dag/engine/view"
)

func (a *app) runsCmd() *cobra.Command {
	limit := 20
	cmd := &cobra.Command{
		Use:   "runs [RUN]",
		Short: "List the runs of a lake, or show one",
		Long:  "Lists what `apply` has done in this lake, the newest first, or shows one run: its selection,\nits variables, and what failed. RUN is an id, or last.",
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
			if d, err := view.ReadRun(r.Doc, r.Alive); err == nil {
				doc.Runs = append(doc.Runs, d)
			}
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
		events, err := eventsOf(r)
		if err != nil {
			return err
		}
		if a.flags.json {
			return view.WriteJSON(a.stdout, view.OneRun{RunDoc: doc, Units: view.Units(events)})
		}
		return doc.Text(a.stdout, a.style(a.stdout), selectionText, view.Units(events))
	})
}

func (a *app) logsCmd() *cobra.Command {
	run := ""
	cmd := &cobra.Command{
		Use:   "logs PARTITION",
		Short: "Show what happened when a partition was made, or failed to be",
		Long:  "Shows what happened to the unit that makes a partition, in the newest run that has it: why it\nran, each attempt, errors in full, what was read and counted.",
		Example: `  dag logs 'bar5s[symbol=ESU5,dt=2025-08-14]'
  dag logs 'ingest_mbp10[root=ES,dt=2025-08-14]' --run last`,
		Args: oneArgument("a partition or a unit, as in 'bar5s[symbol=ESU5,dt=2025-08-14]'"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.logs(cmd.Context(), args[0], run) },
	}
	cmd.Flags().StringVar(&run, "run", "", "of this `run`, or last")
	return cmd
}

func (a *app) logs(ctx context.Context, text, run string) error {
	return a.readLake(func(p *project, l *lake.Lake) error {
		runs, err := l.Runs()
		if err != nil {
			return err
		}
		if run != "" {
			one, _, err := p.recordedRun(l, run)
			if err != nil {
				return err
			}
			runs = []lake.Run{one}
		}
		for _, r := range runs {
			events, err := eventsOf(r)
			if err != nil {
				return err
			}
			for _, u := range view.Units(events) {
				if !isUnit(u, text) || u.Result == string(event.CutOff) && run == "" {
					continue
				}
				doc := view.NewLog(r.ID, u.Stage, u.Unit, events)
				p.addManifest(l, doc, u)
				if a.flags.json {
					return view.WriteJSON(a.stdout, doc)
				}
				return doc.Text(a.stdout, a.style(a.stdout))
			}
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		return mistake("no_log", fmt.Sprintf("no recorded run has made %s", text), "`dag runs` lists the runs; `dag ls` lists partitions")
	})
}

// isUnit tells whether a text names a unit, or a partition that it made: the stage
// or the dataset, and some or all of the keys.
func isUnit(u view.UnitDoc, text string) bool {
	name, rest, _ := strings.Cut(text, "[")
	if strings.HasPrefix(rest, `"`) { // approach["or_low"][symbol=ESU5]
		instance, keys, _ := strings.Cut(rest, "]")
		name, rest = name+"["+instance+"]", strings.TrimPrefix(keys, "[")
	}
	given, err := addr.ParseKeys(strings.TrimSuffix(rest, "]"))
	if err != nil && rest != "" {
		return false
	}
	covers := func(keys addr.Keys) bool {
		for _, kv := range given.Pairs() {
			if v, ok := keys.Get(kv.Key); !ok || v != kv.Value {
				return false
			}
		}
		return true
	}
	if u.Stage == name && covers(addr.Keys(u.Unit)) {
		return true
	}
	for _, made := range u.Partitions {
		if p, err := addr.ParsePartition(made); err == nil && p.Dataset.String() == name && covers(p.Keys) {
			return true
		}
	}
	return false
}

func (a *app) retryCmd() *cobra.Command {
	var f applyFlags
	f.defaults()
	cmd := &cobra.Command{
		Use:   "retry RUN",
		Short: "Run again what failed in a run, with its selection and variables",
		Long:  "Runs again the units that failed, were blocked or never came to run in an earlier run, selected as\nthey were and with its variables. RUN is an id, or last.",
		Example: `  dag retry last
  dag retry 20250815T061200.000-4711 -j 8`,
		Args: oneArgument("a run, or last"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.retry(cmd.Context(), args[0], f) },
	}
	fs := cmd.Flags()
	fs.IntVarP(&f.workers, "workers", "j", f.workers, "how many `units` run at once")
	fs.StringVar(&f.memory, "memory", "", "what running units may need together, as in `8GiB`")
	fs.StringVar(&f.progress, "progress", "auto", "`auto`, tty, plain, json or none")
	return cmd
}

func (a *app) retry(ctx context.Context, id string, f applyFlags) error {
	var doc view.RunDoc
	only := map[string]bool{}
	err := a.readLake(func(p *project, l *lake.Lake) error {
		r, d, err := p.recordedRun(l, id)
		if err != nil {
			return err
		}
		doc = d
		if d.State == view.RunRunning {
			return mistake("run_goes_on", fmt.Sprintf("the run %s has not ended", r.ID), "wait for it, or interrupt it")
		}
		events, err := eventsOf(r)
		if err != nil {
			return err
		}
		for _, u := range view.Units(events) {
			switch event.Result(u.Result) {
			case event.Failed, event.Blocked, event.Canceled:
				only[u.Name()] = true
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if len(a.flags.vars)+len(a.flags.varFiles) > 0 {
		return mistake("usage", "a run has its own variables", "leave --var and --var-file out, or apply")
	}
	if len(only) == 0 && doc.State != view.RunKilled {
		return mistake("nothing_failed", fmt.Sprintf("nothing failed in run %s", doc.RunID), "`dag plan` says what is to do")
	}
	for name, value := range doc.Variables {
		a.flags.vars = append(a.flags.vars, name+"="+value)
	}
	p, sel, err := a.loadSelected(doc.Selection)
	if err != nil {
		return err
	}
	request := plan.Request{Selection: sel, Only: only}
	if doc.State == view.RunKilled {
		request.Only = nil // it did not say what was left
	}
	_, err = p.run(ctx, request, f, requestText(doc.Selection), nil)
	return err
}

func (a *app) diffCmd() *cobra.Command {
	return &cobra.Command{
		Use:     "diff RUN RUN",
		Short:   "Compare two runs: settings, definitions, and what became of each unit",
		Example: "  dag diff 20250814T061200.000-4711 last",
		Args:    cobra.ExactArgs(2),
		RunE: func(_ *cobra.Command, args []string) error {
			return a.readLake(func(p *project, l *lake.Lake) error {
				var docs [2]view.RunDoc
				var units [2][]view.UnitDoc
				for i, id := range args {
					r, doc, err := p.recordedRun(l, id)
					if err != nil {
						return err
					}
					events, err := eventsOf(r)
					if err != nil {
						return err
					}
					docs[i], units[i] = doc, view.Units(events)
				}
				doc := view.NewRunDiff(docs[0], docs[1], units[0], units[1], selectionText)
				if a.flags.json {
					return view.WriteJSON(a.stdout, doc)
				}
				return doc.Text(a.stdout, a.style(a.stdout))
			})
		},
	}
}
