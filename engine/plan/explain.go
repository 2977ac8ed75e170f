package plan

import (
	"fmt"

	"dag/engine/addr"
	"dag/engine/manifest"
)

// Explanation answers why a partition is as it is.
type Explanation struct {
	State   PartitionState
	Stage   addr.Stage
	Unit    addr.Keys
	Made    bool   // some stage makes it; a source or a foreign partition has none
	Reason  Reason // why it would run; empty Code when it is fresh
	Blocked string // what stands in the way
	Chain   []Link // from the partition up to the first cause
	// Since is how the input came to be that the chain ends with, where it had been
	// made before: see History.
	Since []Recorded
	Last  *manifest.Manifest // of the data that lies there; nil without one of ours
	// History leads from Last to the first cause of its run, as manifests have it.
	History []Recorded
}

// Link is one step from a stale partition towards the first cause.
type Link struct {
	Partition addr.Partition
	Reason    Reason
}

// Explain answers for one partition; an unknown one is an error.
func (p *Plan) Explain(part addr.Partition) (*Explanation, error) {
	d := p.datasets[part.Dataset]
	if d == nil {
		return nil, fmt.Errorf("there is no dataset %s", part.Dataset)
	}
	keys, session, err := d.split(part.Keys)
	if err != nil {
		return nil, err
	}
	s := d.byKeys[keys]
	if s == nil || !s.known().Has(session) {
		return nil, fmt.Errorf("%s is neither in the lake nor to be made", part)
	}
	e := &Explanation{State: p.partitionState(s, session)}
	if c := s.cells[session]; c.trace != nil && c.trace.State == manifest.Complete {
		if e.Last, err = p.lake.Manifest(part); err != nil {
			// Somebody has edited the folder in place since it was listed.
			e.Reason = Reason{Code: UnreadableOutput, Cause: &part}
			e.Chain = []Link{{part, e.Reason}}
			e.Last = nil
		}
		e.History = p.history(e.Last)
	}
	u, i, ok := p.makerOf(s, session)
	if !ok {
		return e, nil
	}
	e.Made, e.Stage, e.Unit = true, u.stage.def.Addr, u.unitKeys(i)
	if id := u.status[i].item; id != 0 {
		e.Blocked = p.Items[id-1].Blocked
	}
	switch v := p.verdicts[unitRef{u, i}]; {
	case u.stage.fused():
		g, err := p.preconditions(u, i)
		if err != nil || len(g.changing) == 0 {
			return e, err
		}
		cause := g.changing[0].series.partition(g.changing[0].session)
		e.Reason = Reason{Code: Upstream, Cause: &cause}
		e.Chain = p.chain(part, e.Reason)
	case v.action != "":
		e.Reason = v.reason
		e.Chain = p.chain(part, v.reason)
		e.Since = p.since(e.Chain[len(e.Chain)-1].Reason)
	}
	return e, nil
}

// since is the history of an input that has changed or is new, and lies there.
func (p *Plan) since(r Reason) []Recorded {
	if r.Cause == nil || r.File != "" || r.Code != InputChanged && r.Code != InputAdded {
		return nil
	}
	m, err := p.lake.Manifest(*r.Cause)
	if err != nil || m.Digest != r.New || m.Reason.Code == manifest.Adopted {
		return nil
	}
	return p.history(m)
}

// chain follows the causes up to the first that is not another rerun.
func (p *Plan) chain(part addr.Partition, r Reason) []Link {
	links := p.links(part, r)
	for r.Code == Upstream && r.Cause != nil && len(links) <= len(p.stages) {
		u, i, ok := p.makerAt(*r.Cause)
		if !ok {
			break
		}
		part, r = *r.Cause, p.verdicts[unitRef{u, i}].reason
		links = append(links, p.links(part, r)...)
	}
	return links
}

// links are what a partition's reason has to say, with what is not stored between
// the partition and an input that is made again.
func (p *Plan) links(part addr.Partition, r Reason) []Link {
	links := r.links(part)
	if r.Code != Upstream || r.Cause == nil {
		return links
	}
	u, session, ok := p.makerAt(part)
	from, at, ok2 := p.at(*r.Cause)
	if !ok || !ok2 {
		return links
	}
	way, _ := u.way(session, from, at)
	for _, between := range way {
		last := &links[len(links)-1]
		last.Reason.Cause = &between
		links = append(links, Link{between, r})
	}
	return links
}

// at finds the series and the session of a partition that the plan has a place for.
func (p *Plan) at(part addr.Partition) (*series, int, bool) {
	d := p.datasets[part.Dataset]
	if d == nil {
		return nil, 0, false
	}
	keys, session, err := d.split(part.Keys)
	return d.byKeys[keys], session, err == nil && d.byKeys[keys] != nil
}

// makerAt finds the unit that makes a partition.
func (p *Plan) makerAt(part addr.Partition) (*unitSeries, int, bool) {
	s, session, ok := p.at(part)
	if !ok {
		return nil, 0, false
	}
	return p.makerOf(s, session)
}

// FirstCause returns the reason at the end of an item's chain of causes, and
// the partition it is about: one that some unit makes.
func (p *Plan) FirstCause(it *Item) Link {
	var part addr.Partition
	if len(it.Outputs) > 0 {
		part = it.Outputs[0]
	}
	links := p.chain(part, it.Reason)
	last := len(links) - 1
	for last > 0 && p.unstored(links[last].Partition.Dataset) {
		last--
	}
	return links[last]
}
