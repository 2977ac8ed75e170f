package graph

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// mermaidShapes are the brackets around a label by kind.
var mermaidShapes = map[NodeKind][2]string{
	SourceNode: {"[/", "/]"}, DatasetNode: {"[(", ")]"}, StageNode: {"(", ")"}, PartitionNode: {"[", "]"},
}

// Mermaid writes the drawing as a Mermaid flowchart: a subgraph a layer. The
// same drawing gives the same bytes.
func (d *Drawing) Mermaid(w io.Writer) error {
	var b strings.Builder
	b.WriteString("flowchart LR\n")
	ids := map[string]string{}
	for i, n := range d.Nodes {
		ids[n.ID] = fmt.Sprintf("n%d", i)
	}
	for _, layer := range append(d.layers(), "") {
		indent := "  "
		if layer != "" {
			fmt.Fprintf(&b, "  subgraph %s\n", mermaidQuote(layer))
			indent = "    "
		}
		for _, n := range d.Nodes {
			if n.Layer == layer {
				shape := mermaidShapes[n.Kind]
				fmt.Fprintf(&b, "%s%s%s%s%s\n", indent, ids[n.ID], shape[0], mermaidQuote(strings.Join(n.Label, "<br>")), shape[1])
			}
		}
		if layer != "" {
			b.WriteString("  end\n")
		}
	}
	for _, e := range d.Edges {
		arrow := "-->"
		if e.Label != "" {
			arrow += "|" + mermaidQuote(e.Label) + "|"
		}
		fmt.Fprintf(&b, "  %s %s %s\n", ids[e.From], arrow, ids[e.To])
	}
	d.mermaidColors(&b, ids)
	_, err := io.WriteString(w, b.String())
	return err
}

// mermaidColors adds a class for each colour in use.
func (d *Drawing) mermaidColors(b *strings.Builder, ids map[string]string) {
	var states []string
	for _, n := range d.Nodes {
		if n.Fill == "" || slices.Contains(states, n.State) {
			continue
		}
		states = append(states, n.State)
		fmt.Fprintf(b, "  classDef %s fill:%s\n", n.State, n.Fill)
	}
	for _, n := range d.Nodes {
		if n.Fill != "" {
			fmt.Fprintf(b, "  class %s %s\n", ids[n.ID], n.State)
		}
	}
}

// mermaidQuote writes a quoted text, in which quotes are entities.
func mermaidQuote(s string) string {
	return `"` + strings.NewReplacer(`"`, "#quot;", "\n", " ").Replace(s) + `"`
}
