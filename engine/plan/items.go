package plan

import (
	"fmt"
	"slices"

	"dag/engine/addr"
	"dag/engine/calendar"
)

// propagate makes items of the selected units that are not fresh, inputs
// before outputs, and finds what stands in their way.
func (p *Plan) propagate() {
	for _, st := range p.stages {
		for _, u := range st.series {
			p.makeItems(u, u.days)
		}
	}
	p.knownAfter()
}

// makeItems makes the items of some sessions of a unit series and returns them.
func (p *Plan) makeItems(u *unitSeries, days calendar.Set) []*Item {
	var made []*Item
	days.Each(func(i int) {
		if st := &u.status[i]; st.action != "" && st.selected && st.item == 0 {
			made = append(made, p.newItem(u, i))
		}
	})
	return made
}

func (p *Plan) newItem(u *unitSeries, session int) *Item {
	v := p.verdicts[unitRef{u, session}]
	def := u.stage.def
	it := &Item{
		ID: len(p.Items), Stage: def.Addr, Unit: u.unitKeys(session), Action: v.action, Reason: v.reason, Blocked: v.blocked,
		Memory: p.memoryOf(u), CPU: def.CPU, unit: unitRef{u, session},
	}
	if u.stage.fanOut >= 0 {
		_, known := u.fan[session]
		it.Unknown = !known
	}
	p.Items = append(p.Items, it)
	u.status[session].item = int32(it.ID) + 1
	it.Outputs = make([]addr.Partition, 0, u.countOutputs(session))
	u.eachOutput(session, func(s *series) {
		s.cells[session].maker = int32(it.ID) + 1
		it.Outputs = append(it.Outputs, s.partition(session))
	})
	p.shareNames(it)
	if u.stage.fanOut >= 0 {
		p.unsure.add(it)
	}
	p.linkItem(it)
	return it
}

// shareNames lets an item, its outputs and the cause of its run have a name once,
// where they are of the same: a plan has hundreds of thousands of them.
func (p *Plan) shareNames(it *Item) {
	for i := range it.Outputs {
		out := &it.Outputs[i]
		if out.Keys == it.Unit {
			out.Keys = it.Unit
		}
		if it.Reason.Cause != nil && *it.Reason.Cause == *out {
			it.Reason.Cause = out
			v := p.verdicts[it.unit]
			v.reason.Cause = out
			p.verdicts[it.unit] = v
		}
	}
}

// linkItem finds what an item waits for and what blocks it.
func (p *Plan) linkItem(it *Item) {
	u, session := it.unit.series, it.unit.session
	deps := map[int]bool{}
	u.eachRead(session, func(s *series, d int) {
		c := &s.cells[d]
		switch {
		case c.pending == settled:
		case c.maker != 0:
			deps[int(c.maker)-1] = true
		case it.Blocked == "":
			it.Blocked = fmt.Sprintf("%s is stale and not selected", s.partition(d))
		}
	})
	p.linkUnsure(it, deps)
	it.Deps = make([]int, 0, len(deps)) // a new one: the queue keeps the old
	for d := range deps {
		it.Deps = append(it.Deps, d)
	}
	slices.Sort(it.Deps)
	for _, d := range it.Deps {
		if p.Items[d].Blocked != "" && it.Blocked == "" {
			it.Blocked = fmt.Sprintf("%s is blocked: %s", p.Items[d].Describe(), p.Items[d].Blocked)
		}
	}
}

// knownAfter lists the selected stages below the fan-outs that have never run.
func (p *Plan) knownAfter() { p.After = p.unknownBelow() }

func (p *Plan) unknownBelow() []KnownAfter {
	var out []KnownAfter
	for f, st := range p.stages {
		if st.fanOut < 0 {
			continue
		}
		below := p.Graph.Reach(f, -1, p.Graph.Downstream)
		for i, reader := range p.stages {
			if i == f || !below[i] {
				continue
			}
			units, selected := p.unknownUnits(st, reader)
			k := KnownAfter{Stage: reader.def.Addr, FanOut: st.def.Addr, Units: selected}
			if selected == 0 {
				k.Units, k.Blocked = units, true
			}
			if units > 0 && (selected > 0 || p.Request.Only == nil) {
				out = append(out, k)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b KnownAfter) int { return p.Graph.Position(a.Stage) - p.Graph.Position(b.Stage) })
	return out
}

// unknownUnits counts the units of a fan-out that have never run and may lead
// to selected units of a stage below, and those of them that are selected.
func (p *Plan) unknownUnits(fanOut, reader *stageState) (units, selected int) {
	made := fanOut.def.Outputs[fanOut.fanOut].To.Addr
	for _, u := range fanOut.series {
		var wanted calendar.Set
		for _, o := range reader.def.Outputs {
			if f := p.Request.Selection.Dataset(o.To.Addr); f != nil {
				wanted = wanted.Union(p.Graph.MadeFrom(o.To.Addr, made, f(p.fanOutEnv(u))))
			}
		}
		wanted.Intersect(u.days).Each(func(i int) {
			if _, known := u.fan[i]; known {
				return
			}
			units++
			if u.status[i].selected {
				selected++
			}
		})
	}
	return units, selected
}
