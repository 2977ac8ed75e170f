package main

import (
	"context"

	"github.com/spf13/cobra"

	"dag/engine/graph"
	"dag/engine/lake"
	"dag/engine/plan"
	"dag/engine/view"
)

func (a *app) lsCmd() *cobra.Command {
	var sel selectFlags
	var zero bool
	cmd := &cobra.Command{
		Use:   "ls [SELECTOR]...",
		Short: "List addresses of partitions: the dry run of a selector",
		Example: `  dag ls
  dag ls 'silver.future.*[symbol=ES*,dt=2025-06]'
  dag ls state:missing
  dag ls 'bar5s' -0 | xargs -0 -n1 dag why`,
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := sel.request(args)
			if err != nil {
				return err
			}
			end := "\n"
			if zero {
				end = "\x00"
			}
			return a.ls(cmd.Context(), r, end)
		},
	}
	sel.register(cmd.Flags())
	cmd.Flags().BoolVarP(&zero, "null", "0", false, "end each address with a zero byte, for xargs -0")
	return cmd
}

func (a *app) ls(ctx context.Context, r graph.Request, end string) error {
	p, sel, err := a.loadSelected(r)
	if err != nil {
		return err
	}
	return p.look(ctx, plan.Request{Selection: sel}, func(made *plan.Plan, _ *lake.Lake) error {
		doc := view.NewLs()
		made.EachPartition(doc.Add)
		if a.flags.json {
			return view.WriteJSON(a.stdout, doc)
		}
		return doc.Text(a.stdout, end)
	})
}
