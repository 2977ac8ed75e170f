package plan

import (
	"context"
	"fmt"

	"dag/engine/addr"
	"dag/engine/calendar"
	"dag/engine/graph"
	"dag/engine/manifest"
)

// A dataset that is not stored has no partitions in the lake. The stage that makes
// it is fused: it has units and no items, and runs inside the units that read it.
// What they record of such an input is the fingerprint that a stored partition
// would have: it tells as well what the data is made from.

// fused tells whether what the stage makes is not stored.
func (st *stageState) fused() bool { return len(st.def.Outputs) == 1 && st.def.Outputs[0].To.Unstored }

// gatherFused notes a partition that is not stored.
func (p *Plan) gatherFused(ctx context.Context, g *gathered, port string, s *series, session int, hash bool) error {
	if !s.producer.days.Has(session) {
		return nil
	}
	var inner gathered
	if err := p.gather(ctx, &inner, s.producer, session, hash); err != nil {
		return err
	}
	if g.short == "" {
		g.short = inner.short
	}
	if inner.lacking != "" {
		return nil
	}
	has := len(inner.refs) > 0
	for i := range inner.changing { // the first of them is named as the cause
		c := inner.changing[i]
		g.changing = append(g.changing, pendingInput{port: port, series: c.series, session: c.session})
	}
	if len(inner.changing) > 0 {
		g.changing = append(g.changing, pendingInput{port: port, series: s, session: session, absent: !has})
	}
	if has {
		g.refs = append(g.refs, ref{port: port, series: s, session: session, digest: s.producer.stage.sumOf(inner.refs)})
	}
	return nil
}

// sumOf is the fingerprint of a unit made from refs; zero where the content of one
// is not known.
func (st *stageState) sumOf(refs []ref) manifest.Sum {
	for i := range refs {
		if refs[i].digest == (manifest.Sum{}) {
			return manifest.Sum{}
		}
	}
	return total(manifest.NewHasher(""), st.static, inputsSum(manifest.NewHasher(""), manifest.NewHasher(""), refs))
}

// eachRead calls f for every partition that a unit reads, and in place of those
// that are not stored, for those that they are made from.
func (u *unitSeries) eachRead(session int, f func(s *series, session int)) {
	for i, in := range u.stage.def.Inputs {
		lo, hi := u.span(in, i, session)
		for _, s := range u.inputs[i] {
			for d := max(lo, 0); d < min(hi, len(s.cells)); d++ {
				if s.producer != nil {
					s.producer.eachRead(d, f)
				} else {
					f(s, d)
				}
			}
		}
	}
}

// way returns the partitions that are not stored between a unit and what it reads
// through them, the nearest first; false if it does not read that.
func (u *unitSeries) way(session int, from *series, at int) ([]addr.Partition, bool) {
	for i, in := range u.stage.def.Inputs {
		lo, hi := u.span(in, i, session)
		for _, s := range u.inputs[i] {
			if s == from && lo <= at && at < hi {
				return nil, true
			}
			for d := max(lo, 0); s.producer != nil && d < min(hi, len(s.cells)); d++ {
				if rest, ok := s.producer.way(d, from, at); ok {
					return append([]addr.Partition{s.partition(d)}, rest...), true
				}
			}
		}
	}
	return nil, false
}

// fusedMemory is what the stages need together that run inside a unit of u.
func (u *unitSeries) fusedMemory() int64 {
	n := int64(0)
	for _, list := range u.inputs {
		for _, s := range list {
			if s.producer == nil {
				continue
			}
			def := s.producer.stage.def
			own := def.Memory
			if own == 0 {
				own = def.Spec.Memory
			}
			n += own + s.producer.fusedMemory()
		}
	}
	return n
}

// fuse says how to make those inputs that are not stored; refs stand beside them.
func (p *Plan) fuse(ctx context.Context, inputs []InputRef, refs []ref) error {
	for i := range refs {
		if u := refs[i].series.producer; u != nil {
			w, err := p.fusedWork(ctx, u, refs[i].session)
			if err != nil {
				return err
			}
			inputs[i].Fused = w
		}
	}
	return nil
}

// fusedWork is the unit of a fused stage.
func (p *Plan) fusedWork(ctx context.Context, u *unitSeries, session int) (*Work, error) {
	var g gathered
	if err := p.gather(ctx, &g, u, session, false); err != nil {
		return nil, err
	}
	w := &Work{Stage: u.stage.def, Keys: map[string]string{}, Inputs: inputRefs(g.refs), refs: g.refs, of: u.stage}
	for _, kv := range u.unitKeys(session).Pairs() {
		w.Keys[kv.Key] = kv.Value
	}
	return w, p.fuse(ctx, w.Inputs, g.refs)
}

// Fused says how to make a partition that is not stored. ok is false for one that
// is, or that nothing is there to make from.
func (p *Plan) Fused(ctx context.Context, part addr.Partition) (w *Work, ok bool, err error) {
	d := p.datasets[part.Dataset]
	if d == nil || !d.def.Unstored {
		return nil, false, nil
	}
	keys, session, err := d.split(part.Keys)
	if err != nil {
		return nil, false, fmt.Errorf("%s: %w", part, err)
	}
	s := d.byKeys[keys]
	if s == nil || s.producer == nil || len(s.producer.days.Intersect(calendar.Span(session, session+1))) == 0 {
		return nil, false, nil
	}
	w, err = p.fusedWork(ctx, s.producer, session)
	return w, err == nil, err
}

// Made records from what a unit makes its first output where no manifest does: that
// is not stored, or has no partition. inputs and their digests stand in the order of
// Inputs.
func (w *Work) Made(inputs []manifest.Input, digests []manifest.Sum) *manifest.Made {
	return &manifest.Made{
		Stage: w.Stage.Addr.String(), Transform: w.Stage.Spec.Name, Version: w.Stage.Spec.Version,
		Contract: manifest.Contract{Path: w.Dataset().ContractPath, Digest: w.Dataset().Contract.Digest}, Params: w.Stage.Params,
		Definition: w.Stage.DefinitionLines(), Fingerprint: w.Fingerprint(digests), Inputs: inputs,
	}
}

// Dataset returns the one dataset that a fused unit makes.
func (w *Work) Dataset() *graph.Dataset { return w.Stage.Outputs[0].To }
