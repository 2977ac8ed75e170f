package main

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/spf13/cobra"

	"dag/engine/graph"
	"dag/engine/lake"
	"dag/engine/plan"
	"dag/engine/view"
)

func (a *app) gcCmd() *cobra.Command {
	var yes bool
	runs := 1000
	cmd := &cobra.Command{
		Use:   "gc",
		Short: "Show what nobody needs any more; with --yes, remove it",
		Long: `Shows what nobody needs: staging folders, leases and drafts of processes that have
ended, records of datasets and stages that are not in the configuration, records of runs
beyond the newest 1000 (--keep-runs), and orphans: partitions of dag for which the
configuration has no place. Only --yes removes it. What
a living process owns is never touched, and data of other tools neither. Be sure that
the project, its branch and its variables are those of this lake.`,
		Example: "  dag gc\n  dag gc --yes\n  dag gc --json | jq -r '.leftovers[] | select(.kind == \"orphan\") | .path'",
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if runs < 1 {
				return mistake("usage", fmt.Sprintf("--keep-runs is %d", runs), "at least the newest is kept")
			}
			return a.gc(cmd.Context(), yes, runs)
		},
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "remove what is shown")
	cmd.Flags().IntVar(&runs, "keep-runs", runs, "keep the records of the newest `N` runs")
	return cmd
}

func (a *app) gc(ctx context.Context, yes bool, runs int) error {
	return a.withLake(func(p *project, l *lake.Lake) error {
		keep, err := p.keep(ctx, l)
		if err != nil {
			return err
		}
		keep.Runs = runs
		var looked atomic.Int64
		keep.Looked = func() { looked.Add(1) }
		end := a.showPhase(func() (string, int64) { return "folders looked at", looked.Load() })
		list, err := l.Leftovers(ctx, keep)
		end()
		if err != nil {
			return err
		}
		doc := view.NewGC(yes)
		for _, x := range list {
			item := view.LeftoverDoc{Kind: string(x.Kind), Path: x.Path, Bytes: x.Bytes, Owner: x.Owner}
			if yes && x.Kind != lake.ForeignData {
				err := l.Remove(ctx, x, keep)
				if item.Removed = err == nil; err != nil {
					item.Error = err.Error()
				}
			}
			doc.Add(item)
		}
		err = a.print(doc, func() error { return doc.Text(a.stdout, a.style(a.stdout), a.commands("")) })
		if err == nil && doc.Failed() {
			return exit(exitInternal)
		}
		return err
	})
}

// keep is what gc must leave alone: all that the configuration has a place for.
func (p *project) keep(ctx context.Context, l *lake.Lake) (lake.Keep, error) {
	all, list := p.graph.Select(graph.Request{})
	if list.HasErrors() {
		return lake.Keep{}, list.Err()
	}
	made, err := p.plan(ctx, l, plan.Request{Selection: all})
	if err != nil {
		return lake.Keep{}, err
	}
	k := lake.Keep{Knows: made.Knows, Looked: func() {}}
	for _, s := range p.graph.Stages {
		k.Stages = append(k.Stages, s.Addr)
	}
	return k, nil
}
