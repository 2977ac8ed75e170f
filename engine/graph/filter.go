package graph

import (
	"fmt"
	"strings"

	"dag/engine/calendar"
	"dag/engine/config"
	"dag/engine/diag"
)

// Env is what a Filter needs to know of one series of partitions.
type Env struct {
	// Value returns the series' value of a key, own or derived, except the date.
	Value    func(key string) (string, bool)
	Sessions *calendar.Sessions
	Full     calendar.Set // every session there is; [0,1) in a dataset without dates
	Dated    bool
	// FanOut is set for a unit that stands for every value its fan-out may make.
	FanOut bool
	// State returns the sessions whose partition is in a state ("stale",
	// "missing", …) or, with KindReason, is not fresh for that reason.
	State func(kind, name string) calendar.Set
	// Known are the values in the lake; nil: nothing is known of them.
	Known *Known
	// Matches are what Selection.Match found; nil before.
	Matches *Matches
}

// Filter tells which sessions of a series are selected.
type Filter func(Env) calendar.Set

func none(Env) calendar.Set     { return nil }
func all(e Env) calendar.Set    { return e.Full }
func both(a, b Filter) Filter   { return func(e Env) calendar.Set { return a(e).Intersect(b(e)) } }
func either(a, b Filter) Filter { return func(e Env) calendar.Set { return a(e).Union(b(e)) } }
func negate(a Filter) Filter {
	return func(e Env) calendar.Set { return e.Full.Subtract(a(e)) }
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
			list = append(list, diag.Diagnostic{Code: "unknown_key", Summary: fmt.Sprintf("%q in %s is no key", cond.key, t.text), Hint: g.keyHint(cond.key)})
		case key.Date:
			d, err := parseDays(cond.pattern)
			if err != nil {
				list = append(list, diag.Diagnostic{Code: "bad_date", Summary: fmt.Sprintf("%s: %s", t.text, err)})
			}
			c.dates = append(c.dates, d)
		default:
			if err := checkPattern(key, cond.pattern); err != nil {
				list = append(list, diag.Diagnostic{Code: "bad_value", Summary: fmt.Sprintf("%s: %s", t.text, err)})
			}
			c.keys = append(c.keys, cond)
		}
	}
	return c, list
}

// checkPattern says why no value of a key can match.
func checkPattern(key *config.Key, pattern string) error {
	if isGlob(pattern) {
		if !validGlob(pattern) {
			return fmt.Errorf("%q is no pattern; * stands for any letters, ? for one, [ab] for one of them, {x,y} for either", pattern)
		}
		return nil
	}
	return key.Check(pattern)
}

func (g *Graph) key(name string) *config.Key {
	for _, k := range g.Config.Keys {
		if k.Name == name {
			return k
		}
	}
	return nil
}

func (g *Graph) keyHint(name string) string {
	var names []string
	for _, k := range g.Config.Keys {
		names = append(names, k.Name)
	}
	if near := diag.Nearest(name, names); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return "the keys are " + strings.Join(names, ", ")
}

// filter is the compiled term at a dataset that lies a way from it.
func (c compiled) filter(g *Graph, w way) Filter {
	return func(e Env) calendar.Set {
		for _, k := range c.keys {
			if !g.matchKey(e, k.key, k.pattern, w.loose) {
				return nil
			}
		}
		out := e.Full
		if c.kind == KindState || c.kind == KindReason {
			out = out.Intersect(e.State(c.kind, c.word))
		}
		if e.Dated && !w.anyDate {
			for _, d := range c.dates {
				out = out.Intersect(w.days(d.sessions(e.Sessions)))
			}
		}
		return out
	}
}

// matchKey tells whether a series goes with key=pattern. A series without the
// key, such as the raw files of a root, goes with a contract of that root: it
// is compared by the keys that the pattern's value implies. Loose keys are not
// compared.
func (g *Graph) matchKey(e Env, key, pattern string, loose map[string]bool) bool {
	if v, ok := e.Value(key); ok && !loose[key] {
		return glob(pattern, v)
	}
	for _, k := range g.Config.Keys {
		have, has := e.Value(k.Name)
		if k.DeriveFrom != key || !has || loose[k.Name] {
			continue
		}
		if isGlob(pattern) {
			if !e.Known.goes(k, pattern, have) {
				return false
			}
		} else if want, ok := k.Derive(pattern); !ok || want != have {
			return false
		}
	}
	return true
}

// parseDates reads the flags that are dates.
func parseDates(texts []string) ([]days, diag.List) {
	var out []days
	var list diag.List
	for _, text := range texts {
		d, err := parseDays(strings.Replace(text, ":", "..", 1))
		if err != nil {
			list = append(list, diag.Diagnostic{Code: "bad_date", Summary: err.Error()})
			continue
		}
		out = append(out, d)
	}
	return out, list
}

// onDates is a filter by any of several dates, a way from what they were written
// for; without any it lets everything through.
func (g *Graph) onDates(dates []days, w way) Filter {
	if len(dates) == 0 {
		return all
	}
	in := Filter(none)
	for _, d := range dates {
		in = either(in, compiled{dates: []days{d}}.filter(g, w))
	}
	return in
}
