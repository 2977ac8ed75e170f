package graph

import (
	"fmt"
	"slices"
	"strings"

	"dag/engine/addr"
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

func (r Request) everything() bool {
	return len(r.Select) == 0 && len(r.Exclude) == 0 && r.Product == "" && r.anyLayer() && len(r.AnyKey.Values) == 0 && len(r.Dates) == 0
}

func (r Request) anyLayer() bool { return r.Layer == "" || r.Layer == "all" }

// Selection is a resolved Request: a Filter for each dataset and source that
// is selected at all.
type Selection struct {
	filters map[addr.Dataset]Filter
	needed  map[addr.Dataset]Filter // see Needed; nil: everything
	origins []*origin
	// Everything is true when nothing was asked for: all is selected.
	Everything bool
	Request    Request
	// Wanted are the conditions of the selectors that speak of partitions.
	Wanted []Wanted
}

// KindKey is the Kind of a condition on a key; dates are none.
const KindKey = "key"

// Wanted is one condition of a selector: for saying what there is instead.
type Wanted struct {
	Kind     string // KindState, KindReason or KindKey
	Key      string // of KindKey
	Pattern  string // a state, the code of a reason, or a glob over the key's values
	Term     string // that it stands in
	Excluded bool   // by ! or -x: nothing needs to match
}

// Matches tells whether a value or a word is one that is wanted.
func (w Wanted) Matches(value string) bool { return glob(w.Pattern, value) }

// Dataset returns the filter of a dataset, nil when no partition of it is
// selected.
func (s *Selection) Dataset(d addr.Dataset) Filter { return s.filters[d] }

// NeedsState tells whether a filter asks for states, so that comparing has to
// come before selecting.
func (s *Selection) NeedsState() bool {
	return len(s.origins) > 0 || slices.ContainsFunc(s.Wanted, func(w Wanted) bool { return w.Kind != KindKey })
}

// NeedsMatch tells whether filters depend on what Match finds.
func (s *Selection) NeedsMatch() bool { return len(s.origins) > 0 }

// Restrict returns the selection without the datasets that keep refuses.
func (s *Selection) Restrict(keep func(addr.Dataset) bool) *Selection {
	out := *s
	out.filters, out.Everything = map[addr.Dataset]Filter{}, false
	for d, f := range s.filters {
		if keep(d) {
			out.filters[d] = f
		}
	}
	return &out
}

// Select resolves a request. A selector that matches nothing, a value that no
// key can have and a malformed date are errors that name the nearest matches.
func (g *Graph) Select(req Request) (*Selection, diag.List) {
	r := &resolver{g: g}
	selected := r.union(req.Select)
	exact := !r.negated
	r.not = true
	excluded := r.union(req.Exclude)
	dates, list := parseDates(req.Dates)
	if list = append(r.list, list...); list.HasErrors() {
		return nil, list
	}
	s := &Selection{filters: map[addr.Dataset]Filter{}, origins: r.origins, Everything: req.everything(), Request: req, Wanted: r.wanted}
	for _, d := range g.Config.Datasets {
		if req.Product != "" && d.Addr.Product != req.Product || !req.anyLayer() && d.Addr.Layer != req.Layer {
			continue
		}
		f := all
		if len(req.Select) > 0 {
			of, some := selected[d.Addr]
			if !some {
				continue
			}
			f = of.filter(way{})
		}
		f = both(both(f, g.onDates(dates, way{})), g.anyKey(d, req.AnyKey))
		if x, some := excluded[d.Addr]; some {
			if x.whole {
				continue
			}
			f = both(f, negate(x.filter(way{})))
		}
		s.filters[d.Addr] = f
	}
	if len(s.filters) == 0 {
		return nil, diag.List{nothingLeft(req)}
	}
	if !s.Everything {
		s.needed = g.need(s, selected, dates, exact)
	}
	return s, list
}

// nothingLeft is the error of a selection whose terms are known, and which have no
// dataset in common.
func nothingLeft(req Request) diag.Diagnostic {
	d := diag.Diagnostic{Code: "empty_selection", Summary: "the selection matches no dataset", Hint: "`dag ls` lists what there is"}
	switch text := strings.Join(req.Select, " "); {
	case len(req.Exclude) > 0:
		d.Hint = fmt.Sprintf("-x %s leaves nothing of it", strings.Join(req.Exclude, " -x "))
	case strings.Contains(text, ","):
		d.Hint = "a comma means and: a space between two names selects both"
	}
	return d
}

// union resolves several selectors.
func (r *resolver) union(texts []string) chosen {
	var or orExpr
	for _, text := range texts {
		e, err := parseSelector(text)
		if err != nil {
			r.list = append(r.list, diag.Diagnostic{Code: "bad_selector", Summary: err.Error()})
			continue
		}
		or = append(or, e)
	}
	return r.eval(or)
}
