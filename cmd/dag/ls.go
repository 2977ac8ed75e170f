package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"dag/engine/diag"
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
		Long: `Lists the addresses of partitions that a selector means; every verb that selects takes the same.

  silver.future.*  bar5s  approach["or_*"]    datasets, or what stages write
  bar5s[symbol=ES*,dt=2025-06..2025-07-04]    partitions, by values and dates
  +bar5s  bar5s+  2+bar5s+1                   with what they are made from, or what is made from them
  tag:slow  state:stale  reason:upstream      by tag, by state, by why they would run
  a b    a,b    !a    (a b),!c                a or b, a and b, not a; parentheses group

States are those of status, failed (when it last ran) and blocked (it cannot be made); stale stands
for all that is not fresh. +(bar5s,state:stale) is what the stale partitions of bar5s are made from.
A unit of a fan-out that has never run is listed by its own address, as missing: which partitions it
makes is known when it has.`,
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
		made.EachUnknown(doc.AddUnknown)
		if len(doc.Partitions) == 0 && len(made.After) > 0 {
			k := made.After[0]
			a.diagnose(diag.List{{
				Severity: diag.Warning, Code: "empty_selection", Summary: fmt.Sprintf("nothing of %s is known before %s has run", k.Stage, k.FanOut),
				Hint: fmt.Sprintf("%s ls %s lists its units", a.name, shellQuote(k.FanOut.String()+",state:missing")),
			}})
		}
		if a.flags.json {
			return view.WriteJSON(a.stdout, doc)
		}
		return doc.Text(a.stdout, end)
	})
}
