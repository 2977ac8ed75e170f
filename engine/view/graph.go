package view

import (
	"cmp"
	"io"
	"maps"
	"slices"

	"dag/engine/graph"
	"dag/engine/plan"
)

// GraphDoc is a drawing as JSON, see schemas/graph.schema.json.
type GraphDoc struct {
	Command       string `json:"command"`
	FormatVersion int    `json:"format_version"`
	*graph.Drawing
}

// WriteGraph writes a drawing in a format: dot, mermaid or json.
func WriteGraph(w io.Writer, d *graph.Drawing, format string) error {
	switch format {
	case "mermaid":
		return d.Mermaid(w)
	case "json":
		return WriteJSON(w, GraphDoc{"graph", formatVersion, d})
	}
	return d.DOT(w)
}

// fills are the colours of plan states in drawings; darker means more to do.
var fills = map[string]string{
	"fresh": "#d9ead3", "empty": "#d9ead3", "unverified": "#cfe2f3", "may": "#fff2cc", "stale": "#fce5cd", "run": "#fce5cd",
	"missing": "#f4cccc", "blocked": "#ea9999", "broken": "#e06666",
}

// Paint colours a drawing's datasets, stages and partitions by the state they
// have in a plan.
func Paint(d *graph.Drawing, p *plan.Plan) {
	states := map[string]string{}
	p.EachPartition(func(s plan.PartitionState) {
		states[s.Partition.String()] = string(s.State)
		name := s.Partition.Dataset.String()
		if old, ok := states[name]; !ok || slices.Index(severity, s.State) < slices.Index(severity, plan.State(old)) {
			states[name] = string(s.State)
		}
	})
	for _, s := range p.Graph.Stages {
		states[s.Addr.String()] = stageState(p.CountStage(s))
	}
	for i := range d.Nodes {
		n := &d.Nodes[i]
		n.State = states[n.ID]
		n.Fill = fills[n.State]
	}
}

// stageState is the first of the states that any unit has.
func stageState(c plan.Counts) string {
	switch {
	case c.Blocked > 0:
		return "blocked"
	case c.Run > 0:
		return "run"
	case c.May > 0:
		return "may"
	case c.Fresh > 0:
		return "fresh"
	}
	return ""
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
