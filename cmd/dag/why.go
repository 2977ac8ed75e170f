package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"dag/engine/addr"
	"dag/engine/graph"
	"dag/engine/lake"
	"dag/engine/plan"
	"dag/engine/view"
)

func (a *app) whyCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "why PARTITION",
		Short: "Explain why a partition would be made, or why it last was",
		Long:  "Explains why a partition would be made, down to the first cause, or why it last was,\nfrom its manifest. A stage's name stands for the dataset where it has one output; the\naddress of a unit, as plan shows it, for all that the unit makes.",
		Example: `  dag why 'silver.future.market_by_price_10_bar5s[symbol=ESU5,dt=2025-08-14]'
  dag why 'bar5s[symbol=ESU5,dt=2025-08-14]'
  dag why 'ingest_mbp10[root=ES,dt=2025-08-14]'`,
		Args: oneArgument("a partition or a unit, as in 'bar5s[symbol=ESU5,dt=2025-08-14]'"),
		RunE: func(cmd *cobra.Command, args []string) error { return a.why(cmd.Context(), args[0]) },
	}
}

// oneArgument wants one argument, and says what it is to be.
func oneArgument(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) == 1 {
			return nil
		}
		return mistake("usage", fmt.Sprintf("%s takes one argument, not %d", cmd.CommandPath(), len(args)), "give it "+what)
	}
}

func (a *app) why(ctx context.Context, text string) error {
	p, meant, err := a.loadFor(text)
	if err != nil {
		return err
	}
	return p.lookAround(ctx, meant, func(made *plan.Plan, _ *lake.Lake) error {
		doc, err := explain(made, meant, text)
		switch {
		case err != nil:
			return err
		case a.flags.json:
			return view.WriteJSON(a.stdout, doc)
		}
		return doc.Text(a.stdout, a.style(a.stdout))
	})
}

// explain explains the one partition that a selection means, or all that one unit
// makes, or a unit that has no outputs yet.
func explain(made *plan.Plan, meant *graph.Selection, text string) (*view.WhyDoc, error) {
	for _, it := range made.Items {
		if len(it.Outputs) == 0 && it.Describe() == text {
			return view.NewWhyItem(it), nil
		}
	}
	found := partitionsOf(made, meant)
	var unit []*plan.Explanation
	for _, part := range found {
		e, err := made.Explain(part)
		if err != nil {
			return nil, err
		}
		if unit = append(unit, e); len(found) > 1 && (!e.Made || e.Stage.String() != unit[0].Stage.String() || e.Unit != unit[0].Unit) {
			unit = nil
			break
		}
	}
	if len(unit) == 0 {
		return nil, notOne(found, text)
	}
	return view.NewWhyUnit(unit), nil
}

// loadFor loads the project and resolves the address of one partition.
func (a *app) loadFor(text string) (*project, *graph.Selection, error) {
	p, err := a.load()
	if err != nil {
		return nil, nil, err
	}
	meant, err := p.choose(graph.Request{Select: []string{text}})
	return p, meant, err
}

// lookAround plans everything that decides about what is meant, so that what a
// partition depends on is in the plan too; nil means everything.
func (p *project) lookAround(ctx context.Context, meant *graph.Selection, f func(*plan.Plan, *lake.Lake) error) error {
	all, list := p.graph.Select(graph.Request{})
	if list.HasErrors() {
		return list.Err()
	}
	return p.look(ctx, plan.Request{Selection: all, Within: meant}, f)
}

// onePartition returns the one partition of a plan that a selection means.
func onePartition(made *plan.Plan, meant *graph.Selection, text string) (addr.Partition, error) {
	found := partitionsOf(made, meant)
	if len(found) == 1 {
		return found[0], nil
	}
	return addr.Partition{}, notOne(found, text)
}

// partitionsOf lists the partitions of a plan that a selection means.
func partitionsOf(made *plan.Plan, meant *graph.Selection) (found []addr.Partition) {
	made.Narrow(meant).EachPartition(func(s plan.PartitionState) { found = append(found, s.Partition) })
	return found
}

// notOne is the mistake of a text that means no partition, or several.
func notOne(found []addr.Partition, text string) error {
	if len(found) == 0 {
		return mistake("unknown_partition", fmt.Sprintf("%s is neither in the lake nor to be made", text), "`dag ls` lists the partitions of a dataset: dag ls "+strings.Split(text, "[")[0])
	}
	const named = 4
	var names []string
	for _, p := range found[:min(len(found), named)] {
		names = append(names, p.String())
	}
	if len(found) > named {
		names = append(names, "…")
	}
	return mistake("many_partitions", fmt.Sprintf("%s means %d partitions", text, len(found)), "choose one: "+strings.Join(names, " "))
}
