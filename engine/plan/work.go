package plan

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"dag/engine/addr"
	"dag/engine/calendar"
	"dag/engine/graph"
	"dag/engine/manifest"
)

// Work is an item looked at right before it runs, when everything it waits for
// has ended.
type Work struct {
	Item   *Item
	Stage  *graph.Stage
	Keys   map[string]string // the unit's key values, the date included
	Inputs []InputRef        // in the order of ports, keys and sessions
	// Outputs that are known, as the plan holds them.
	Outputs []OutputRef
	// Fresh is set when the outputs turn out to be what the inputs give: there
	// is nothing to do.
	Fresh bool
	// Causes lead from the unit to the first cause of its run. Other than the
	// item's reason, the first of them is never Upstream where the inputs are
	// known by now: it names the one that came out different.
	Causes []Link
	// Before are the values that a fan-out has made: those it does not make any more
	// become empty.
	Before []string
	// Keep are known outputs that hold data of another tool: they are not
	// replaced unless the item was forced.
	Keep map[addr.Partition]bool

	refs []ref
	of   *stageState
}

// InputRef is one partition that a unit reads, or one file of a source.
type InputRef struct {
	Port      string
	Partition addr.Partition
	Series    addr.Keys // the partition's keys without the date
	Source    bool
	File      string // of a source, with its size and time of change
	Size      int64
	ModTime   int64
	// Digest of the content; zero for a source's file that has not been read. Of a
	// partition that is not stored it is its fingerprint.
	Digest manifest.Sum
	// Fused is how to make a partition that is not stored; nil for all others. It
	// has no Item.
	Fused *Work
}

// Resolve looks at an item again. The error says why it cannot run.
func (p *Plan) Resolve(ctx context.Context, it *Item) (*Work, error) {
	it.started = true
	u, session := it.unit.series, it.unit.session
	worst, compared := u.outputState(session)
	known := true
	if u.stage.fanOut >= 0 {
		_, known = u.fan[session]
	}
	compare := known && compared && worst.action == "" && it.Reason.Code != Forced
	var g gathered
	if err := p.gather(ctx, &g, u, session, compare); err != nil {
		return nil, err
	}
	switch {
	case g.short != "":
		return nil, fmt.Errorf("%s", g.short)
	case g.lacking != "":
		return nil, fmt.Errorf("there is no partition of %s for it any more", g.lacking)
	}
	w := &Work{Item: it, Stage: u.stage.def, Keys: map[string]string{}, Outputs: u.outputRefs(session), Keep: map[addr.Partition]bool{}, refs: g.refs, of: u.stage}
	u.eachOutput(session, func(s *series) {
		if t := s.cells[session].trace; t != nil && t.State == manifest.Unverified && it.Reason.Code != Forced {
			w.Keep[s.partition(session)] = true
		}
	})
	for _, kv := range it.Unit.Pairs() {
		w.Keys[kv.Key] = kv.Value
	}
	w.Inputs = inputRefs(g.refs)
	if err := p.fuse(ctx, w.Inputs, g.refs); err != nil {
		return nil, err
	}
	if u.stage.fanOut >= 0 {
		w.Before, _ = p.fanOutOf(u, session)
	}
	reason := it.Reason
	if compare {
		v := p.compareOutputs(u, session, &g)
		if w.Fresh = v.action == ""; !w.Fresh {
			reason = v.reason
		}
	}
	p.ran(it, w, reason)
	return w, nil
}

// ran notes why a unit really runs, and what led to it. What it reads has ended
// before it, so that their own reasons are final.
func (p *Plan) ran(it *Item, w *Work, r Reason) {
	if w.Fresh {
		return
	}
	v := p.verdicts[it.unit]
	v.reason = r
	p.verdicts[it.unit] = v
	link := Link{Reason: r}
	if len(w.Outputs) > 0 {
		link.Partition = w.Outputs[0].Partition
	}
	for len(w.Causes) <= len(p.stages) {
		w.Causes = append(w.Causes, link.Reason.links(link.Partition)...)
		if link = w.Causes[len(w.Causes)-1]; !link.Reason.followsInput() {
			return
		}
		cause := *link.Reason.Cause
		u, i, ok := p.makerAt(cause)
		if !ok || u.status[i].item == 0 || !p.Items[u.status[i].item-1].made {
			return // it has been so since before this run
		}
		link = Link{cause, p.verdicts[unitRef{u, i}].reason}
	}
}

// Fingerprint of the outputs, once every input's digest is known: digests
// stand in the order of Inputs.
func (w *Work) Fingerprint(digests []manifest.Sum) manifest.Fingerprint {
	refs := make([]ref, len(w.refs))
	for i := range refs {
		refs[i] = w.refs[i]
		refs[i].digest = digests[i]
	}
	return w.of.fingerprint(refs)
}

// Output returns the partition that a port writes; values are those of its
// fan_out keys. The error says why the unit cannot make it.
func (w *Work) Output(o graph.Output, values []string) (addr.Partition, error) {
	if err := checkFanOut(o, w.Keys, values); err != nil {
		return addr.Partition{}, fmt.Errorf("%s: %w", w.Item.Describe(), err)
	}
	var kv []addr.KeyValue
	for _, k := range o.To.Keys {
		v := w.Keys[k.Name]
		for i, f := range o.FanOut {
			if f == k.Name {
				v = values[i]
			}
		}
		kv = append(kv, addr.KeyValue{Key: k.Name, Value: v})
	}
	return addr.Partition{Dataset: o.To.Addr, Keys: addr.MakeKeys(kv...)}, nil
}

// Made is one partition that a unit committed.
type Made struct {
	Partition   addr.Partition
	Fingerprint manifest.Sum
	Digest      manifest.Sum
	Rows, Bytes int64
}

// Committed tells the plan what an item made. Items that read it are resolved
// against the new digests.
func (p *Plan) Committed(it *Item, made []Made) {
	for _, m := range made {
		d := p.datasets[m.Partition.Dataset]
		keys, session, err := d.split(m.Partition.Keys)
		if err != nil {
			continue // a partition outside every session cannot be read by any unit
		}
		c := &d.add(keys).cells[session]
		t := &manifest.Trace{State: manifest.Complete, Fingerprint: m.Fingerprint, Digest: m.Digest, Rows: m.Rows, Bytes: m.Bytes}
		if d.sessions != nil {
			t.Day = d.sessions.Day(session)
		}
		c.trace, c.pending = t, settled
	}
	it.made = true
	p.Settled(it)
}

// Settled tells the plan that an item's outputs are what they will be.
func (p *Plan) Settled(it *Item) {
	u, session := it.unit.series, it.unit.session
	u.eachOutput(session, func(s *series) { s.cells[session].pending = settled })
	u.status[session].action = ""
}

// Growth is what a fan-out changed in the plan.
type Growth struct {
	Added    []*Item // new items, inputs before outputs
	Relinked []*Item // items whose Deps are others now
	Blocked  []*Item // items of which it turned out that they cannot run
	Skipped  []*Item // items that have nothing to make any more
}

// FanOut tells the plan which values a fan-out item has, those it has emptied
// among them. Call it after Committed.
func (p *Plan) FanOut(it *Item, values []string) Growth {
	u, session := it.unit.series, it.unit.session
	p.unsure.remove(it)
	u.stage.fanOuts[it.Unit] = manifest.FanOut{Values: values}
	dirty := changes{}
	for _, s := range p.setFanOut(u, session, values) {
		dirty.add(s, calendar.Span(session, session+1))
	}
	it.Unknown = false
	var g Growth
	first := len(p.Items)
	p.grow(dirty, &g)
	g.Added = p.Items[first:]
	return g
}

// changes are the sessions of series that are not what they were when the plan
// was made.
type changes map[*series]calendar.Set

func (c changes) add(s *series, days calendar.Set) {
	if len(days) > 0 {
		c[s] = c[s].Union(days)
	}
}

// grow looks again at every unit below what has changed, inputs before outputs.
func (p *Plan) grow(dirty changes, g *Growth) {
	for _, st := range p.stages {
		for _, u := range p.affected(st, dirty) {
			look := p.extend(u)
			for i, in := range st.def.Inputs {
				look = look.Union(u.readersOf(i, in, dirty))
			}
			gone := p.shrink(u, g)
			look = look.Intersect(u.days)
			p.reconsider(u, look, g)
			var stale []int
			look.Each(func(i int) {
				if u.status[i].action != "" {
					stale = append(stale, i)
				}
			})
			changed := calendar.FromSorted(stale).Union(gone)
			if st.fused() {
				changed = look.Union(gone)
			}
			for _, s := range u.outputs {
				if s != nil {
					dirty.add(s, changed)
				}
			}
		}
	}
}

// readersOf returns the sessions of u that read a change through an input.
func (u *unitSeries) readersOf(i int, in graph.Input, dirty changes) calendar.Set {
	var out calendar.Set
	for _, s := range u.inputs[i] {
		days, ok := dirty[s]
		switch {
		case in.Window != nil && !in.Window.Dates:
			return u.days // what it reads may be others now
		case !ok:
		case u.stage.dateKey == nil || s.of.dateKey != u.stage.dateKey.Name || slices.Contains(in.Collect, s.of.dateKey):
			return u.days
		case in.Window != nil && in.Window.Dates:
			out = out.Union(days.Window(in.Window.Lo, in.Window.Hi))
		default:
			out = out.Union(days)
		}
	}
	return out
}

// affected returns the unit series of a stage that read what has changed, in
// their order; new ones are made where a series has no reader yet.
func (p *Plan) affected(st *stageState, dirty changes) []*unitSeries {
	reads := func(s *series) bool {
		return slices.ContainsFunc(st.def.Inputs, func(in graph.Input) bool { return in.From == s.of.def })
	}
	for s := range dirty {
		if reads(s) && !slices.ContainsFunc(s.readers, func(u *unitSeries) bool { return u.stage == st }) {
			p.joinSeries(st)
			break
		}
	}
	var out []*unitSeries
	for s := range dirty {
		if st.windowsOver(s.of) {
			return slices.Clone(st.series)
		}
		for _, u := range s.readers {
			if u.stage == st && !slices.Contains(out, u) {
				out = append(out, u)
			}
		}
	}
	slices.SortFunc(out, func(a, b *unitSeries) int { return strings.Compare(string(a.keys), string(b.keys)) })
	return out
}

// windowsOver tells whether the stage has a window over the values of a dataset's
// key: each of them moves when one is added.
func (st *stageState) windowsOver(d *dataset) bool {
	return slices.ContainsFunc(st.def.Inputs, func(in graph.Input) bool {
		return in.From == d.def && in.Window != nil && !in.Window.Dates
	})
}

// shrink takes back the units that were to be made and have lost an input:
// their place in a window is another's now, or what they read was taken back. It
// returns their sessions. What has started goes on.
func (p *Plan) shrink(u *unitSeries, g *Growth) calendar.Set {
	var gone []int
	u.days.Subtract(u.sessionsWanted()).Each(func(i int) {
		st := &u.status[i]
		if !u.stage.fused() && st.action == "" || st.item != 0 && p.Items[st.item-1].started {
			return
		}
		gone = append(gone, i)
		if st.item != 0 && p.Items[st.item-1].Blocked == "" {
			g.Skipped = append(g.Skipped, p.Items[st.item-1])
		}
		*st = status{}
		delete(p.verdicts, unitRef{u, i})
		u.eachOutput(i, func(s *series) {
			c := &s.cells[i]
			c.maker, c.pending = 0, settled
			if c.trace == nil || !c.trace.State.HasData() {
				s.present = s.present.Subtract(calendar.Span(i, i+1))
			}
		})
	})
	set := calendar.FromSorted(gone)
	u.days = u.days.Subtract(set)
	return set
}

// reconsider judges sessions of a series again: those that have no item yet
// may get one, the others may have to wait for more.
func (p *Plan) reconsider(u *unitSeries, days calendar.Set, g *Growth) {
	days.Each(func(i int) {
		if id := u.status[i].item; id != 0 {
			if it := p.Items[id-1]; u.status[i].action != "" && it.Blocked == "" {
				if p.linkItem(it); it.Blocked != "" {
					g.Blocked = append(g.Blocked, it)
				} else {
					g.Relinked = append(g.Relinked, it)
				}
			}
			return
		}
		one := calendar.Span(i, i+1)
		p.judgeAgain(u, one)
		p.selectSeries(u, one)
		if p.force != nil && p.force(u, i) { // what is selected may depend on what was found
			p.judgeAgain(u, one)
		}
		p.makeItems(u, one)
	})
}

// judgeAgain compares a session that the plan has grown by. Where that fails the item
// will meet the same error when it is resolved, with its name.
func (p *Plan) judgeAgain(u *unitSeries, one calendar.Set) {
	if err := p.compareSeries(context.Background(), u, one); err != nil {
		one.Each(func(i int) { u.mark(i, verdict{action: WillRun, reason: Reason{Code: MissingOutput}}) })
	}
}

// Describe writes a unit as people read it: bar5s[symbol=ESU5,dt=2025-08-05].
func (it *Item) Describe() string {
	return addr.UnitName(it.Stage.String(), it.Unit)
}
