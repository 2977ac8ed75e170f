package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"dag/engine/calendar"
	"dag/engine/graph"
	"dag/engine/manifest"
)

// recallFanOut marks the partitions that units of a fan-out stage are known to
// make.
func (p *Plan) recallFanOut(u *unitSeries, sessions calendar.Set) {
	sessions.Each(func(i int) {
		if values, known := p.fanOutOf(u, i); known {
			p.setFanOut(u, i, values)
		}
	})
}

// fanOutOf returns the values of a unit's fan-out that the stage as it is now can
// make: from its record, or else from what lies in the lake. What the unit makes
// is not known where nothing tells, or where one of the values does not fit.
func (p *Plan) fanOutOf(u *unitSeries, session int) (values []string, known bool) {
	unit := u.unitKeys(session)
	r, known := u.stage.fanOuts[unit]
	if len(r.Values) == 0 && r.Made == nil { // lost, or of before Made was recorded
		if r.Values, known = p.fanOutFromLake(u, session); known {
			u.stage.fanOuts[unit] = r
		}
	}
	strange := func(v string) bool { return p.fanOutSeries(u, v) == nil }
	if !slices.ContainsFunc(r.Values, strange) {
		return r.Values, known
	}
	return slices.DeleteFunc(slices.Clone(r.Values), strange), false
}

// fanOutSeries returns the series of a fan-out's value as it is recorded; nil if
// the unit cannot make it.
func (p *Plan) fanOutSeries(u *unitSeries, value string) *series {
	s, ok := u.byValue[value]
	if ok {
		return s
	}
	o, values := u.stage.def.Outputs[u.stage.fanOut], strings.Split(value, ",")
	if checkFanOut(o, u.values, values) == nil {
		s = p.outputSeries(u, o, values)
	}
	if u.byValue == nil {
		u.byValue = map[string]*series{}
	}
	u.byValue[value] = s
	return s
}

// checkFanOut holds values of an output's fan_out keys, which come from data or
// from a record, to what a unit can make: they can never leave their place in the
// lake, and no partition is made by two units.
func checkFanOut(o graph.Output, unit map[string]string, values []string) error {
	if len(values) != len(o.FanOut) {
		return fmt.Errorf("port %q takes %d fan-out values, not %d", o.Port, len(o.FanOut), len(values))
	}
	if len(values) == 0 {
		return nil
	}
	own := maps.Clone(unit)
	for i, name := range o.FanOut {
		if err := o.To.Key(name).Check(values[i]); err != nil {
			return err
		}
		own[name] = values[i]
	}
	all := o.To.Values(own)
	for _, k := range o.To.Derived {
		if has, ok := unit[k.Name]; ok && all[k.Name] != has {
			return fmt.Errorf("%s %s has %s %s, but this unit makes what has %s %s; the transform must leave it out, or its rows belong in a file of %s %s",
				k.DeriveFrom, all[k.DeriveFrom], k.Name, all[k.Name], k.Name, has, k.Name, all[k.Name])
		}
	}
	return nil
}

// setFanOut notes that the unit of a session makes the values; it returns the
// series that it was not known to make.
func (p *Plan) setFanOut(u *unitSeries, session int, values []string) []*series {
	before := u.fan[session]
	fan := []*series{}
	var added []*series
	for _, v := range values {
		s := p.fanOutSeries(u, v)
		if s == nil {
			continue
		}
		s.present = s.present.Union(calendar.Span(session, session+1))
		if fan = append(fan, s); !slices.Contains(before, s) {
			added = append(added, s)
		}
	}
	u.fan[session] = fan
	return added
}

// fanOutFromLake recovers a lost record from what lies in the lake: of the
// unit's own partitions the newest names its siblings, and those of which it did
// not know are the unit's as well; those of another tool stand for themselves
// where there are no others.
func (p *Plan) fanOutFromLake(u *unitSeries, session int) ([]string, bool) {
	o, unit := u.stage.def.Outputs[u.stage.fanOut], u.unitKeys(session)
	var newest *manifest.Manifest
	var own, foreign []string
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
		if err != nil || m.Stage != u.stage.def.Addr.String() || m.Unit != unit {
			continue
		}
		if own = append(own, fanOutValue(o, s)); newest == nil || m.Run.StartedAt > newest.Run.StartedAt {
			newest = m
		}
	}
	if newest == nil {
		return foreign, len(foreign) > 0
	}
	own = append(own, newest.FanOut...)
	slices.Sort(own)
	return slices.Compact(own), true
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
