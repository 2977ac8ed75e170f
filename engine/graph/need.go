package graph

import (
	"slices"

	"dag/engine/addr"
	"dag/engine/calendar"
)

// Needed says what of a dataset has to be known to decide about what is
// selected: that itself, what it is made together with and, any number of
// steps away, what it is made from. It may ask for more than that and never for
// less. It asks for no states and no known values, so that it can be used before
// the lake is read. nil: nothing of the dataset is needed.
func (s *Selection) Needed(d addr.Dataset) Filter {
	if s.needed == nil {
		return all
	}
	return s.needed[d]
}

// need finds what is needed for the selected datasets. of is what the selectors
// say; exact tells that it can be carried along the ways between datasets.
func (g *Graph) need(s *Selection, of chosen, dates []days, exact bool) map[addr.Dataset]Filter {
	from := map[addr.Dataset]bool{}
	for d := range s.filters {
		from[d] = true
	}
	for _, o := range s.origins {
		from[o.dataset.Addr] = true
	}
	if len(s.origins) > 0 {
		exact = false
	}
	out := map[addr.Dataset]Filter{}
	for d := range from {
		for to, w := range g.reached(d, -1, g.madeWith) {
			f := Filter(all)
			if exact {
				f = both(g.onDates(dates, w), g.anyKeyAlong(s.Request.AnyKey, w))
				if c, ok := of[d]; ok {
					f = both(stateless(c.filter(w)), f)
				}
			}
			if old, ok := out[to]; ok {
				f = either(old, f)
			}
			out[to] = f
		}
	}
	return out
}

// stateless asks a filter as if everything were in every state.
func stateless(f Filter) Filter {
	return func(e Env) calendar.Set {
		e.State = func(_, _ string) calendar.Set { return e.Full }
		return f(e)
	}
}

// anyKeyAlong is what an AnyKey needs of a dataset that lies a way from one
// that it selects of.
func (g *Graph) anyKeyAlong(a AnyKey, w way) Filter {
	if len(a.Values) == 0 {
		return all
	}
	return func(e Env) calendar.Set {
		compared := false
		for _, key := range a.Keys {
			v, ok := e.Value(key)
			if !ok || w.loose[key] {
				continue
			}
			compared = true
			if slices.ContainsFunc(a.Values, func(want string) bool { return v == want || v == g.derives(a.Keys[0], want, key) }) {
				return e.Full
			}
		}
		if compared {
			return nil
		}
		return e.Full
	}
}

// madeWith returns the datasets that say whether a partition is fresh: those its
// unit reads, and those the unit makes beside it.
func (g *Graph) madeWith(d addr.Dataset) map[addr.Dataset]way {
	out := g.neighbours(d, true)
	p := g.producer[d]
	if p == nil {
		return out
	}
	w := way{loose: map[string]bool{}}
	for _, o := range p.Outputs {
		for _, key := range o.FanOut {
			g.loosen(w.loose, key)
		}
	}
	for _, o := range p.Outputs {
		if o.To.Addr != d || len(w.loose) > 0 {
			out[o.To.Addr] = w
		}
	}
	return out
}

// loosen takes a key, and what it is derived from, out of what is compared.
func (g *Graph) loosen(loose map[string]bool, key string) {
	loose[key] = true
	if k := g.key(key); k != nil && k.DeriveFrom != "" {
		loose[k.DeriveFrom] = true
	}
}
