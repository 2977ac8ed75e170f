package main

import (
	"context"
	"fmt"
	"maps"

	"github.com/spf13/cobra"

	"dag/engine/addr"
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
	return a.aboutOne(ctx, text, func(made *plan.Plan, part addr.Partition) error {
		direction, follow := "up", made.Read
		if down {
			direction, follow = "down", made.ReadBy
		}
		l, err := follow(ctx, part, depth)
		if err != nil {
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
			return a.aboutOne(cmd.Context(), args[0], func(made *plan.Plan, part addr.Partition) error {
				inputs, err := made.Mapping(part)
				if err != nil {
					return mistake("no_mapping", err.Error(), "`dag ls` lists partitions")
				}
				doc := view.NewMap(part.String(), inputs)
				if a.flags.json {
					return view.WriteJSON(a.stdout, doc)
				}
				return doc.Text(a.stdout, a.style(a.stdout))
			})
		},
	}
}

// aboutOne calls f with the one partition that a text means, in a plan of
// everything.
func (a *app) aboutOne(ctx context.Context, text string, f func(*plan.Plan, addr.Partition) error) error {
	p, meant, err := a.loadFor(text)
	if err != nil {
		return err
	}
	return p.lookAtAll(ctx, func(made *plan.Plan, _ *lake.Lake) error {
		part, err := onePartition(made, meant, text)
		if err != nil {
			return err
		}
		return f(made, part)
	})
}

// addManifest adds what a unit read and counted, if its data is still of that run.
func (p *project) addManifest(l *lake.Lake, doc *view.LogDoc, u view.UnitDoc) {
	for _, name := range u.Partitions {
		part, err := addr.ParsePartition(name)
		if err != nil {
			continue
		}
		m, err := l.Manifest(part)
		if err != nil || m.Run.ID != doc.RunID {
			continue
		}
		for _, in := range m.Inputs {
			line := in.Partition
			if in.File != "" {
				line = in.File
			}
			doc.Inputs = append(doc.Inputs, in.Port+"  "+line+"  "+in.Digest)
		}
		maps.Copy(doc.Metrics, m.Metrics)
		return
	}
}
