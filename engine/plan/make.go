package plan

import (
	"context"
	"errors"
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
	// Within restricts what is looked at, to what decides about a part of what is
	// selected; nil: all that decides about Selection is looked at.
	Within *graph.Selection
	Force  bool // run what is selected, fresh or not
	// Only restricts the plan to the units a saved plan names, by
	// FileItem.Describe; nil: no restriction. Units that become known while the
	// plan runs are not restricted.
	Only map[string]bool
	// Failed tells whether a unit failed when it last ran; nil: nobody knows.
	Failed func(stage addr.Stage, unit addr.Keys) bool
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
	After []KnownAfter
	// Unused counts the names below sources that look like their files and feed no
	// partition.
	Unused int
	// Far lists folders of datasets that lie too far from all files of sources to be
	// looked at: see FarYears.
	Far    []addr.Partition
	Timing Timing

	lake      Lake
	needs     *needs
	sessions  map[*calendar.Calendar]*calendar.Sessions
	datasets  map[addr.Dataset]*dataset
	stages    []*stageState // as Graph.Stages
	verdicts  map[unitRef]verdict
	force     func(u *unitSeries, session int) bool
	known     *graph.Known
	matches   *graph.Matches
	stuck     map[unitRef]bool // see stuckUnits; nil before
	gathering gathered         // scratch of judgeInputs
	windows   windows          // scratch of windowsOf
	// hasher sums up what a unit reads; memberHasher one member of a window meanwhile.
	hasher, memberHasher *manifest.Hasher
	unsure               unsure
	fanOuts              map[*stageState][]fanOutAbove // see fanOutsAbove
	costs                map[*stageState]Cost          // see CostOf
	growing              bool                          // the plan has been made; what is added came by a fan-out
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

// Make plans. now is the clock for Timing only. It looks only at what decides
// about the selection, unless there turns out to be a mistake in that: what is said
// of it then names what there is instead.
func Make(ctx context.Context, g *graph.Graph, lake Lake, r Request, now func() time.Time) (*Plan, error) {
	n := newNeeds(r)
	p, err := makeFrom(ctx, g, lake, r, n, now)
	var mistake *diag.ListError
	if !errors.As(err, &mistake) || n.of.Everything {
		return p, err
	}
	all, list := g.Select(graph.Request{})
	if list.HasErrors() {
		return nil, err
	}
	r.Within = all
	return makeFrom(ctx, g, lake, r, newNeeds(r), now)
}

// makeFrom plans from what is needed.
func makeFrom(ctx context.Context, g *graph.Graph, lake Lake, r Request, n *needs, now func() time.Time) (*Plan, error) {
	p := &Plan{
		Graph: g, Request: r, lake: lake, needs: n, costs: map[*stageState]Cost{},
		sessions: map[*calendar.Calendar]*calendar.Sessions{},
		datasets: map[addr.Dataset]*dataset{},
		verdicts: map[unitRef]verdict{},
		unsure:   unsure{},
		fanOuts:  map[*stageState][]fanOutAbove{},
		hasher:   manifest.NewHasher(""), memberHasher: manifest.NewHasher(""),
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
	p.match()
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
		out = out.Union(f(p.seriesEnv(u.outputs[i])))
	}
	return out
}

// chosenFanOut returns the sessions of a fan-out's units that a filter means:
// by the values they have made, or by the unit's own where there are none yet.
func (p *Plan) chosenFanOut(u *unitSeries, f graph.Filter) calendar.Set {
	unknown := f(p.fanOutEnv(u))
	bySeries := map[*series]calendar.Set{}
	var in []int
	u.days.Each(func(i int) {
		fan := u.fan[i]
		if len(fan) == 0 {
			if unknown.Has(i) {
				in = append(in, i)
			}
			return
		}
		for _, s := range fan {
			set, ok := bySeries[s]
			if !ok {
				set = f(p.seriesEnv(s))
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

// chosenOf returns the sessions of a series that a filter means and that exist
// in some form.
func (p *Plan) chosenOf(s *series, f graph.Filter) calendar.Set {
	return f(p.seriesEnv(s)).Intersect(s.known())
}
