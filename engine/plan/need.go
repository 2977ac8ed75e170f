package plan

import (
	"dag/engine/addr"
	"dag/engine/calendar"
	"dag/engine/graph"
	"dag/engine/manifest"
)

// needs says which partitions a plan looks at: those it is asked about and all
// that decide about them. Others may be listed, by the names of their series, but
// nothing is known of them, and they have no units.
type needs struct {
	of *graph.Selection
	// wide numbers sessions before those of the lake are known.
	wide map[*calendar.Calendar]*calendar.Sessions
}

// The days that wide numbers reach over; a day outside is always looked at.
var firstWide, lastWide = yearStart(1970), yearStart(2100)

func yearStart(year int) calendar.Day { return calendar.Day((year-1970)*365 + (year-1969)/4) }

func newNeeds(r Request) *needs {
	n := &needs{of: r.Selection, wide: map[*calendar.Calendar]*calendar.Sessions{}}
	if r.Within != nil {
		n.of = r.Within
	}
	return n
}

// want is what is needed of a table.
func (n *needs) want(p *Plan, def *graph.Dataset) manifest.Want {
	if n.of.Everything {
		return nil
	}
	f := n.of.Needed(def.Addr)
	if f == nil {
		return func(addr.Keys) func(calendar.Day) bool { return nil }
	}
	var wide *calendar.Sessions
	if k := def.DateKey(); k != nil {
		if wide = n.wide[k.Calendar]; wide == nil {
			wide = k.Calendar.Sessions(firstWide, lastWide)
			n.wide[k.Calendar] = wide
		}
	}
	return func(keys addr.Keys) func(calendar.Day) bool {
		e := plainEnv(valuesOf(def, keys), wide)
		days := f(e)
		if len(days) == 0 {
			return nil
		}
		all := days.Len() == e.Full.Len()
		return func(d calendar.Day) bool {
			if all || wide == nil {
				return true
			}
			i, ok := wide.Index(d)
			return !ok || days.Has(i)
		}
	}
}

// units returns the sessions of a unit series that are needed.
func (n *needs) units(u *unitSeries) calendar.Set {
	if n.of.Everything {
		return calendar.Span(0, u.stage.width())
	}
	var out calendar.Set
	for i, o := range u.stage.def.Outputs {
		f := n.of.Needed(o.To.Addr)
		if f == nil {
			continue
		}
		values := u.values // of a fan-out, whose values may not be known
		if s := u.outputs[i]; s != nil {
			values = s.values
		}
		out = out.Union(f(plainEnv(values, u.stage.sessions)))
	}
	return out
}

// plainEnv is what a filter of Selection.Needed is asked with.
func plainEnv(values map[string]string, sessions *calendar.Sessions) graph.Env {
	e := graph.Env{
		Value:    func(key string) (string, bool) { v, ok := values[key]; return v, ok },
		Sessions: sessions, Full: calendar.Span(0, 1), Dated: sessions != nil,
	}
	if sessions != nil {
		e.Full = calendar.Span(0, sessions.Len())
	}
	return e
}

// valuesOf are the values of a series' own and derived keys, without the date.
func valuesOf(def *graph.Dataset, keys addr.Keys) map[string]string {
	values := map[string]string{}
	for _, kv := range keys.Pairs() {
		values[kv.Key] = kv.Value
	}
	for _, k := range def.Derived {
		if v, ok := k.Derive(values[k.DeriveFrom]); ok {
			values[k.Name] = v
		}
	}
	return values
}
