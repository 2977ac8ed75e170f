package plan

import (
	"slices"

	"dag/engine/graph"
)

// unsure are the fan-out items that have not told their values, by session.
type unsure map[*stageState]map[int][]*Item

func (w unsure) add(it *Item) {
	st, session := it.unit.series.stage, it.unit.session
	if w[st] == nil {
		w[st] = map[int][]*Item{}
	}
	w[st][session] = append(w[st][session], it)
}

func (w unsure) remove(it *Item) {
	st, session := it.unit.series.stage, it.unit.session
	left := slices.DeleteFunc(w[st][session], func(other *Item) bool { return other == it })
	if w[st][session] = left; len(left) == 0 {
		delete(w[st], session)
	}
}

// fanOutAbove is a fan-out as seen from a stage below it.
type fanOutAbove struct {
	stage *stageState
	// lo and hi are how many sessions away from a unit of the stage what it reads may
	// have been made; with anyDate, on any.
	lo, hi  int
	anyDate bool
	// keys are those that everything on the way has: a fan-out with another value of
	// one makes nothing that is read here.
	keys []string
}

// linkUnsure lets an item that reads many partitions wait for every fan-out above it
// that has still to tell its values, and may tell one more of the many. A fan-out of
// another root is none of its.
func (p *Plan) linkUnsure(it *Item, deps map[int]bool) {
	u, session := it.unit.series, it.unit.session
	var values map[string]string
	link := func(items []*Item, keys []string) {
		if values == nil && len(items) > 0 {
			values = u.stage.def.Outputs[0].To.Values(u.values)
		}
		for _, f := range items {
			if agree(values, f.unit.series.values, keys) {
				deps[f.ID] = true
			}
		}
	}
	for _, f := range p.fanOutsAbove(u.stage) {
		switch waiting := p.unsure[f.stage]; {
		case len(waiting) == 0:
		case f.anyDate:
			for _, items := range waiting {
				link(items, f.keys)
			}
		default:
			for i := session + f.lo; i <= session+f.hi; i++ {
				link(waiting[i], f.keys)
			}
		}
	}
}

// agree tells whether values are the same where both have one of the keys.
func agree(x, y map[string]string, keys []string) bool {
	for _, k := range keys {
		a, inX := x[k]
		b, inY := y[k]
		if inX && inY && a != b {
			return false
		}
	}
	return true
}

// fanOutsAbove lists the fan-outs above a stage from which on the way to it many
// partitions are read through one port.
func (p *Plan) fanOutsAbove(st *stageState) []fanOutAbove {
	if known, ok := p.fanOuts[st]; ok {
		return known
	}
	var out []fanOutAbove
	above := p.Graph.Reach(p.Graph.Position(st.def.Addr), -1, p.Graph.Upstream)
	for i, f := range p.stages {
		if f.fanOut < 0 || f == st || !above[i] {
			continue
		}
		lo, hi, ok := p.Graph.Apart(st.def.Outputs[0].To.Addr, f.def.Outputs[f.fanOut].To.Addr)
		of, wide := fanOutAbove{stage: f, lo: lo, hi: hi, anyDate: !ok}, false
		for _, k := range f.keys {
			of.keys = append(of.keys, k.Name)
		}
		for k := range p.Graph.Reach(i, -1, p.Graph.Downstream) {
			if k != i && above[k] {
				on := p.Graph.Stages[k]
				wide = wide || readsMany(on)
				of.anyDate = of.anyDate || windowsOverValues(on)
				of.keys = slices.DeleteFunc(of.keys, func(name string) bool { return !on.Outputs[0].To.Has(name) })
			}
		}
		if wide {
			out = append(out, of)
		}
	}
	p.fanOuts[st] = out
	return out
}

// readsMany tells whether a stage reads several partitions through one port.
func readsMany(st *graph.Stage) bool {
	return slices.ContainsFunc(st.Inputs, func(in graph.Input) bool { return in.Window != nil || len(in.Collect) > 0 })
}

// windowsOverValues tells whether a stage has such a window: it counts the values that
// are seen on any day.
func windowsOverValues(st *graph.Stage) bool {
	return slices.ContainsFunc(st.Inputs, func(in graph.Input) bool { return in.Window != nil && !in.Window.Dates })
}
