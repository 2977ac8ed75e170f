package graph

import (
	"fmt"
	"slices"
	"strings"

	"dag/engine/addr"
	"dag/engine/config"
)

// Drawing is a picture of a graph before it has a format: nodes in a stable
// order and the edges between them.
type Drawing struct {
	Level string `json:"level"` // "dataset", "stage" or "partition"
	Nodes []Node `json:"nodes"`
	Edges []Edge `json:"edges"`

	index map[string]bool
}

// NodeKind is what a node stands for; each has a shape of its own.
type NodeKind string

// The kinds of nodes.
const (
	SourceNode    NodeKind = "source"
	DatasetNode   NodeKind = "dataset"
	StageNode     NodeKind = "stage"
	PartitionNode NodeKind = "partition"
)

// Node is a box of a drawing. ID is its address.
type Node struct {
	ID    string   `json:"id"`
	Kind  NodeKind `json:"kind"`
	Label []string `json:"label"`           // lines
	Layer string   `json:"layer,omitempty"` // nodes of one layer stand together; a stage stands with what it writes
	State string   `json:"state,omitempty"`
	Fill  string   `json:"-"` // colour as #rrggbb; empty: none
}

// Edge says that To is made from From.
type Edge struct {
	From  string `json:"from"`
	To    string `json:"to"`
	Label string `json:"label,omitempty"`
}

// NewDrawing returns an empty one.
func NewDrawing(level string) *Drawing {
	return &Drawing{Level: level, Nodes: []Node{}, Edges: []Edge{}, index: map[string]bool{}}
}

// AddNode adds a node, unless one of its ID is there.
func (d *Drawing) AddNode(n Node) {
	if !d.index[n.ID] {
		d.index[n.ID] = true
		d.Nodes = append(d.Nodes, n)
	}
}

// AddEdge adds an edge between nodes that are there; others are left out.
func (d *Drawing) AddEdge(e Edge) {
	if d.index[e.From] && d.index[e.To] && !slices.Contains(d.Edges, e) {
		d.Edges = append(d.Edges, e)
	}
}

// AddPartition adds the node of a partition.
func (d *Drawing) AddPartition(p addr.Partition) {
	d.AddNode(Node{ID: p.String(), Kind: PartitionNode, Label: []string{p.Dataset.Table, string(p.Keys)}, Layer: p.Dataset.Layer})
}

// DrawDatasets draws the selected datasets and sources; an edge is a stage.
func (g *Graph) DrawDatasets(s *Selection) *Drawing {
	d := NewDrawing("dataset")
	g.addDatasets(d, s)
	for _, st := range g.Stages {
		for _, in := range st.Inputs {
			for _, o := range st.Outputs {
				d.AddEdge(Edge{From: in.From.Addr.String(), To: o.To.Addr.String(), Label: st.Addr.String()})
			}
		}
	}
	return d
}

// DrawStages draws the selected datasets and sources with the stages that
// write them in between; an edge is a port, named where it reads more than one
// partition.
func (g *Graph) DrawStages(s *Selection) *Drawing {
	d := NewDrawing("stage")
	g.addDatasets(d, s)
	for _, st := range g.Stages {
		if !slices.ContainsFunc(st.Outputs, func(o config.Output) bool { return s.Dataset(o.To.Addr) != nil }) {
			continue
		}
		name := st.Addr.String()
		d.AddNode(Node{ID: name, Kind: StageNode, Label: []string{name}, Layer: st.Outputs[0].To.Addr.Layer})
		for _, in := range st.Inputs {
			d.AddEdge(Edge{From: in.From.Addr.String(), To: name, Label: mapping(in)})
		}
		for _, o := range st.Outputs {
			e := Edge{From: name, To: o.To.Addr.String()}
			if len(o.FanOut) > 0 {
				e.Label = "fan_out " + strings.Join(o.FanOut, ", ")
			}
			d.AddEdge(e)
		}
	}
	return d
}

func (g *Graph) addDatasets(d *Drawing, s *Selection) {
	for _, ds := range g.Config.Datasets {
		if s.Dataset(ds.Addr) == nil {
			continue
		}
		n := Node{ID: ds.Addr.String(), Kind: DatasetNode, Label: []string{ds.Addr.Table, ds.Addr.Product}, Layer: ds.Addr.Layer}
		if ds.Source {
			n.Kind = SourceNode
		}
		d.AddNode(n)
	}
}

// mapping says how an input widens what a unit reads.
func mapping(in config.Input) string {
	switch {
	case in.Window != nil:
		return fmt.Sprintf("%s [%d, %d]", in.Window.Key, in.Window.Lo, in.Window.Hi)
	case len(in.Collect) > 0:
		return "collect " + strings.Join(in.Collect, ", ")
	}
	return ""
}

// layers returns the layers of the nodes in order of appearance; the empty one
// is left out.
func (d *Drawing) layers() []string {
	var out []string
	for _, n := range d.Nodes {
		if n.Layer != "" && !slices.Contains(out, n.Layer) {
			out = append(out, n.Layer)
		}
	}
	return out
}
