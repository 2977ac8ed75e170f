package graph

import (
	"fmt"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"dag/engine/addr"
	"dag/engine/calendar"
	"dag/engine/config"
	"dag/engine/diag"
)

// Request is what the selection flags of a command say, as typed. The flags
// combine by and; several Select combine by or.
type Request struct {
	Select  []string // -s and the bare arguments
	Exclude []string // -x
	Product string   // --product-type
	Layer   string   // --layer; "all" and "" are the same
	AnyKey  AnyKey   // --symbol: contracts or roots
	Dates   []string // --dt, --dates: each a date or a range A:B
}

// AnyKey selects by values, of which any of several keys may have one. A series
// with none of the keys is selected. A value of the first key implies those that
// are derived from it: they select a fan-out that may make the value, and datasets
// without the first key that something with it is made from.
type AnyKey struct {
	Keys   []string
	Values []string
}

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
	// "missing", …) or, with kind "reason", is stale for that reason.
	State func(kind, name string) calendar.Set
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

// Selection is a resolved Request: a Filter for each dataset and source that
// is selected at all.
type Selection struct {
	filters map[addr.Dataset]Filter
	// Everything is true when nothing was asked for: all is selected.
	Everything bool
	Request    Request
}

// Dataset returns the filter of a dataset, nil when no partition of it is
// selected.
func (s *Selection) Dataset(d addr.Dataset) Filter { return s.filters[d] }

// NeedsState tells whether a filter asks for states, so that comparing has to
// come before selecting.
func (s *Selection) NeedsState() bool {
	return slices.ContainsFunc(append(slices.Clone(s.Request.Select), s.Request.Exclude...), func(t string) bool {
		return strings.Contains(t, "state:") || strings.Contains(t, "reason:")
	})
}

// Select resolves a request. A selector that matches nothing, an unknown
// symbol form and a malformed date are errors that name the nearest matches.
func (g *Graph) Select(r Request) (*Selection, diag.List) {
	s := &Selection{filters: map[addr.Dataset]Filter{}, Request: r}
	s.Everything = len(r.Select) == 0 && len(r.Exclude) == 0 && r.Product == "" && (r.Layer == "" || r.Layer == "all") && len(r.AnyKey.Values) == 0 && len(r.Dates) == 0
	var list diag.List
	selected, l := g.union(r.Select, all)
	list = append(list, l...)
	excluded, l := g.union(r.Exclude, none)
	list = append(list, l...)
	words, l := g.words(r)
	list = append(list, l...)
	if list.HasErrors() {
		return nil, list
	}
	for _, d := range g.Config.Datasets {
		if r.Product != "" && d.Addr.Product != r.Product || r.Layer != "" && r.Layer != "all" && d.Addr.Layer != r.Layer {
			continue
		}
		if f := selected(d); f != nil {
			f = both(both(f, words), g.anyKey(d, r.AnyKey))
			if x := excluded(d); x != nil {
				f = both(f, negate(x))
			}
			s.filters[d.Addr] = f
		}
	}
	if len(s.filters) == 0 {
		return nil, diag.List{{Code: "empty_selection", Summary: "the selection matches no dataset", Hint: "`dag ls` lists what there is"}}
	}
	return s, list
}

// union resolves several selectors; with none of them, every dataset gets otherwise.
func (g *Graph) union(texts []string, otherwise Filter) (func(*config.Dataset) Filter, diag.List) {
	var list diag.List
	var exprs orExpr
	for _, text := range texts {
		e, err := parseSelector(text)
		if err != nil {
			list = append(list, diag.Diagnostic{Code: "bad_selector", Summary: err.Error()})
			continue
		}
		exprs = append(exprs, e)
	}
	if len(texts) == 0 {
		return func(*config.Dataset) Filter { return otherwise }, nil
	}
	filters, l := g.eval(exprs)
	return func(d *config.Dataset) Filter { return filters[d.Addr] }, append(list, l...)
}

// eval turns an expression into filters by dataset; a dataset that is missing
// is not selected.
func (g *Graph) eval(e expr) (map[addr.Dataset]Filter, diag.List) {
	out := map[addr.Dataset]Filter{}
	var list diag.List
	switch e := e.(type) {
	case orExpr:
		for _, sub := range e {
			f, l := g.eval(sub)
			list = append(list, l...)
			for d, f := range f {
				if old := out[d]; old != nil {
					f = either(old, f)
				}
				out[d] = f
			}
		}
	case andExpr:
		for i, sub := range e {
			f, l := g.eval(sub)
			list = append(list, l...)
			if i == 0 {
				out = f
				continue
			}
			for d, old := range out {
				if delete(out, d); f[d] != nil {
					out[d] = both(old, f[d])
				}
			}
		}
	case notExpr:
		f, l := g.eval(e.of)
		list = l
		for _, d := range g.Config.Datasets {
			if out[d.Addr] = all; f[d.Addr] != nil {
				out[d.Addr] = negate(f[d.Addr])
			}
		}
	case *term:
		return g.evalTerm(e)
	}
	return out, list
}

// evalTerm finds the datasets a term names and carries its slice along to the
// ancestors and descendants it asks for.
func (g *Graph) evalTerm(t *term) (map[addr.Dataset]Filter, diag.List) {
	conds, list := g.compile(t)
	if list.HasErrors() {
		return nil, list
	}
	var named []*config.Dataset
	for _, d := range g.Config.Datasets {
		if t.names(d, g.producer[d.Addr]) {
			named = append(named, d)
		}
	}
	if len(named) == 0 {
		return nil, diag.List{g.unmatched(t)}
	}
	out := map[addr.Dataset]Filter{}
	add := func(d addr.Dataset, f Filter) {
		if old := out[d]; old != nil {
			f = either(old, f)
		}
		out[d] = f
	}
	for _, d := range named {
		for _, up := range []bool{true, false} {
			n := t.down
			if up {
				n = t.up
			}
			for reached, shift := range g.carry(d, n, up) {
				add(reached, conds.filter(g, shift))
			}
		}
	}
	return out, nil
}

// names tells whether the term means the dataset, by its own address or by the
// stage that writes it.
func (t *term) names(d *config.Dataset, producer *config.Stage) bool {
	switch t.kind {
	case "state", "reason":
		return !d.Source
	case "tag":
		return slices.Contains(d.Tags, t.pattern) || producer != nil && slices.Contains(producer.Tags, t.pattern)
	}
	if glob(t.pattern, d.Addr.String()) {
		return true
	}
	return producer != nil && (producer.Addr.String() == t.pattern || glob(t.pattern, producer.Addr.Name))
}

func glob(pattern, name string) bool {
	ok, err := doublestar.Match(pattern, name)
	return ok && err == nil
}

// unmatched is the error of a term that names nothing.
func (g *Graph) unmatched(t *term) diag.Diagnostic {
	var known []string
	for _, d := range g.Config.Datasets {
		known = append(known, d.Addr.String(), d.Addr.Table)
	}
	for _, s := range g.Stages {
		known = append(known, s.Addr.String(), s.Addr.Name)
	}
	d := diag.Diagnostic{Code: "empty_selection", Summary: fmt.Sprintf("%q matches no dataset and no stage", t.text), Hint: "`dag ls` and `dag graph` show what there is"}
	if near := diag.Nearest(t.pattern, known); near != "" {
		d.Hint = fmt.Sprintf("did you mean %q?", near)
	} else if inner := containing(t.pattern, known); len(inner) > 0 {
		d.Hint = "near to it: " + strings.Join(inner, ", ")
	}
	return d
}

// containing returns up to four known names that hold the letters of pattern.
func containing(pattern string, known []string) []string {
	word := strings.Trim(pattern, "*?.")
	var out []string
	for _, k := range known {
		if word != "" && strings.Contains(k, word) && len(out) < 4 && strings.Count(k, ".") == 2 {
			out = append(out, k)
		}
	}
	return out
}
