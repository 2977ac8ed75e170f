package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"dag/engine/addr"
	"dag/engine/graph"
	"dag/engine/lake"
	"dag/engine/plan"
	"dag/engine/view"
)

// graphFlags are those of `graph` besides the selection.
type graphFlags struct {
	format, level string
	state         bool
}

func (a *app) graphCmd() *cobra.Command {
	var sel selectFlags
	var f graphFlags
	cmd := &cobra.Command{
		Use:   "graph [SELECTOR]...",
		Short: "Draw the pipeline for Graphviz or Mermaid",
		Example: `  dag graph | dot -Tsvg > graph.svg
  dag graph '+bar5s' --format mermaid
  dag graph --state | dot -Tpng > state.png
  dag graph --level partition '+bar5s[symbol=ESU5,dt=2025-08-14]' | dot -Tsvg > one.svg`,
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := sel.request(args)
			if err != nil {
				return err
			}
			return a.graph(cmd.Context(), r, f)
		},
	}
	sel.register(cmd.Flags())
	cmd.Flags().StringVar(&f.format, "format", "dot", "`dot`, mermaid or json")
	cmd.Flags().StringVar(&f.level, "level", "stage", "what to draw: `dataset`, stage (with the datasets between them) or partition")
	cmd.Flags().BoolVar(&f.state, "state", false, "colour by the state in the plan")
	return cmd
}

func (a *app) graph(ctx context.Context, r graph.Request, f graphFlags) error {
	if a.flags.json {
		f.format = "json"
	}
	if err := oneOf("--format", f.format, "dot", "mermaid", "json"); err != nil {
		return err
	}
	if err := oneOf("--level", f.level, "dataset", "stage", "partition"); err != nil {
		return err
	}
	p, sel, err := a.loadSelected(r)
	if err != nil {
		return err
	}
	if f.level != "partition" && !f.state && !sel.NeedsState() {
		return view.WriteGraph(a.stdout, p.draw(sel, f.level), f.format)
	}
	return p.look(ctx, plan.Request{Selection: sel}, func(made *plan.Plan, l *lake.Lake) error {
		d := p.draw(holding(made, sel), f.level)
		if f.level == "partition" {
			if d, err = drawPartitions(made, l); err != nil {
				return err
			}
		}
		if f.state {
			view.Paint(d, made)
		}
		return view.WriteGraph(a.stdout, d, f.format)
	})
}

// holding is the selection of the datasets that have a selected partition, where
// that depends on states.
func holding(made *plan.Plan, sel *graph.Selection) *graph.Selection {
	if !sel.NeedsState() {
		return sel
	}
	some := map[addr.Dataset]bool{}
	made.EachPartition(func(s plan.PartitionState) { some[s.Partition.Dataset] = true })
	for _, after := range made.After {
		for _, o := range made.Graph.Stages[made.Graph.Position(after.Stage)].Outputs {
			some[o.To.Addr] = true
		}
	}
	return sel.Restrict(func(d addr.Dataset) bool { return some[d] })
}

func (p *project) draw(sel *graph.Selection, level string) *graph.Drawing {
	if level == "dataset" {
		return p.graph.DrawDatasets(sel)
	}
	return p.graph.DrawStages(sel)
}

// maxDrawn is how many partitions one drawing holds: more cannot be read.
const maxDrawn = 500

// drawPartitions draws the selected partitions. What is fresh is linked to what
// it was made from, what is not to what it is to be made from.
func drawPartitions(made *plan.Plan, l plan.Lake) (*graph.Drawing, error) {
	d := graph.NewDrawing("partition")
	var fresh []addr.Partition
	made.EachPartition(func(s plan.PartitionState) {
		d.AddPartition(s.Partition)
		if s.Action == "" && !s.Source && s.State != plan.Unverified {
			fresh = append(fresh, s.Partition)
		}
	})
	if n := len(d.Nodes); n > maxDrawn {
		return nil, mistake("too_many", fmt.Sprintf("the selection has %s partitions; a drawing holds %d", view.Count(n), maxDrawn), "select fewer, as in '+bar5s[symbol=ESU5,dt=2025-08-14]', or use --level stage")
	}
	for _, p := range fresh {
		m, err := l.Manifest(p)
		if err != nil {
			continue // nothing says what it was made from
		}
		for _, in := range m.Inputs {
			d.AddEdge(graph.Edge{From: in.Partition, To: p.String()})
		}
	}
	return d, linkItems(d, made)
}

// linkItems adds the edges of what is to be made.
func linkItems(d *graph.Drawing, made *plan.Plan) error {
	saved, err := made.Save()
	if err != nil {
		return err
	}
	for i, it := range made.Items {
		var from []string
		for _, in := range saved[i].Inputs {
			from = append(from, in.Partition)
		}
		for _, dep := range it.Deps {
			for _, o := range made.Items[dep].Outputs {
				if reads(made, it, o) {
					from = append(from, o.String())
				}
			}
		}
		for _, o := range it.Outputs {
			for _, f := range from {
				d.AddEdge(graph.Edge{From: f, To: o.String()})
			}
		}
	}
	return nil
}

// reads tells whether an item that waits for the maker of o reads o itself:
// key by key, except those that a window or a collect widens.
func reads(made *plan.Plan, it *plan.Item, o addr.Partition) bool {
	stage := made.Graph.Stages[made.Graph.Position(it.Stage)]
	for _, in := range stage.Inputs {
		if in.From.Addr != o.Dataset {
			continue
		}
		same := true
		for _, kv := range o.Keys.Pairs() {
			wide := slices.Contains(in.Collect, kv.Key) || in.Window != nil && in.Window.Key == kv.Key
			if v, ok := it.Unit.Get(kv.Key); ok && v != kv.Value && !wide {
				same = false
			}
		}
		if same {
			return true
		}
	}
	return false
}
