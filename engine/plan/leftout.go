package plan

import (
	"fmt"

	"dag/engine/addr"
	"dag/engine/calendar"
)

// LeftOut is a unit that cannot be because one source of its stage has a file and
// another has none: data that somebody forgot to deliver, most likely.
type LeftOut struct {
	Stage addr.Stage
	Unit  addr.Keys
	Has   addr.Dataset // a source with a file
	Lacks addr.Dataset // the first without one
}

func (l LeftOut) describe() string { return addr.UnitName(l.Stage.String(), l.Unit) }

// What says so in words.
func (l LeftOut) What() string {
	return fmt.Sprintf("%s has a file and %s has none", l.Has, l.Lacks)
}

// LeftOut lists the selected units that lack a file of one of their sources.
func (p *Plan) LeftOut() []LeftOut {
	var out []LeftOut
	for _, st := range p.stages {
		if len(st.series) == 0 {
			out = append(out, p.leftOutWhole(st)...)
		}
		for _, u := range st.series {
			out = append(out, p.leftOut(u)...)
		}
	}
	return out
}

// leftOutWhole is a stage one of whose sources has nothing at all.
func (p *Plan) leftOutWhole(st *stageState) []LeftOut {
	l := LeftOut{Stage: st.def.Addr}
	for _, in := range st.def.Inputs {
		there := len(p.datasets[in.From.Addr].series) > 0
		switch {
		case !in.From.Source:
			return nil
		case there && l.Has == addr.Dataset{}:
			l.Has = in.From.Addr
		case !there && l.Lacks == addr.Dataset{}:
			l.Lacks = in.From.Addr
		}
	}
	if l.Has == (addr.Dataset{}) || l.Lacks == (addr.Dataset{}) {
		return nil
	}
	return []LeftOut{l}
}

func (p *Plan) leftOut(u *unitSeries) []LeftOut {
	type source struct {
		of      addr.Dataset
		present calendar.Set
	}
	var sources []source
	var any calendar.Set
	for i, in := range u.stage.def.Inputs {
		if !in.From.Source || len(in.Collect) > 0 || len(u.inputs[i]) == 0 {
			continue
		}
		var present calendar.Set
		for _, s := range u.inputs[i] {
			present = present.Union(s.present)
		}
		sources, any = append(sources, source{in.From.Addr, present}), any.Union(present)
	}
	if len(sources) < 2 {
		return nil
	}
	wanted := any
	if !p.Request.Selection.Everything {
		wanted = any.Intersect(p.chosen(u))
	}
	var out []LeftOut
	wanted.Subtract(u.days).Each(func(i int) {
		l := LeftOut{Stage: u.stage.def.Addr, Unit: u.unitKeys(i)}
		for _, s := range sources {
			has := s.present.Has(i)
			switch {
			case has && l.Has == addr.Dataset{}:
				l.Has = s.of
			case !has && l.Lacks == addr.Dataset{}:
				l.Lacks = s.of
			}
		}
		if l.Lacks != (addr.Dataset{}) {
			out = append(out, l)
		}
	})
	return out
}
