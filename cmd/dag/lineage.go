package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"dag/engine/addr"
	"dag/engine/graph"
	"dag/engine/lake"
	"dag/engine/plan"
	"dag/engine/view"
)

func (a *app) lineageCmd() *cobra.Command {
	var up, down bool
	depth := 16
	cmd := &cobra.Command{
		Use:   "lineage PARTITION",
		Short: "Show what a partition was made from, or what was made from it, with digests",
		Long:  "Follows the manifests: --up shows exactly what was read, down to the source files, --down what has\nread the partition. What the mapping names, whether or not it was read, is told by `map`.",
		Example: `  dag lineage 'bar5s[symbol=ESU5,dt=2025-08-14]'
  dag lineage 'bar5s[symbol=ESU5,dt=2025-08-14]' --down --depth 1`,
		Args: oneArgument("a partition, as in 'bar5s[symbol=ESU5,dt=2025-08-14]'"),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case up && down:
				return mistake("usage", "--up and --down are two questions", "ask one after the other")
			case depth < 1:
				return mistake("usage", fmt.Sprintf("--depth is %d", depth), "at least one step is shown")
			}
			return a.lineage(cmd.Context(), args[0], down, depth)
		},
	}
	cmd.Flags().BoolVar(&up, "up", false, "what it was made from (default)")
	cmd.Flags().BoolVar(&down, "down", false, "what was made from it")
	cmd.Flags().IntVar(&depth, "depth", depth, "follow so many `steps`")
	return cmd
}

func (a *app) lineage(ctx context.Context, text string, down bool, depth int) error {
	return a.aboutOne(ctx, text, down, func(made *plan.Plan, part addr.Partition) error {
		direction, follow := "up", made.Read
		if down {
			direction, follow = "down", made.ReadBy
		}
		l, err := follow(ctx, part, depth)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, plan.ErrSource):
			return mistake("no_manifest", err.Error(), "`dag lineage "+shellQuote(text)+" --down` shows what was made from it")
		case err != nil:
			return mistake("no_manifest", err.Error(), "lineage is read off manifests; `dag adopt` writes them for data of another tool")
		}
		doc := view.NewLineage(direction, l)
		if a.flags.json {
			return view.WriteJSON(a.stdout, doc)
		}
		return doc.Text(a.stdout, a.style(a.stdout))
	})
}

func (a *app) mapCmd() *cobra.Command {
	return &cobra.Command{
		Use:     "map PARTITION",
		Short:   "Show which inputs the mapping names for a partition, there or not",
		Example: "  dag map 'bar5s[symbol=ESU5,dt=2025-08-14]'\n  dag map 'setup_index[root=ES]'",
		Args:    oneArgument("a partition, as in 'bar5s[symbol=ESU5,dt=2025-08-14]'"),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, meant, err := a.loadFor(args[0])
			if err != nil {
				return err
			}
			// Of a partition of which nothing is there, other days tell what it would be.
			return p.lookAround(cmd.Context(), nil, func(made *plan.Plan, _ *lake.Lake) error { return p.showMap(made, meant, args[0]) })
		},
	}
}

func (p *project) showMap(made *plan.Plan, selected *graph.Selection, text string) error {
	part, err := onePartition(made, selected, text)
	if err != nil {
		asked, ok := p.partition(text)
		if !ok {
			return err
		}
		part = asked
	}
	inputs, err := made.Mapping(part)
	if err != nil {
		return mistake("no_mapping", err.Error(), "`dag ls` lists partitions")
	}
	doc := view.NewMap(part.String(), inputs)
	a := p.app
	return a.print(doc, func() error { return doc.Text(a.stdout, a.style(a.stdout)) })
}

// partition is what a full address means, be there anything of it or not: a dataset,
// or a stage with one output, with a value for each of its keys.
func (p *project) partition(text string) (addr.Partition, bool) {
	m := p.meant(text)
	for _, d := range p.config.Datasets {
		made := p.graph.Producer(d.Addr)
		if d.Addr.String() != m.name && (made == nil || made.Addr.String() != m.name || len(made.Outputs) != 1) {
			continue
		}
		var keys []addr.KeyValue
		for _, k := range d.Keys {
			if v, ok := m.given.Get(k.Name); ok {
				keys = append(keys, addr.KeyValue{Key: k.Name, Value: v})
			}
		}
		return addr.Partition{Dataset: d.Addr, Keys: addr.MakeKeys(keys...)}, len(keys) == len(d.Keys) && len(keys) == len(m.given.Pairs())
	}
	return addr.Partition{}, false
}

// aboutOne calls f with the one partition that a text means, in a plan of what
// decides about it and, if down, about what is made from it.
func (a *app) aboutOne(ctx context.Context, text string, down bool, f func(*plan.Plan, addr.Partition) error) error {
	p, meant, err := a.loadFor(text)
	if err != nil {
		return err
	}
	around := meant
	if down {
		if around, err = p.choose(graph.Request{Select: []string{"(" + text + ")+"}}); err != nil {
			return err
		}
	}
	return p.lookAround(ctx, around, func(made *plan.Plan, _ *lake.Lake) error {
		part, err := onePartition(made, meant, text)
		if err != nil {
			return err
		}
		return f(made, part)
	})
}
