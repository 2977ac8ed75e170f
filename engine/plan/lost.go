package plan

import (
	"slices"
	"strings"

	"dag/engine/addr"
)

// Lost lists the partitions that a fan-out has made, that are not there now, and that
// cannot be made again, since what they were made from is gone. Only a plan of
// everything can tell.
func (p *Plan) Lost() []addr.Partition {
	if !p.Request.Selection.Everything {
		return nil
	}
	var out []addr.Partition
	for _, st := range p.stages {
		recalled := 0
		for _, u := range st.series {
			recalled += len(u.fan)
		}
		if recalled == len(st.fanOuts) || st.def.Outputs[st.fanOut].To.Unstored {
			continue
		}
		there := map[addr.Keys]bool{}
		for _, u := range st.series {
			for session := range u.fan {
				there[u.unitKeys(session)] = true
			}
		}
		for unit, made := range st.fanOuts {
			if !there[unit] {
				out = append(out, p.lostOf(st, unit, made.Values)...)
			}
		}
	}
	slices.SortFunc(out, func(a, b addr.Partition) int { return strings.Compare(a.String(), b.String()) })
	return out
}

// lostOf lists what is missing of the partitions that a unit made.
func (p *Plan) lostOf(st *stageState, unit addr.Keys, values []string) []addr.Partition {
	o := st.def.Outputs[st.fanOut]
	w := &Work{Item: &Item{Stage: st.def.Addr, Unit: unit}, Keys: map[string]string{}}
	for _, kv := range unit.Pairs() {
		w.Keys[kv.Key] = kv.Value
	}
	d := p.datasets[o.To.Addr]
	var out []addr.Partition
	for _, v := range values {
		part, err := w.Output(o, strings.Split(v, ","))
		if err != nil {
			continue // the stage as it is now makes no such partition
		}
		keys, session, err := d.split(part.Keys)
		if err != nil {
			continue // nothing at all is left of that day, or it is no session any more
		}
		if s := d.byKeys[keys]; s == nil || s.cells[session].trace == nil {
			out = append(out, part)
		}
	}
	return out
}
