package plan

import (
	"fmt"
	"slices"
	"strings"

	"dag/engine/diag"
	"dag/engine/graph"
)

// checkSelected reports a selection that means no partition at all, and one that
// asks for a value that nothing has.
func (p *Plan) checkSelected() error {
	sel := p.Request.Selection
	if sel.Everything {
		return nil
	}
	unknown := p.anyUnknown()
	if d := p.unknownValue(); d != nil && !unknown {
		return diag.List{*d}.Err()
	}
	if len(p.unknownBelow()) > 0 || p.selectsAny() {
		return nil
	}
	return diag.List{p.nothingSelected()}.Err()
}

// anyUnknown tells whether a fan-out has still to tell its values.
func (p *Plan) anyUnknown() bool {
	for _, st := range p.stages {
		if st.fanOut >= 0 && slices.ContainsFunc(st.series, func(u *unitSeries) bool { return len(u.unknownDays()) > 0 }) {
			return true
		}
	}
	return false
}

func (p *Plan) selectsAny() bool {
	r := p.Request.Selection.Request
	for _, st := range p.stages {
		if st.dateKey == nil && len(r.Dates) > 0 {
			continue // dates say nothing about it
		}
		for _, u := range st.series {
			if slices.ContainsFunc(u.status, func(s status) bool { return s.selected }) || len(p.chosen(u).Intersect(u.days)) > 0 {
				return true
			}
		}
	}
	for _, d := range p.datasets {
		if d.sessions == nil && len(r.Dates) > 0 || d.def.Source && len(r.AnyKey.Values) > 0 {
			continue
		}
		if f := p.Request.Selection.Dataset(d.def.Addr); f != nil {
			for _, s := range d.series {
				if len(p.chosenOf(s, f)) > 0 {
					return true
				}
			}
		}
	}
	return false
}

// unknownValue is the error of a selection by a value that nothing has; nil if
// there is none.
func (p *Plan) unknownValue() *diag.Diagnostic {
	any := p.Request.Selection.Request.AnyKey
	var known []string
	for _, k := range any.Keys {
		known = append(known, p.values(k)...)
	}
	if len(known) == 0 && len(any.Values) > 0 {
		return nil
	}
	if len(any.Values) > 0 && !slices.ContainsFunc(any.Values, func(v string) bool { return slices.Contains(known, v) }) {
		v := any.Values[0]
		return &diag.Diagnostic{Code: "empty_selection", Summary: "the selection matches no partition", Hint: fmt.Sprintf("there is no %q; %s", v, oneOfKnown(v, known))}
	}
	for _, w := range p.Request.Selection.Wanted {
		if w.Kind != graph.KindKey || w.Excluded {
			continue
		}
		known := p.values(w.Key)
		if len(known) > 0 && !slices.ContainsFunc(known, w.Matches) {
			return &diag.Diagnostic{Code: "empty_selection", Summary: fmt.Sprintf("%s matches no partition", w.Term), Hint: fmt.Sprintf("there is no %s %q; %s", w.Key, w.Pattern, oneOfKnown(w.Pattern, known))}
		}
	}
	return nil
}

// nothingSelected names what there is instead.
func (p *Plan) nothingSelected() diag.Diagnostic {
	if d := p.unknownValue(); d != nil {
		return *d
	}
	d := diag.Diagnostic{Code: "empty_selection", Summary: "the selection matches no partition"}
	first, last := p.sessionsSeen()
	if first == "" {
		d.Hint = "the lake holds nothing yet; `dag show --resolved` tells where raw files are expected"
		return d
	}
	d.Hint = fmt.Sprintf("the lake holds sessions from %s to %s; `dag ls` lists them", first, last)
	if left := p.LeftOut(); len(left) > 0 {
		d.Hint = fmt.Sprintf("%s cannot be made: %s", left[0].describe(), left[0].What())
		return d
	}
	for _, w := range p.Request.Selection.Wanted {
		if !w.Excluded && w.Kind != graph.KindKey && !p.occurs(w) {
			d.Summary = fmt.Sprintf("%s matches no partition", w.Term)
			d.Hint = p.whatOccurs(w.Kind)
			break
		}
	}
	return d
}

// sessionsSeen returns the first and the last date of which there is something.
func (p *Plan) sessionsSeen() (first, last string) {
	for _, ds := range p.datasets {
		for _, s := range ds.series {
			if ds.sessions == nil || len(s.present) == 0 {
				continue
			}
			a, b := ds.sessions.Day(s.present[0].Lo).String(), ds.sessions.Day(s.present[len(s.present)-1].Hi-1).String()
			if first == "" || a < first {
				first = a
			}
			last = max(last, b)
		}
	}
	return first, last
}

// occurs tells whether any partition is in a state or has a reason.
func (p *Plan) occurs(w graph.Wanted) bool {
	for _, d := range p.datasets {
		for _, s := range d.series {
			if len(p.sessionsIn(s, w.Kind, w.Pattern)) > 0 {
				return true
			}
		}
	}
	return false
}

// whatOccurs lists the states, or the reasons, that occur.
func (p *Plan) whatOccurs(kind string) string {
	words := StateWords()
	if kind == graph.KindReason {
		words = ReasonWords()
	}
	words = slices.DeleteFunc(words, func(word string) bool { return !p.occurs(graph.Wanted{Kind: kind, Pattern: word}) })
	if len(words) == 0 {
		return "everything is fresh: nothing has a reason to run"
	}
	for i, w := range words {
		words[i] = kind + ":" + w
	}
	return "there are partitions with " + strings.Join(words, ", ")
}

// maxKnown is how many values a hint names.
const maxKnown = 8

// oneOfKnown suggests a value instead of v, or tells which there are.
func oneOfKnown(v string, known []string) string {
	near := diag.Nearest(v, known)
	if i := slices.IndexFunc(known, func(k string) bool { return strings.EqualFold(k, v) }); i >= 0 {
		near = known[i]
	}
	if near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	slices.Sort(known)
	known = slices.Compact(known)
	if len(known) == 1 {
		return "there is only " + known[0]
	}
	more := ""
	if len(known) > maxKnown {
		known, more = known[:maxKnown], ", …"
	}
	return "there are " + strings.Join(known, ", ") + more
}
