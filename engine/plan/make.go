package plan

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"dag/engine/addr"
	"dag/engine/calendar"
	"dag/engine/diag"
	"dag/engine/graph"
	"dag/engine/manifest"
)

// Request says what to plan.
type Request struct {
	Selection *graph.Selection
	Force     bool // run what is selected, fresh or not
	// Only restricts the plan to the units a saved plan names, by
	// FileItem.Describe; nil: no restriction. Units that become known while the
	// plan runs are not restricted.
	Only map[string]bool
	// Compared counts the units decided about, for others to read while Make
	// runs; nil: nobody does.
	Compared *atomic.Int64
}

// Plan is the decisions about every unit, and the items made of those that are
// selected and not fresh. It is used by one goroutine at a time.
type Plan struct {
	Graph   *graph.Graph
	Request Request
	Items   []*Item // inputs before outputs
	// After lists the stages whose units are known only after a fan-out ran.
	After  []KnownAfter
	Timing Timing

	lake      Lake
	sessions  map[*calendar.Calendar]*calendar.Sessions
	datasets  map[addr.Dataset]*dataset
	stages    []*stageState // as Graph.Stages
	verdicts  map[unitRef]verdict
	force     func(u *unitSeries, session int) bool
	gathering gathered // scratch of judgeInputs
	hasher    *manifest.Hasher
	unsure    map[int]bool // fan-out items that have not told their values
	growing   bool         // the plan has been made; what is added came by a fan-out
}

// KnownAfter is a stage some of whose units will be known when a fan-out has
// told its values.
type KnownAfter struct {
	Stage  addr.Stage
	FanOut addr.Stage
	Units  int // of the fan-out, that have never run
	// Blocked is set when none of those is selected: they will not run, and the
	// stage's units stay unknown.
	Blocked bool
}

// Timing is how long the parts of making a plan took.
type Timing struct{ Lake, Diff time.Duration }

// Make plans. now is the clock for Timing only.
func Make(ctx context.Context, g *graph.Graph, lake Lake, r Request, now func() time.Time) (*Plan, error) {
	p := &Plan{
		Graph: g, Request: r, lake: lake,
		sessions: map[*calendar.Calendar]*calendar.Sessions{},
		datasets: map[addr.Dataset]*dataset{},
		verdicts: map[unitRef]verdict{},
		unsure:   map[int]bool{},
		hasher:   manifest.NewHasher(""),
	}
	start := now()
	if err := p.load(ctx); err != nil {
		return nil, err
	}
	loaded := now()
	steps := []func(context.Context) error{
		func(context.Context) error { return p.expand() },
		p.compareForced,
		func(context.Context) error { return p.checkSelected() },
		func(context.Context) error { p.propagate(); return nil },
	}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return nil, err
		}
	}
	p.growing = true
	p.Timing = Timing{Lake: loaded.Sub(start), Diff: now().Sub(loaded)}
	return p, nil
}

// compareForced compares and selects. Where the selection asks for states they
// have to be known first, and --force comes in a second pass over them.
func (p *Plan) compareForced(ctx context.Context) error {
	if p.Request.Force && !p.Request.Selection.NeedsState() {
		p.selectUnits()
		p.force = (*unitSeries).isSelected
	}
	if err := p.compare(ctx); err != nil {
		return err
	}
	p.selectUnits()
	if p.Request.Force && p.force == nil {
		p.force = (*unitSeries).isSelected
		clear(p.verdicts)
		return p.compare(ctx)
	}
	return nil
}

func (u *unitSeries) isSelected(session int) bool { return u.status[session].selected }

// selectUnits marks the units any of whose outputs is selected.
func (p *Plan) selectUnits() {
	for _, st := range p.stages {
		for _, u := range st.series {
			p.selectSeries(u, u.days)
		}
	}
}

func (p *Plan) selectSeries(u *unitSeries, days calendar.Set) {
	chosen := p.chosen(u)
	days.Each(func(i int) {
		only := p.Request.Only == nil || p.growing || p.Request.Only[FileItem{Stage: u.stage.def.Addr.String(), Unit: u.unitKeys(i)}.Describe()]
		u.status[i].selected = only && chosen.Has(i)
	})
}

// chosen returns the sessions of u that the selection means.
func (p *Plan) chosen(u *unitSeries) calendar.Set {
	if p.Request.Selection.Everything {
		return u.days
	}
	var out calendar.Set
	for i, o := range u.stage.def.Outputs {
		f := p.Request.Selection.Dataset(o.To.Addr)
		if f == nil {
			continue
		}
		if i == u.stage.fanOut {
			out = out.Union(p.chosenFanOut(u, f))
			continue
		}
		out = out.Union(f(p.env(u.outputs[i].values, u.stage.sessions, u.stage.dateKey != nil, u.inState)))
	}
	return out
}

// chosenFanOut returns the sessions of a fan-out's units that a filter means:
// by the values they made last, or by the unit's own where those are not known.
func (p *Plan) chosenFanOut(u *unitSeries, f graph.Filter) calendar.Set {
	dated := u.stage.dateKey != nil
	env := p.env(u.values, u.stage.sessions, dated, u.inState)
	env.FanOut = true
	unknown := f(env)
	bySeries := map[*series]calendar.Set{}
	var in []int
	u.days.Each(func(i int) {
		fan, known := u.fan[i]
		if !known {
			if unknown.Has(i) {
				in = append(in, i)
			}
			return
		}
		for _, s := range fan {
			set, ok := bySeries[s]
			if !ok {
				set = f(p.env(s.values, u.stage.sessions, dated, u.inState))
				bySeries[s] = set
			}
			if set.Has(i) {
				in = append(in, i)
				return
			}
		}
	})
	return calendar.FromSorted(in)
}

func (p *Plan) env(values map[string]string, sessions *calendar.Sessions, dated bool, state func(kind, name string) calendar.Set) graph.Env {
	full := calendar.Span(0, 1)
	if dated {
		full = calendar.Span(0, sessions.Len())
	}
	return graph.Env{
		Value:    func(key string) (string, bool) { v, ok := values[key]; return v, ok },
		Sessions: sessions, Full: full, Dated: dated, State: state,
	}
}

// inState returns the sessions of u in a state or with a reason; see
// PartitionState for the states.
func (u *unitSeries) inState(kind, name string) calendar.Set {
	var in []int
	u.days.Each(func(i int) {
		match := false
		if kind == "reason" {
			match = u.reasonCode(i) == Code(name)
		} else {
			u.eachOutput(i, func(s *series) { match = match || s.inState(i, name) })
			match = match || name == "stale" && u.status[i].action != ""
		}
		if match {
			in = append(in, i)
		}
	})
	return calendar.FromSorted(in)
}

func (u *unitSeries) reasonCode(session int) Code {
	return u.stage.plan.verdicts[unitRef{u, session}].reason.Code
}

// checkSelected reports a selection that means no partition at all.
func (p *Plan) checkSelected() error {
	if p.Request.Selection.Everything || len(p.unknownBelow()) > 0 {
		return nil
	}
	r := p.Request.Selection.Request
	for _, st := range p.stages {
		if st.dateKey == nil && len(r.Dates) > 0 {
			continue // dates say nothing about it
		}
		for _, u := range st.series {
			if len(p.chosen(u).Intersect(u.days)) > 0 {
				return nil
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
					return nil
				}
			}
		}
	}
	return p.nothingSelected().Err()
}

// chosenOf returns the sessions of a series that a filter means and that exist
// in some form.
func (p *Plan) chosenOf(s *series, f graph.Filter) calendar.Set {
	return f(p.env(s.values, s.of.sessions, s.of.sessions != nil, s.sessionsIn)).Intersect(s.known())
}

// nothingSelected names what there is instead.
func (p *Plan) nothingSelected() diag.List {
	d := diag.Diagnostic{Code: "empty_selection", Summary: "the selection matches no partition"}
	any := p.Request.Selection.Request.AnyKey
	var known []string
	first, last := "", ""
	for _, def := range p.Graph.Config.Datasets {
		ds := p.datasets[def.Addr]
		for _, s := range ds.series {
			for _, k := range any.Keys {
				if v, ok := s.values[k]; ok {
					known = append(known, v)
				}
			}
			if ds.sessions != nil && len(s.present) > 0 {
				a, b := ds.sessions.Day(s.present[0].Lo).String(), ds.sessions.Day(s.present[len(s.present)-1].Hi-1).String()
				if first == "" || a < first {
					first = a
				}
				last = max(last, b)
			}
		}
	}
	d.Hint = fmt.Sprintf("the lake holds sessions from %s to %s; `dag ls` lists them", first, last)
	if first == "" {
		d.Hint = "the lake holds nothing yet; `dag show --resolved` tells where raw files are expected"
	}
	for _, v := range any.Values {
		if first != "" && !slices.Contains(known, v) {
			d.Hint = fmt.Sprintf("there is no %q; %s", v, oneOfKnown(v, known))
			break
		}
	}
	return diag.List{d}
}

// maxKnown is how many values a hint names.
const maxKnown = 8

// oneOfKnown suggests a value instead of v, or tells which there are.
func oneOfKnown(v string, known []string) string {
	if near := diag.Nearest(v, known); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	slices.Sort(known)
	known = slices.Compact(known)
	more := ""
	if len(known) > maxKnown {
		known, more = known[:maxKnown], ", …"
	}
	return "there are " + strings.Join(known, ", ") + more
}
