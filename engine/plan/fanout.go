package plan

import (
	"slices"
	"strings"

	"dag/engine/calendar"
	"dag/engine/graph"
	"dag/engine/manifest"
)

// recallFanOut marks the partitions that a fan-out stage made before: from its
// record, or else from what lies in the lake.
func (p *Plan) recallFanOut(u *unitSeries, sessions calendar.Set) {
	o := u.stage.def.Outputs[u.stage.fanOut]
	sessions.Each(func(i int) {
		values, known := u.stage.fanOuts[u.unitKeys(i)]
		if !known {
			if values, known = p.fanOutFromLake(u, i); known {
				u.stage.fanOuts[u.unitKeys(i)] = values
			}
		}
		if known {
			p.setFanOut(u, o, i, values)
		}
	})
}

// setFanOut notes that the unit of a session makes the values; it returns the
// series that it was not known to make.
func (p *Plan) setFanOut(u *unitSeries, o graph.Output, session int, values []string) []*series {
	before := u.fan[session]
	fan := []*series{}
	var added []*series
	for _, v := range values {
		s := p.outputSeries(u, o, strings.Split(v, ","))
		s.present = s.present.Union(calendar.Span(session, session+1))
		if fan = append(fan, s); !slices.Contains(before, s) {
			added = append(added, s)
		}
	}
	u.fan[session] = fan
	return added
}

// fanOutFromLake recovers a lost record from what lies in the lake: of the
// unit's own partitions each names its siblings, and the newest is right; those
// of another tool stand for themselves.
func (p *Plan) fanOutFromLake(u *unitSeries, session int) ([]string, bool) {
	o := u.stage.def.Outputs[u.stage.fanOut]
	var newest *manifest.Manifest
	var foreign []string
	for _, s := range p.datasets[o.To.Addr].series {
		c := s.cells[session]
		if c.trace == nil || !c.trace.State.HasData() || !u.owns(s) {
			continue
		}
		if c.trace.State == manifest.Unverified {
			foreign = append(foreign, fanOutValue(o, s))
			continue
		}
		m, err := p.lake.Manifest(s.partition(session))
		if err == nil && m.Stage == u.stage.def.Addr.String() && (newest == nil || m.Run.StartedAt > newest.Run.StartedAt) {
			newest = m
		}
	}
	if newest != nil {
		return newest.FanOut, true
	}
	return foreign, len(foreign) > 0
}

// owns tells whether a series goes with the unit's own key values.
func (u *unitSeries) owns(s *series) bool {
	_, ok := merge(u.values, s.values)
	return ok
}

// fanOutValue is the value of a series among those of a fan-out.
func fanOutValue(o graph.Output, s *series) string {
	parts := make([]string, len(o.FanOut))
	for i, k := range o.FanOut {
		parts[i] = s.values[k]
	}
	return strings.Join(parts, ",")
}
