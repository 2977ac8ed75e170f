package graph

import (
	"fmt"
	"io"
	"strings"
)

// dotShapes are Graphviz's shapes by kind: what is delivered, what is stored,
// what works.
var dotShapes = map[NodeKind]string{SourceNode: "folder", DatasetNode: "cylinder", StageNode: "box", PartitionNode: "note"}

// DOT writes the drawing for Graphviz: a cluster a layer, from left to right.
// The same drawing gives the same bytes.
func (d *Drawing) DOT(w io.Writer) error {
	var b strings.Builder
	b.WriteString("digraph dag {\n")
	b.WriteString("  graph [rankdir=LR, fontname=\"Helvetica\", nodesep=0.25, ranksep=0.6];\n")
	b.WriteString("  node [fontname=\"Helvetica\", fontsize=10];\n")
	b.WriteString("  edge [fontname=\"Helvetica\", fontsize=9, color=\"#666666\"];\n")
	for _, layer := range d.layers() {
		fmt.Fprintf(&b, "  subgraph %s {\n", dotQuote("cluster_"+layer))
		fmt.Fprintf(&b, "    label=%s;\n    style=rounded;\n    color=\"#bbbbbb\";\n", dotQuote(layer))
		for _, n := range d.Nodes {
			if n.Layer == layer {
				b.WriteString("    " + n.dot())
			}
		}
		b.WriteString("  }\n")
	}
	for _, n := range d.Nodes {
		if n.Layer == "" {
			b.WriteString("  " + n.dot())
		}
	}
	for _, e := range d.Edges {
		fmt.Fprintf(&b, "  %s -> %s", dotQuote(e.From), dotQuote(e.To))
		if e.Label != "" {
			fmt.Fprintf(&b, " [label=%s]", dotQuote(e.Label))
		}
		b.WriteString(";\n")
	}
	b.WriteString("}\n")
	_, err := io.WriteString(w, b.String())
	return err
}

func (n *Node) dot() string {
	label := make([]string, len(n.Label))
	for i, l := range n.Label {
		label[i] = dotEscape(l)
	}
	attributes := fmt.Sprintf(`label="%s", shape=%s`, strings.Join(label, `\n`), dotShapes[n.Kind])
	var styles []string
	if n.Kind == StageNode {
		styles = append(styles, "rounded")
	}
	if n.Fill != "" {
		styles = append(styles, "filled")
		attributes += ", fillcolor=" + dotQuote(n.Fill)
	}
	if len(styles) > 0 {
		attributes += ", style=" + dotQuote(strings.Join(styles, ","))
	}
	if n.State != "" {
		attributes += ", tooltip=" + dotQuote(n.State)
	}
	return fmt.Sprintf("%s [%s];\n", dotQuote(n.ID), attributes)
}

// dotQuote writes a quoted ID of the DOT language, in which a backslash begins
// an escape.
func dotQuote(s string) string { return `"` + dotEscape(s) + `"` }

func dotEscape(s string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(s)
}
