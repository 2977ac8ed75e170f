package plan

import (
	"context"
	"slices"

	"dag/engine/addr"
	"dag/engine/calendar"
	"dag/engine/graph"
	"dag/engine/manifest"
)

// Standing is a partition that lies in the lake, beside what would be recorded
// of it if its unit ran now.
type Standing struct {
	Partition addr.Partition
	Trace     manifest.Trace
	Stage     *graph.Stage // that makes it; nil: none does
	Unit      addr.Keys
	Reason    Reason // why its unit is to run; an empty Code: it is not
	Inputs    []InputRef
	// Absent are the inputs of which nothing is there, nor to come.
	Absent []addr.Dataset
	// Pending is an input that is to be made first; nil: none is.
	Pending     *addr.Partition
	Fingerprint manifest.Fingerprint
	FanOut      []string // all values of a unit that fans out

	// Now is for the visitor to set: what lies there from now on.
	Now *manifest.Trace

	series  *series
	session int
}

// EachStanding calls f for the selected partitions of which there is a folder,
// stage by stage, inputs before outputs; those that no stage makes come last.
// With whole, all outputs of a unit count as selected if one is. What f sets as
// Now is there for the stages below. f gets no empty list.
func (p *Plan) EachStanding(ctx context.Context, whole bool, f func([]*Standing) error) error {
	chosen := map[*series]calendar.Set{}
	for _, def := range p.Graph.Config.Datasets {
		if filter := p.Request.Selection.Dataset(def.Addr); filter != nil && !def.Source {
			for _, s := range p.datasets[def.Addr].series {
				chosen[s] = p.chosenOf(s, filter)
			}
		}
	}
	changed := false
	for _, st := range p.stages {
		if changed {
			if err := p.rejudge(ctx, st); err != nil {
				return err
			}
		}
		list, err := p.standings(ctx, st, chosen, whole)
		if err != nil {
			return err
		}
		if len(list) == 0 {
			continue
		}
		if err := f(list); err != nil {
			return err
		}
		here := false
		for _, x := range list {
			if x.Now != nil {
				x.series.cells[x.session].trace = x.Now
				here = true
			}
		}
		if !here {
			continue
		}
		changed = true
		if err := p.rejudge(ctx, st); err != nil {
			return err
		}
	}
	if list := p.unmade(chosen); len(list) > 0 {
		return f(list)
	}
	return nil
}

// rejudge decides about a stage's units anew.
func (p *Plan) rejudge(ctx context.Context, st *stageState) error {
	for _, u := range st.series {
		u.days.Each(func(i int) { delete(p.verdicts, unitRef{u, i}) })
		if err := p.compareSeries(ctx, u, u.days); err != nil {
			return err
		}
	}
	return nil
}

// standings lists the chosen partitions that a stage makes, by keys and session.
func (p *Plan) standings(ctx context.Context, st *stageState, chosen map[*series]calendar.Set, whole bool) ([]*Standing, error) {
	type place struct {
		series  *series
		session int
	}
	seen := map[place]bool{}
	var list []*Standing
	var err error
	add := func(u *unitSeries, s *series, session int) {
		c := &s.cells[session]
		if err != nil || seen[place{s, session}] || c.trace == nil || c.trace.State == manifest.Missing {
			return
		}
		seen[place{s, session}] = true
		var x *Standing
		if x, err = p.standing(ctx, u, s, session); err == nil {
			list = append(list, x)
		}
	}
	for _, o := range st.def.Outputs {
		for _, s := range slices.Clone(p.datasets[o.To.Addr].series) { // looking at a fan-out may add to them
			if len(chosen[s]) == 0 {
				continue
			}
			u := p.unitOf(st, s)
			chosen[s].Each(func(i int) {
				add(u, s, i)
				if whole {
					u.eachOutput(i, func(other *series) { add(u, other, i) })
				}
			})
		}
	}
	return list, err
}

// unitOf finds the unit series that makes s. Where nothing is there to make it
// from, the plan has none, and one that is in no plan stands for it.
func (p *Plan) unitOf(st *stageState, s *series) *unitSeries {
	values := map[string]string{}
	kv := make([]addr.KeyValue, 0, len(st.keys))
	for _, k := range st.keys {
		values[k.Name] = s.values[k.Name]
		kv = append(kv, addr.KeyValue{Key: k.Name, Value: values[k.Name]})
	}
	if u := st.byKeys[addr.MakeKeys(kv...)]; u != nil {
		return u
	}
	return &unitSeries{
		stage: st, keys: addr.MakeKeys(kv...), values: values, inputs: p.matchInputs(st, values),
		outputs: []*series{s}, fan: map[int][]*series{}, status: make([]status, st.width()),
	}
}

func (p *Plan) standing(ctx context.Context, u *unitSeries, s *series, session int) (*Standing, error) {
	x := &Standing{
		Partition: s.partition(session), Trace: *s.cells[session].trace, Stage: u.stage.def, Unit: u.unitKeys(session),
		series: s, session: session,
	}
	if u.status[session].action != "" {
		x.Reason = p.verdicts[unitRef{u, session}].reason
	}
	var g gathered
	if err := p.gather(ctx, &g, u, session, true); err != nil {
		return nil, err
	}
	if len(g.changing) > 0 {
		part := g.changing[0].series.partition(g.changing[0].session)
		x.Pending = &part
	}
	for _, in := range u.stage.def.Inputs {
		if g.partitions(in.Port) == 0 && (in.Window == nil || in.Window.OnShort != "run") {
			x.Absent = append(x.Absent, in.From.Addr)
		}
	}
	x.Inputs, x.Fingerprint = inputRefs(g.refs), u.stage.fingerprint(g.refs)
	if err := p.fuse(ctx, x.Inputs, g.refs); err != nil {
		return nil, err
	}
	if u.stage.fanOut >= 0 {
		x.FanOut, _ = p.fanOutOf(u, session)
	}
	return x, nil
}

// inputRefs describes what a unit reads to others.
func inputRefs(refs []ref) []InputRef {
	var out []InputRef
	for i := range refs {
		r := &refs[i]
		in := InputRef{Port: r.port, Partition: r.partition(), Series: r.series.keys, Digest: r.digest}
		if r.file != nil {
			in.Source, in.File, in.Size, in.ModTime = true, r.file.Name, r.file.Size, r.file.ModTime
		}
		out = append(out, in)
	}
	return out
}

// unmade lists the chosen partitions that no stage makes.
func (p *Plan) unmade(chosen map[*series]calendar.Set) []*Standing {
	var list []*Standing
	for _, def := range p.Graph.Config.Datasets {
		if def.Source || p.Graph.Producer(def.Addr) != nil {
			continue
		}
		for _, s := range p.datasets[def.Addr].series {
			chosen[s].Each(func(i int) {
				if t := s.cells[i].trace; t != nil && t.State != manifest.Missing {
					list = append(list, &Standing{Partition: s.partition(i), Trace: *t, series: s, session: i})
				}
			})
		}
	}
	return list
}

// Knows tells whether a partition has a place in the plan: its dataset is in the
// configuration and stored, and its date is a session. It need not lie in the
// lake.
func (p *Plan) Knows(part addr.Partition) bool {
	d := p.datasets[part.Dataset]
	if d == nil || d.def.Source || d.def.Unstored {
		return false
	}
	_, _, err := d.split(part.Keys)
	return err == nil
}

// Pretend sets Now to what a manifest of now would make of it.
func (x *Standing) Pretend() error {
	sum, err := manifest.ParseSum(x.Fingerprint.Sum)
	now := x.Trace
	now.State, now.Fingerprint = manifest.Complete, sum
	x.Now = &now
	return err
}
