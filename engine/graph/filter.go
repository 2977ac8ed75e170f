package graph

import (
	"fmt"
	"strings"

	"dag/engine/addr"
	"dag/engine/calendar"
	"dag/engine/config"
	"dag/engine/diag"
)

// shift says how far the dates of a related dataset may lie from those of the
// dataset a slice was written for.
type shift struct {
	lo, hi int
	any    bool // a collect over dates stands between
}

func (s shift) union(o shift) shift {
	return shift{min(s.lo, o.lo), max(s.hi, o.hi), s.any || o.any}
}

// carry walks at most n steps (n < 0: any) from a dataset, up to what it is
// made from or down to what is made from it, and returns every dataset it
// meets, the first included, with the shift of dates on the way.
func (g *Graph) carry(d *config.Dataset, n int, up bool) map[addr.Dataset]shift {
	reached := map[addr.Dataset]shift{d.Addr: {}}
	for level := []addr.Dataset{d.Addr}; len(level) > 0 && n != 0; n-- {
		var further []addr.Dataset
		for _, at := range level {
			for next, step := range g.neighbours(at, up) {
				s := shift{reached[at].lo + step.lo, reached[at].hi + step.hi, reached[at].any || step.any}
				old, seen := reached[next]
				if seen {
					s = old.union(s)
				}
				if reached[next] = s; !seen || s != old {
					further = append(further, next)
				}
			}
		}
		level = further
	}
	return reached
}

// neighbours returns the datasets one stage away, with their shift of dates.
func (g *Graph) neighbours(d addr.Dataset, up bool) map[addr.Dataset]shift {
	out := map[addr.Dataset]shift{}
	add := func(other addr.Dataset, s shift) {
		if old, ok := out[other]; ok {
			s = s.union(old)
		}
		out[other] = s
	}
	if up {
		if p := g.producer[d]; p != nil {
			for _, in := range p.Inputs {
				add(in.From.Addr, inputShift(in))
			}
		}
		return out
	}
	for _, c := range g.consumers[d] {
		for _, in := range c.Inputs {
			if in.From.Addr != d {
				continue
			}
			s := inputShift(in)
			for _, o := range c.Outputs {
				add(o.To.Addr, shift{-s.hi, -s.lo, s.any})
			}
		}
	}
	return out
}

func inputShift(in config.Input) shift {
	var s shift
	if in.Window != nil && in.Window.Dates {
		s.lo, s.hi = in.Window.Lo, in.Window.Hi
	}
	for _, c := range in.Collect {
		if k := in.From.DateKey(); k != nil && k.Name == c {
			s.any = true
		}
	}
	return s
}

// compiled is a term's conditions with its dates parsed.
type compiled struct {
	kind, word string
	keys       []condition
	dates      []days
}

// compile checks a term's conditions against the declared keys.
func (g *Graph) compile(t *term) (compiled, diag.List) {
	c := compiled{kind: t.kind, word: t.pattern}
	var list diag.List
	for _, cond := range t.slice {
		key := g.key(cond.key)
		switch {
		case key == nil:
			list = append(list, diag.Diagnostic{Code: "unknown_key", Summary: fmt.Sprintf("%q in %s is no key", cond.key, t.text), Hint: "the keys are " + strings.Join(g.keyNames(), ", ")})
		case key.Date:
			d, err := parseDays(cond.pattern)
			if err != nil {
				list = append(list, diag.Diagnostic{Code: "bad_date", Summary: fmt.Sprintf("%s: %s", t.text, err)})
			}
			c.dates = append(c.dates, d)
		default:
			c.keys = append(c.keys, cond)
		}
	}
	return c, list
}

func (g *Graph) key(name string) *config.Key {
	for _, k := range g.Config.Keys {
		if k.Name == name {
			return k
		}
	}
	return nil
}

func (g *Graph) keyNames() []string {
	var names []string
	for _, k := range g.Config.Keys {
		names = append(names, k.Name)
	}
	return names
}

// filter is the compiled term at a dataset whose dates are shifted.
func (c compiled) filter(g *Graph, s shift) Filter {
	return func(e Env) calendar.Set {
		for _, k := range c.keys {
			if !g.matchKey(e, k.key, k.pattern) {
				return nil
			}
		}
		out := e.Full
		if c.kind == "state" || c.kind == "reason" {
			out = out.Intersect(e.State(c.kind, c.word))
		}
		if e.Dated && !s.any {
			for _, d := range c.dates {
				out = out.Intersect(dayFilter(e, d, s))
			}
		}
		return out
	}
}

func dayFilter(e Env, d days, s shift) calendar.Set {
	iv := e.Sessions.Between(d.first, d.last)
	if iv.Hi <= iv.Lo {
		return nil
	}
	return calendar.Span(iv.Lo+s.lo, iv.Hi+s.hi)
}

// matchKey tells whether a series goes with key=pattern. A series without the
// key, such as the raw files of a root, goes with a contract of that root: it
// is compared by the keys that the pattern's value implies.
func (g *Graph) matchKey(e Env, key, pattern string) bool {
	if v, ok := e.Value(key); ok {
		return glob(pattern, v)
	}
	if strings.ContainsAny(pattern, "*?[{") {
		return true
	}
	for _, k := range g.Config.Keys {
		if k.DeriveFrom != key {
			continue
		}
		want, ok := k.Derive(pattern)
		if have, has := e.Value(k.Name); ok && has {
			return have == want
		}
	}
	return true
}

// words resolves the flags that are dates.
func (g *Graph) words(r Request) (Filter, diag.List) {
	var list diag.List
	filter := all
	if len(r.Dates) > 0 {
		inDates := Filter(none)
		for _, text := range r.Dates {
			d, err := parseDays(strings.Replace(text, ":", "..", 1))
			if err != nil {
				list = append(list, diag.Diagnostic{Code: "bad_date", Summary: err.Error()})
				continue
			}
			inDates = either(inDates, compiled{dates: []days{d}}.filter(g, shift{}))
		}
		filter = both(filter, inDates)
	}
	return filter, list
}

// anyKey resolves an AnyKey at a dataset.
func (g *Graph) anyKey(d *config.Dataset, a AnyKey) Filter {
	if len(a.Values) == 0 {
		return all
	}
	implied := !d.Has(a.Keys[0]) && g.feeds(d.Addr, a.Keys[0], map[addr.Dataset]bool{})
	anyOf := Filter(none)
	for _, v := range a.Values {
		anyOf = either(anyOf, g.anyKeyValue(a.Keys, v, implied))
	}
	return anyOf
}

// feeds tells whether something with a key is made from a dataset.
func (g *Graph) feeds(d addr.Dataset, key string, seen map[addr.Dataset]bool) bool {
	for _, st := range g.consumers[d] {
		for _, o := range st.Outputs {
			if seen[o.To.Addr] {
				continue
			}
			seen[o.To.Addr] = true
			if o.To.Has(key) || g.feeds(o.To.Addr, key, seen) {
				return true
			}
		}
	}
	return false
}

func (g *Graph) anyKeyValue(keys []string, value string, implied bool) Filter {
	return func(e Env) calendar.Set {
		has := false
		for _, key := range keys {
			v, ok := e.Value(key)
			if has = has || ok; ok && (v == value || implied && g.derives(keys[0], value, key) == v) {
				return e.Full
			}
		}
		if e.FanOut && has && g.matchKey(e, keys[0], value) && g.implies(keys[0], value) {
			return e.Full
		}
		if !has {
			return e.Full
		}
		return nil
	}
}

// derives is the value of a key that from=value implies; "" for none.
func (g *Graph) derives(from, value, key string) string {
	for _, k := range g.Config.Keys {
		if k.Name == key && k.DeriveFrom == from {
			if v, ok := k.Derive(value); ok {
				return v
			}
		}
	}
	return ""
}

// implies tells whether some key can be derived from key=value.
func (g *Graph) implies(key, value string) bool {
	for _, k := range g.Config.Keys {
		if k.DeriveFrom == key {
			if _, ok := k.Derive(value); ok {
				return true
			}
		}
	}
	return false
}
