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
	Made    bool               // some stage makes it; a source or a foreign partition has none
	Reason  Reason             // why it would run; empty Code when it is fresh
	Blocked string             // what stands in the way
	Chain   []Link             // from the partition up to the first cause
	Last    *manifest.Manifest // of the data that lies there; nil without one of ours
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
	if v := p.verdicts[unitRef{u, i}]; v.action != "" {
		e.Reason = v.reason
		e.Chain = p.chain(part, v.reason)
	}
	return e, nil
}

// chain follows the causes up to the first that is not another rerun.
func (p *Plan) chain(part addr.Partition, r Reason) []Link {
	links := []Link{{part, r}}
	for r.Code == Upstream && r.Cause != nil && len(links) <= len(p.stages) {
		d := p.datasets[r.Cause.Dataset]
		keys, session, err := d.split(r.Cause.Keys)
		if err != nil || d.byKeys[keys] == nil {
			break
		}
		u, i, ok := p.makerOf(d.byKeys[keys], session)
		if !ok {
			break
		}
		part, r = *r.Cause, p.verdicts[unitRef{u, i}].reason
		links = append(links, Link{part, r})
	}
	return links
}

// FirstCause returns the reason at the end of an item's chain of causes, and
// the partition it is about.
func (p *Plan) FirstCause(it *Item) Link {
	var part addr.Partition
	if len(it.Outputs) > 0 {
		part = it.Outputs[0]
	}
	links := p.chain(part, it.Reason)
	return links[len(links)-1]
}
