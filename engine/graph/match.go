package graph

import (
	"strings"

	"dag/engine/addr"
	"dag/engine/calendar"
	"dag/engine/config"
)

// origin is a filter over a dataset whose relatives are those of the partitions
// that match it, and so are known only when the lake is.
type origin struct {
	dataset   *config.Dataset
	filter    Filter
	relatives []*relative
}

// relative is a dataset that lies a way from an origin.
type relative struct {
	origin *origin
	way    way
	keys   []string // that both have, and whose values have to agree
}

// relative adds a dataset, and returns its filter.
func (o *origin) relative(to *config.Dataset, w way) along {
	rel := &relative{origin: o, way: w}
	for _, keys := range [][]*config.Key{o.dataset.Keys, o.dataset.Derived} {
		for _, k := range keys {
			if !k.Date && to.Has(k.Name) && !w.loose[k.Name] {
				rel.keys = append(rel.keys, k.Name)
			}
		}
	}
	o.relatives = append(o.relatives, rel)
	return func(way) Filter { return func(e Env) calendar.Set { return e.Matches.of(rel, e) } }
}

// Matches are the partitions that match the conditions whose relatives are
// selected. They stay as they were found, while what is selected is made.
type Matches struct {
	found map[*origin][]match
	index map[*relative]*matchIndex
}

// matchIndex finds matches by the values of a relative's keys.
type matchIndex struct {
	byValues map[string]calendar.Set // of those that have all keys
	rest     []match
}

// match is a series with the sessions that match.
type match struct {
	value    func(key string) (string, bool)
	sessions *calendar.Sessions
	days     calendar.Set
	dated    bool
}

// Match finds the partitions that a selection starts from where it asks for their
// relatives too. each calls its function for every series of a dataset; Full are
// then the sessions whose partition exists or is to be made.
func (s *Selection) Match(each func(addr.Dataset, func(Env))) *Matches {
	m := &Matches{map[*origin][]match{}, map[*relative]*matchIndex{}}
	for _, o := range s.origins { // inner ones first
		each(o.dataset.Addr, func(e Env) {
			e.Matches = m
			if days := o.filter(e).Intersect(e.Full); len(days) > 0 {
				m.found[o] = append(m.found[o], match{e.Value, e.Sessions, days, e.Dated})
			}
		})
		for _, rel := range o.relatives {
			m.index[rel] = rel.index(m.found[o])
		}
	}
	return m
}

func (r *relative) index(found []match) *matchIndex {
	x := &matchIndex{byValues: map[string]calendar.Set{}}
	for _, f := range found {
		if id, ok := r.id(f.value); ok {
			x.byValues[id] = x.byValues[id].Union(f.days)
		} else {
			x.rest = append(x.rest, f)
		}
	}
	return x
}

// id is the values of the keys that have to agree; false if one is not there.
func (r *relative) id(value func(string) (string, bool)) (string, bool) {
	var b strings.Builder
	for _, k := range r.keys {
		v, ok := value(k)
		if !ok {
			return "", false
		}
		b.WriteString(v)
		b.WriteByte(0)
	}
	return b.String(), true
}

// of returns the sessions of a series that are relatives of a match.
func (m *Matches) of(r *relative, e Env) calendar.Set {
	if m == nil || m.index[r] == nil {
		return nil
	}
	var out calendar.Set
	found, x := m.found[r.origin], m.index[r]
	if id, whole := r.id(e.Value); whole {
		if days := x.byValues[id]; len(days) > 0 {
			out = r.days(found[0], days, e)
		}
		found = x.rest
	}
	for _, f := range found {
		if r.agree(f.value, e.Value) {
			out = out.Union(r.days(f, f.days, e))
		}
	}
	return out.Intersect(e.Full)
}

// agree compares the keys that both sides have.
func (r *relative) agree(a, b func(string) (string, bool)) bool {
	for _, k := range r.keys {
		v, ok := a(k)
		if w, also := b(k); ok && also && v != w {
			return false
		}
	}
	return true
}

// days moves the sessions of matches along the way to a series.
func (r *relative) days(of match, days calendar.Set, e Env) calendar.Set {
	if !e.Dated || !of.dated || r.way.anyDate {
		return e.Full
	}
	if of.sessions != e.Sessions {
		var there calendar.Set
		for _, iv := range days {
			to := e.Sessions.Between(of.sessions.Day(iv.Lo), of.sessions.Day(iv.Hi-1))
			there = there.Union(calendar.Span(to.Lo, to.Hi))
		}
		days = there
	}
	return r.way.days(days)
}
