package graph

import (
	"fmt"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"dag/engine/addr"
	"dag/engine/config"
	"dag/engine/diag"
)

// resolver turns the expressions of one request into filters.
type resolver struct {
	g       *Graph
	list    diag.List
	origins []*origin
	wanted  []Wanted
	not     bool // inside of something that is left out
	negated bool // some part of a dataset is left out: what is carried along a way would leave out too much
}

// along is the filter of an expression for partitions that lie a way from those
// it was written for.
type along func(way) Filter

// choice is what an expression selects of a dataset.
type choice struct {
	filter along
	whole  bool // all of it, whatever the filter is asked
}

// chosen are the datasets that an expression selects any of.
type chosen map[addr.Dataset]choice

func (c chosen) add(d addr.Dataset, also choice) {
	old, ok := c[d]
	if !ok {
		c[d] = also
		return
	}
	c[d] = choice{func(w way) Filter { return either(old.filter(w), also.filter(w)) }, old.whole || also.whole}
}

func (c chosen) and(o chosen) chosen {
	out := chosen{}
	for d, a := range c {
		if b, ok := o[d]; ok {
			out[d] = choice{func(w way) Filter { return both(a.filter(w), b.filter(w)) }, a.whole && b.whole}
		}
	}
	return out
}

// not leaves out the datasets that are selected as a whole.
func (c chosen) not(g *Graph) chosen {
	out := chosen{}
	for _, d := range g.Config.Datasets {
		of, some := c[d.Addr]
		switch {
		case !some:
			out[d.Addr] = choice{func(way) Filter { return all }, true}
		case !of.whole:
			out[d.Addr] = choice{func(w way) Filter { return negate(of.filter(w)) }, false}
		}
	}
	return out
}

func (r *resolver) eval(e expr) chosen {
	out := chosen{}
	switch e := e.(type) {
	case orExpr:
		for _, sub := range e {
			for d, c := range r.eval(sub) {
				out.add(d, c)
			}
		}
	case andExpr:
		for i, sub := range e {
			if of := r.eval(sub); i == 0 {
				out = of
			} else {
				out = out.and(of)
			}
		}
	case notExpr:
		r.not = !r.not
		out = r.eval(e.of).not(r.g)
		r.not = !r.not
	case reachExpr:
		return r.reach(e)
	case *term:
		return r.term(e)
	}
	return out
}

// reach adds ancestors and descendants. Where the slice alone tells which those
// are, it is carried along to them; where that depends on the lake, they are
// those of the partitions that match.
func (r *resolver) reach(e reachExpr) chosen {
	out := chosen{}
	if or, ok := e.of.(orExpr); ok {
		for _, sub := range or {
			for d, c := range r.reach(reachExpr{sub, e.up, e.down}) {
				out.add(d, c)
			}
		}
		return out
	}
	of := r.eval(e.of)
	for _, d := range r.g.Config.Datasets {
		c, ok := of[d.Addr]
		if !ok {
			continue
		}
		found := &origin{dataset: d, filter: c.filter(way{})}
		for _, up := range []bool{true, false} {
			n := e.down
			if up {
				n = e.up
			}
			for to, w := range r.g.carry(d.Addr, n, up) {
				switch {
				case to == d.Addr:
					out.add(to, c)
				case matched(e.of):
					out.add(to, choice{filter: found.relative(r.g.dataset(to), w)})
				default:
					out.add(to, choice{func(further way) Filter { return c.filter(w.then(further)) }, c.whole})
				}
			}
		}
		if len(found.relatives) > 0 {
			r.origins = append(r.origins, found)
		}
	}
	return out
}

// matched tells whether the relatives of what an expression selects are known
// only when the partitions that match are.
func matched(e expr) bool {
	switch e := e.(type) {
	case *term:
		return e.kind == KindState || e.kind == KindReason
	case andExpr:
		return slices.ContainsFunc(e, matched)
	case orExpr:
		return slices.ContainsFunc(e, matched)
	}
	return true
}

// term finds the datasets a term names.
func (r *resolver) term(t *term) chosen {
	conds, list := r.g.compile(t)
	if r.list = append(r.list, list...); list.HasErrors() {
		return nil
	}
	r.note(t, conds)
	out := chosen{}
	for _, d := range r.g.Config.Datasets {
		if t.names(d, r.g.producer[d.Addr]) {
			out[d.Addr] = choice{func(w way) Filter { return conds.filter(r.g, w) }, len(t.slice) == 0 && !matched(t)}
		}
	}
	if len(out) == 0 {
		r.list = append(r.list, r.g.unmatched(t))
	}
	return out
}

// note keeps what a term asks of partitions.
func (r *resolver) note(t *term, c compiled) {
	r.negated = r.negated || r.not && (len(t.slice) > 0 || matched(t))
	if t.kind == KindState || t.kind == KindReason {
		r.wanted = append(r.wanted, Wanted{Kind: t.kind, Pattern: t.pattern, Term: t.text, Excluded: r.not})
	}
	for _, k := range c.keys {
		r.wanted = append(r.wanted, Wanted{Kind: KindKey, Key: k.key, Pattern: k.pattern, Term: t.text, Excluded: r.not})
	}
}

// names tells whether the term means the dataset, by its own address or by the
// stage that writes it.
func (t *term) names(d *config.Dataset, producer *config.Stage) bool {
	switch t.kind {
	case KindState, KindReason:
		return true
	case kindTag:
		tagged := func(tag string) bool { return glob(t.pattern, tag) }
		return slices.ContainsFunc(d.Tags, tagged) || producer != nil && slices.ContainsFunc(producer.Tags, tagged)
	}
	if t.instance == "" && glob(t.pattern, d.Addr.String()) {
		return true
	}
	if producer == nil || !glob(t.pattern, producer.Addr.Name) {
		return false
	}
	return t.instance == "" || producer.Addr.Instance != "" && glob(t.instance, producer.Addr.Instance)
}

func glob(pattern, name string) bool {
	ok, err := doublestar.Match(pattern, name)
	return ok && err == nil
}

// isGlob tells whether a pattern stands for more than itself.
func isGlob(pattern string) bool { return strings.ContainsAny(pattern, `*?[{\`) }

func validGlob(pattern string) bool { return doublestar.ValidatePattern(pattern) }

func (g *Graph) dataset(d addr.Dataset) *config.Dataset {
	i, _ := slices.BinarySearchFunc(g.Config.Datasets, d, func(d *config.Dataset, a addr.Dataset) int { return d.Addr.Compare(a) })
	return g.Config.Datasets[i]
}

// unmatched is the error of a term that names nothing.
func (g *Graph) unmatched(t *term) diag.Diagnostic {
	if t.kind == kindTag {
		return g.noTag(t)
	}
	meant := map[string]string{} // what can be typed, by what may have been mistyped
	var known []string
	add := func(name, typed string) {
		if _, ok := meant[name]; !ok {
			known = append(known, name)
			meant[name] = typed
		}
	}
	for _, s := range g.Stages {
		add(s.Addr.Name, s.Addr.Name)
		add(s.Addr.String(), s.Addr.String())
	}
	for _, d := range g.Config.Datasets {
		add(d.Addr.String(), d.Addr.String())
		add(d.Addr.Table, d.Addr.String())
	}
	name := t.pattern
	if t.instance != "" {
		name += `["` + t.instance + `"]`
	}
	d := diag.Diagnostic{Code: "empty_selection", Summary: fmt.Sprintf("%q matches no dataset and no stage", t.text), Hint: "`dag ls` and `dag graph` show what there is"}
	if near := diag.Nearest(name, known); near != "" {
		d.Hint = fmt.Sprintf("did you mean %q?", meant[near])
	} else if inner := containing(t.pattern, known, meant); len(inner) > 0 {
		d.Hint = "near to it: " + strings.Join(inner, ", ")
	} else if hint := g.otherwise(t.pattern); hint != "" {
		d.Hint = hint
	}
	return d
}

// otherwise tells how to select by what is no name, but looks like a path or like a
// key's value; "" if it looks like nothing.
func (g *Graph) otherwise(text string) string {
	if strings.Contains(text, "/") {
		return "that is a path; partitions are named as `dag ls` prints them"
	}
	_, err := parseDays(text)
	var ways []string
	for _, k := range g.Config.Keys {
		if k.Date && err == nil && !isGlob(text) || !k.Date && k.Pattern != nil && k.Pattern.MatchString(text) {
			ways = append(ways, fmt.Sprintf("'NAME[%s=%s]'", k.Name, text))
		}
	}
	if len(ways) == 0 {
		return ""
	}
	return "the value of a key stands in brackets after a name: " + strings.Join(ways, " or ")
}

func (g *Graph) noTag(t *term) diag.Diagnostic {
	tags := g.Tags()
	d := diag.Diagnostic{Code: "empty_selection", Summary: fmt.Sprintf("no dataset and no stage has the tag %q", t.pattern), Hint: "there are no tags; `tags = [...]` in a stage or dataset gives it some"}
	if near := diag.Nearest(t.pattern, tags); near != "" {
		d.Hint = fmt.Sprintf("did you mean %q?", kindTag+":"+near)
	} else if len(tags) > 0 {
		d.Hint = "the tags are " + strings.Join(tags, ", ")
	}
	return d
}

// Tags lists the tags of all datasets and stages, in order.
func (g *Graph) Tags() []string {
	var tags []string
	for _, d := range g.Config.Datasets {
		tags = append(tags, d.Tags...)
	}
	for _, s := range g.Stages {
		tags = append(tags, s.Tags...)
	}
	slices.Sort(tags)
	return slices.Compact(tags)
}

// containing returns up to four stages and datasets whose names hold the letters of
// pattern; meant has the address of each name.
func containing(pattern string, known []string, meant map[string]string) []string {
	word := strings.Trim(pattern, "*?.")
	var out []string
	for _, k := range known {
		if word != "" && strings.Contains(k, word) && len(out) < 4 && meant[k] == k {
			out = append(out, k)
		}
	}
	return out
}
