package main

import (
	"context"

	"github.com/spf13/cobra"

	"dag/engine/graph"
	"dag/engine/lake"
	"dag/engine/plan"
	"dag/engine/view"
)

func (a *app) statusCmd() *cobra.Command {
	var sel selectFlags
	var detailed bool
	cmd := &cobra.Command{
		Use:   "status [SELECTOR]...",
		Short: "Count partitions by state, with a strip of dates a dataset",
		Example: `  dag status
  dag status --layer silver --symbol ES
  dag status --detailed-exitcode   # 2: not everything is fresh`,
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := sel.request(args)
			if err != nil {
				return err
			}
			return a.status(cmd.Context(), r, detailed)
		},
	}
	sel.register(cmd.Flags())
	cmd.Flags().BoolVar(&detailed, "detailed-exitcode", false, "exit code 2 if not everything is fresh")
	return cmd
}

func (a *app) status(ctx context.Context, r graph.Request, detailed bool) error {
	p, sel, err := a.loadSelected(r)
	if err != nil {
		return err
	}
	p.failed = true
	return p.look(ctx, plan.Request{Selection: sel}, func(made *plan.Plan, _ *lake.Lake) error {
		p.tellRaw(made)
		doc := view.NewStatus()
		made.EachPartition(doc.Add)
		made.EachUnknown(doc.AddUnknown)
		doc.SetKnownAfter(made.After)
		doc.Sort(p.graph)
		var err error
		if a.flags.json {
			err = view.WriteJSON(a.stdout, doc)
		} else {
			err = doc.Text(a.stdout, a.style(a.stdout))
		}
		if err == nil && detailed && (doc.Stale() || len(made.Items) > 0) {
			return exit(exitChanges)
		}
		return err
	})
}
