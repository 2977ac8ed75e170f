package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"dag/engine/event"
	"dag/engine/lake"
	"dag/engine/plan"
	"dag/engine/view"
)

func (a *app) retryCmd() *cobra.Command {
	var f applyFlags
	f.defaults()
	cmd := &cobra.Command{
		Use:   "retry RUN",
		Short: "Run again what failed in a run, with its selection and variables",
		Long:  "Runs again the units that failed, were blocked or never came to run in an earlier run, as what\n--limit left: selected as they were, with its variables, and forced if they were. Of a run that\nwas killed it is all that is not made. RUN is an id, its beginning, or last.",
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
	var results *view.ResultsDoc
	err := a.readLake(func(p *project, l *lake.Lake) error {
		if a.givenVariables() {
			return mistake("usage", "a run has its own variables", "leave --var and --var-file out, or apply")
		}
		r, d, err := p.recordedRun(l, id)
		if err != nil {
			return err
		}
		if d.State == view.RunRunning {
			return a.goesOn(r)
		}
		doc = d
		if results, err = resultsOf(r); err != nil {
			return err
		}
		a.flags.vars, err = p.differing(d.Variables)
		return err
	})
	if err != nil {
		return err
	}
	p, sel, err := a.loadSelected(doc.Selection)
	if err != nil {
		return err
	}
	request := plan.Request{Selection: sel, Force: doc.Force}
	if request.Only, err = p.toRetry(ctx, doc, results, request); err != nil {
		return err
	}
	if request.Only != nil && len(request.Only) == 0 {
		return mistake("nothing_failed", fmt.Sprintf("nothing failed in run %s", doc.RunID), "`dag plan` says what is to do")
	}
	_, err = p.run(ctx, request, f, requestText(doc.Selection), nil)
	return err
}

// goesOn is the mistake of a run that has not ended. If it is one of another machine or
// container that may have been killed, that is found out by looking at it twice.
func (a *app) goesOn(r lake.Run) error {
	if err := a.withLake(func(_ *project, l *lake.Lake) error { return l.Watch() }); err != nil {
		a.log.Warn().Err(err).Msg("whether the run was killed cannot be found out")
	}
	return mistake("run_goes_on", fmt.Sprintf("the run %s has not ended", r.ID),
		"wait for it, or interrupt it; if it was killed on another machine, in another container or by a restart of this one, try again in 2 minutes")
}

// differing are the variables of a run whose values are others now, as --var takes
// them. One that the pipelines do not have any more means nothing.
func (p *project) differing(recorded map[string]string) ([]string, error) {
	now, err := p.variables()
	if err != nil {
		return nil, err
	}
	var vars []string
	for _, v := range p.config.Variables {
		if was, ok := recorded[v.Name]; ok && was != now[v.Name] {
			vars = append(vars, v.Name+"="+was)
		}
	}
	return vars, nil
}

// toRetry names the units of a run that are to run again; nil: all that is stale. A
// run that was killed has not said what it did not come to: that is what it was to
// run, and has not ended well.
func (p *project) toRetry(ctx context.Context, doc view.RunDoc, results *view.ResultsDoc, r plan.Request) (map[string]bool, error) {
	only := map[string]bool{}
	if doc.State != view.RunKilled {
		// Skipped is what --limit or --until left; what has nothing to be made from is not planned again.
		for _, result := range []event.Result{event.Failed, event.Blocked, event.Canceled, event.Skipped} {
			for _, unit := range results.Units[string(result)] {
				only[unit] = true
			}
		}
		return only, nil
	}
	for _, name := range doc.Only {
		only[name] = true
	}
	switch {
	case len(doc.Only) > 0:
		for _, unit := range results.Grown { // which nobody could name when the run began
			only[unit] = true
		}
	case !doc.Force:
		return nil, nil
	default:
		err := p.look(ctx, r, func(made *plan.Plan, _ *lake.Lake) error {
			for _, it := range made.Items {
				only[it.Describe()] = true
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	for _, result := range []event.Result{event.Done, event.CutOff} {
		for _, unit := range results.Units[string(result)] {
			delete(only, unit)
		}
	}
	return only, nil
}
