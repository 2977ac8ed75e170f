package graph

import (
	"maps"
	"slices"

	"dag/engine/addr"
	"dag/engine/calendar"
	"dag/engine/config"
)

// way says what of a slice holds at a dataset that was reached from the one the
// slice was written for.
type way struct {
	// lo and hi are how far the dates may lie from those of the slice.
	lo, hi int
	// anyDate is set where dates say nothing: something without them stands between.
	anyDate bool
	// loose are the keys whose values say nothing: a collect or a window over
	// them stands between. Never changed in place.
	loose map[string]bool
}

// then is a way followed by another.
func (w way) then(o way) way {
	return way{w.lo + o.lo, w.hi + o.hi, w.anyDate || o.anyDate, union(w.loose, o.loose)}
}

// or allows what either way allows.
func (w way) or(o way) way {
	return way{min(w.lo, o.lo), max(w.hi, o.hi), w.anyDate || o.anyDate, union(w.loose, o.loose)}
}

func (w way) equal(o way) bool {
	return w.lo == o.lo && w.hi == o.hi && w.anyDate == o.anyDate && maps.Equal(w.loose, o.loose)
}

// back is the way in the other direction.
func (w way) back() way { return way{-w.hi, -w.lo, w.anyDate, w.loose} }

// days moves sessions along the way.
func (w way) days(s calendar.Set) calendar.Set { return s.Window(-w.hi, -w.lo) }

func union(a, b map[string]bool) map[string]bool {
	if len(b) == 0 {
		return a
	}
	out := maps.Clone(b)
	for k := range a {
		out[k] = true
	}
	return out
}

// carry walks at most n steps (n < 0: any) from a dataset, up to what it is
// made from or down to what is made from it, and returns every dataset it
// meets, the first included, with the way to it.
func (g *Graph) carry(d addr.Dataset, n int, up bool) map[addr.Dataset]way {
	return g.reached(d, n, func(at addr.Dataset) map[addr.Dataset]way { return g.neighbours(at, up) })
}

// MadeFrom moves sessions of a dataset to those of an ancestor that they may be
// made from. Where dates say nothing about that, they stay as they are.
func (g *Graph) MadeFrom(d, ancestor addr.Dataset, days calendar.Set) calendar.Set {
	w, ok := g.carry(d, -1, true)[ancestor]
	switch {
	case !ok:
		return nil
	case w.anyDate:
		return days
	}
	return w.days(days)
}

// Apart tells how many sessions, lo to hi, an ancestor's partitions may lie from those
// that are made from them; false where dates say nothing about that.
func (g *Graph) Apart(d, ancestor addr.Dataset) (lo, hi int, ok bool) {
	w, ok := g.carry(d, -1, true)[ancestor]
	return w.lo, w.hi, ok && !w.anyDate
}

// reached is carry along any kind of step.
func (g *Graph) reached(d addr.Dataset, n int, steps func(addr.Dataset) map[addr.Dataset]way) map[addr.Dataset]way {
	reached := map[addr.Dataset]way{d: {}}
	for level := []addr.Dataset{d}; len(level) > 0 && n != 0; n-- {
		var further []addr.Dataset
		for _, at := range level {
			for next, step := range steps(at) {
				w := reached[at].then(step)
				old, seen := reached[next]
				if seen {
					w = old.or(w)
				}
				if reached[next] = w; (!seen || !w.equal(old)) && !slices.Contains(further, next) {
					further = append(further, next)
				}
			}
		}
		level = further
	}
	return reached
}

// neighbours returns the datasets one stage away, with the way to them.
func (g *Graph) neighbours(d addr.Dataset, up bool) map[addr.Dataset]way {
	out := map[addr.Dataset]way{}
	add := func(other addr.Dataset, w way) {
		if old, ok := out[other]; ok {
			w = w.or(old)
		}
		out[other] = w
	}
	if up {
		if p := g.producer[d]; p != nil {
			for _, in := range p.Inputs {
				add(in.From.Addr, g.inputWay(p, in))
			}
		}
		return out
	}
	for _, c := range g.consumers[d] {
		for _, in := range c.Inputs {
			if in.From.Addr != d {
				continue
			}
			for _, o := range c.Outputs {
				add(o.To.Addr, g.inputWay(c, in).back())
			}
		}
	}
	return out
}

// inputWay is the way from a stage's units to what they read through an input.
func (g *Graph) inputWay(s *config.Stage, in config.Input) way {
	w := way{loose: map[string]bool{}}
	for _, c := range in.Collect {
		g.loosen(w.loose, c)
	}
	switch {
	case in.Window == nil:
	case in.Window.Dates:
		w.lo, w.hi = in.Window.Lo, in.Window.Hi
	default:
		g.loosen(w.loose, in.Window.Key)
	}
	date := in.From.DateKey()
	w.anyDate = date == nil || w.loose[date.Name] || !slices.ContainsFunc(s.UnitKeys(), func(k *config.Key) bool { return k.Name == date.Name })
	return w
}
