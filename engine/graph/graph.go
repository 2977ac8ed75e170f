// Package graph is the graph of stages and datasets: its order, its cycles,
// who makes and who reads what, which part of it a selection means, and its
// drawing. Partitions, time and storage are not its matter.
package graph

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dominikbraun/graph"

	"dag/engine/addr"
	"dag/engine/config"
	"dag/engine/diag"
)

// Graph is built once from a configuration and never changes.
type Graph struct {
	Config *config.Config
	// Stages in topological order; stages that do not depend on each other
	// stand in address order.
	Stages    []*config.Stage
	producer  map[addr.Dataset]*config.Stage
	consumers map[addr.Dataset][]*config.Stage
	position  map[addr.Stage]int
	up, down  [][]int // direct neighbours of Stages, as positions, ascending
}

// Build orders the stages. A cycle is a diagnostic that names its path.
func Build(cfg *config.Config) (*Graph, diag.List) {
	g := &Graph{
		Config:    cfg,
		producer:  map[addr.Dataset]*config.Stage{},
		consumers: map[addr.Dataset][]*config.Stage{},
		position:  map[addr.Stage]int{},
	}
	byName := map[string]*config.Stage{}
	for _, s := range cfg.Stages {
		byName[s.Addr.String()] = s
		for _, o := range s.Outputs {
			g.producer[o.To.Addr] = s
		}
		for _, in := range s.Inputs {
			if c := g.consumers[in.From.Addr]; len(c) == 0 || c[len(c)-1] != s {
				g.consumers[in.From.Addr] = append(c, s)
			}
		}
	}
	d := graph.New(func(s *config.Stage) string { return s.Addr.String() }, graph.Directed())
	for _, s := range cfg.Stages {
		_ = d.AddVertex(s) // names are unique: config reports two stages of one name
	}
	for _, s := range cfg.Stages {
		for _, in := range s.Inputs {
			if p := g.producer[in.From.Addr]; p != nil {
				_ = d.AddEdge(p.Addr.String(), s.Addr.String()) // a second edge between two stages changes nothing
			}
		}
	}
	if cycles := g.cycles(d, byName); len(cycles) > 0 {
		return nil, cycles
	}
	order, err := graph.StableTopologicalSort(d, func(a, b string) bool { return a < b })
	if err != nil {
		return nil, diag.FromError(fmt.Errorf("ordering the stages: %w", err), "cycle")
	}
	for i, name := range order {
		g.Stages = append(g.Stages, byName[name])
		g.position[byName[name].Addr] = i
	}
	g.connect()
	return g, nil
}

// connect fills the direct neighbours.
func (g *Graph) connect() {
	g.up, g.down = make([][]int, len(g.Stages)), make([][]int, len(g.Stages))
	for i, s := range g.Stages {
		for _, in := range s.Inputs {
			if p := g.producer[in.From.Addr]; p != nil {
				g.up[i] = append(g.up[i], g.position[p.Addr])
			}
		}
		slices.Sort(g.up[i])
		g.up[i] = slices.Compact(g.up[i])
		for _, p := range g.up[i] {
			g.down[p] = append(g.down[p], i)
		}
	}
}

// cycles reports every strongly connected knot of stages, each by one path
// through it.
func (g *Graph) cycles(d graph.Graph[string, *config.Stage], byName map[string]*config.Stage) diag.List {
	knots, err := graph.StronglyConnectedComponents(d)
	if err != nil {
		return diag.FromError(err, "cycle")
	}
	var list diag.List
	for _, knot := range knots {
		slices.Sort(knot)
		if len(knot) == 1 && !g.feedsItself(byName[knot[0]]) {
			continue
		}
		s := byName[knot[0]]
		list = append(list, diag.Diagnostic{
			Code:    "cycle",
			Summary: "the stages depend on each other in a cycle",
			Detail:  g.cyclePath(s, knot),
			Hint:    "let one of them read a dataset that does not come from the others",
			Range:   s.Range,
		})
	}
	list.Sort()
	return list
}

func (g *Graph) feedsItself(s *config.Stage) bool {
	return slices.ContainsFunc(s.Inputs, func(in config.Input) bool { return g.producer[in.From.Addr] == s })
}

// cyclePath writes one shortest way from s back to s inside the knot, with the
// datasets it goes through.
func (g *Graph) cyclePath(s *config.Stage, knot []string) string {
	type step struct {
		stage *config.Stage
		path  string
	}
	seen := map[*config.Stage]bool{}
	for queue := []step{{s, s.Addr.String()}}; len(queue) > 0; queue = queue[1:] {
		for _, o := range queue[0].stage.Outputs {
			for _, next := range g.consumers[o.To.Addr] {
				path := queue[0].path + " → " + o.To.Addr.String() + " → " + next.Addr.String()
				if next == s {
					return path
				}
				if !seen[next] && slices.Contains(knot, next.Addr.String()) {
					seen[next] = true
					queue = append(queue, step{next, path})
				}
			}
		}
	}
	return strings.Join(knot, " → ")
}

// Producer returns the stage that writes a dataset; nil for a source.
func (g *Graph) Producer(d addr.Dataset) *config.Stage { return g.producer[d] }

// Consumers returns the stages that read a dataset, in address order.
func (g *Graph) Consumers(d addr.Dataset) []*config.Stage { return g.consumers[d] }

// Position returns the index of a stage in Stages.
func (g *Graph) Position(s addr.Stage) int { return g.position[s] }

// Upstream returns the positions of the stages whose outputs stage i reads.
func (g *Graph) Upstream(i int) []int { return g.up[i] }

// Downstream returns the positions of the stages that read what stage i writes.
func (g *Graph) Downstream(i int) []int { return g.down[i] }

// Reach returns the set of stages within n steps of stage i along next
// (g.Upstream or g.Downstream), i included; n < 0 means any distance.
func (g *Graph) Reach(i, n int, next func(int) []int) map[int]bool {
	seen := map[int]bool{i: true}
	for level := []int{i}; len(level) > 0 && n != 0; n-- {
		var further []int
		for _, s := range level {
			for _, t := range next(s) {
				if !seen[t] {
					seen[t] = true
					further = append(further, t)
				}
			}
		}
		level = further
	}
	return seen
}

// The configured things that a graph hands out, under names of its own, so
// that planning needs no other package for them.
type (
	Dataset = config.Dataset
	Stage   = config.Stage
	Input   = config.Input
	Output  = config.Output
	Window  = config.Window
	Key     = config.Key
)
