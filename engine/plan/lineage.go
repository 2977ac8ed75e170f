package plan

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"dag/engine/addr"
	"dag/engine/graph"
	"dag/engine/manifest"
)

// Lineage is one step of what was really read: a partition or a source's file,
// with its digest.
type Lineage struct {
	Port      string
	Partition addr.Partition
	File      string
	Digest    string // that was read
	Now       string // that lies there now; empty for nothing
	Stage     string // that made it; empty for a source's file and another tool's data
	// Unstored is set for what is made inside its readers: digests are fingerprints.
	Unstored bool
	// Repeated is set where the partition has occurred before: its Steps stand there.
	Repeated bool
	Steps    []Lineage

	cut bool // by the depth, here or below
}

// followed is how many steps were followed from partitions that have occurred.
type followed map[addr.Partition]int

// whole stands for all steps there are.
const whole = math.MaxInt

// repeats tells whether as many steps have been followed from the partition before.
func (f followed) repeats(l *Lineage, depth int) bool {
	n, ok := f[l.Partition]
	l.Repeated = ok && n >= depth
	l.cut = l.Repeated && n < whole
	return l.Repeated
}

// end notes what was followed from a partition.
func (f followed) end(l *Lineage, depth int) {
	if f[l.Partition] = depth; !l.cut {
		f[l.Partition] = whole
	}
}

// ErrSource is what Read's error wraps for a partition of a source.
var ErrSource = errors.New("it is delivered, and made from nothing")

// Read follows the manifests from a partition up to the sources, depth steps far. A
// partition that is not stored has none: its steps are what it would be made from now.
func (p *Plan) Read(ctx context.Context, part addr.Partition, depth int) (Lineage, error) {
	if d := p.datasets[part.Dataset]; d != nil && d.def.Source {
		return Lineage{}, fmt.Errorf("%s: %w", part, ErrSource)
	}
	return p.read(ctx, part, depth, followed{})
}

func (p *Plan) read(ctx context.Context, part addr.Partition, depth int, seen followed) (Lineage, error) {
	l := Lineage{Partition: part}
	var inputs []manifest.Input
	if p.unstored(part.Dataset) {
		w, sum, err := p.fusedNow(ctx, part)
		if err != nil {
			return l, err
		}
		l.Digest, l.Stage, l.Unstored = sum, w.Stage.Addr.String(), true
		for _, in := range w.Inputs {
			inputs = append(inputs, manifest.Input{Port: in.Port, Partition: in.Partition.String(), File: in.File, Digest: in.Digest.String()})
		}
	} else {
		m, err := p.lake.Manifest(part)
		if err != nil {
			return l, err
		}
		l.Digest, l.Stage, inputs = m.Digest, m.Stage, m.Inputs
	}
	l.Now = l.Digest
	return l, p.steps(ctx, &l, inputs, depth, seen)
}

// steps follows what a partition was made from.
func (p *Plan) steps(ctx context.Context, l *Lineage, inputs []manifest.Input, depth int, seen followed) error {
	if l.cut = depth == 0; l.cut || seen.repeats(l, depth) {
		return nil
	}
	for _, in := range inputs {
		if err := ctx.Err(); err != nil {
			return err
		}
		step, err := p.step(ctx, in, depth-1, seen)
		if err != nil {
			return fmt.Errorf("what is recorded of %s: %w", l.Partition, err)
		}
		l.Steps, l.cut = append(l.Steps, step), l.cut || step.cut
	}
	seen.end(l, depth)
	return nil
}

// step follows one input.
func (p *Plan) step(ctx context.Context, in manifest.Input, depth int, seen followed) (Lineage, error) {
	step := Lineage{Port: in.Port, File: in.File, Digest: in.Digest}
	var err error
	if step.Partition, err = addr.ParsePartition(in.Partition); err != nil || in.File != "" {
		return step, err
	}
	if in.Made != nil {
		step.Stage, step.Unstored, step.Now = in.Made.Stage, true, p.fingerprintNow(ctx, step.Partition)
		return step, p.steps(ctx, &step, in.Made.Inputs, depth, seen)
	}
	above, err := p.read(ctx, step.Partition, depth, seen)
	if err != nil {
		step.Now = p.digestNow(step.Partition)
		return step, ctx.Err()
	}
	above.Port, above.Digest = in.Port, in.Digest
	if above.Unstored && above.Now != in.Digest {
		above.Steps = nil // nothing tells what it was made from then
	}
	return above, nil
}

// unstored tells whether a dataset is made inside its readers.
func (p *Plan) unstored(d addr.Dataset) bool {
	return p.datasets[d] != nil && p.datasets[d].def.Unstored
}

// fusedNow is how a partition that is not stored would be made now, and its
// fingerprint.
func (p *Plan) fusedNow(ctx context.Context, part addr.Partition) (*Work, string, error) {
	var g gathered
	u, session, ok := p.makerAt(part)
	if ok {
		if err := p.gather(ctx, &g, u, session, true); err != nil { // hashes sources, too
			return nil, "", err
		}
	}
	if !ok || g.lacking != "" {
		return nil, "", fmt.Errorf("%s is not stored, and nothing is there to make it from", part)
	}
	w, err := p.fusedWork(ctx, u, session)
	return w, u.stage.sumOf(g.refs).String(), err
}

// fingerprintNow is what a partition is made from now; empty where that is unknown.
func (p *Plan) fingerprintNow(ctx context.Context, part addr.Partition) string {
	if p.unstored(part.Dataset) {
		_, sum, err := p.fusedNow(ctx, part)
		if err != nil {
			return ""
		}
		return sum
	}
	m, err := p.lake.Manifest(part)
	if err != nil {
		return ""
	}
	return m.Fingerprint.Sum
}

// digestNow is the digest of a partition without a manifest of ours.
func (p *Plan) digestNow(part addr.Partition) string {
	d := p.datasets[part.Dataset]
	if d == nil {
		return ""
	}
	keys, session, err := d.split(part.Keys)
	if err != nil || d.byKeys[keys] == nil {
		return ""
	}
	if t := d.byKeys[keys].cells[session].trace; t != nil && t.State.HasData() {
		return t.Digest.String()
	}
	return ""
}

// ReadBy lists the partitions whose manifests say that they read part, and those
// that read them, depth steps far.
func (p *Plan) ReadBy(ctx context.Context, part addr.Partition, depth int) (Lineage, error) {
	r := &readers{plan: p, of: map[addr.Dataset]map[string][]Lineage{}, seen: followed{}}
	return r.follow(ctx, part, depth)
}

// readers looks manifests up by what they read.
type readers struct {
	plan *Plan
	// of each dataset that has been looked at: who reads a partition. Every
	// manifest is read once.
	of   map[addr.Dataset]map[string][]Lineage
	seen followed
}

func (r *readers) follow(ctx context.Context, part addr.Partition, depth int) (Lineage, error) {
	l := Lineage{Partition: part, Unstored: r.plan.unstored(part.Dataset)}
	if l.Unstored {
		l.Stage, l.Now = r.plan.Graph.Producer(part.Dataset).Addr.String(), r.plan.fingerprintNow(ctx, part)
	} else {
		l.Now = r.plan.digestNow(part)
		if m, err := r.plan.lake.Manifest(part); err == nil {
			l.Stage = m.Stage
		}
	}
	l.Digest = l.Now
	if l.cut = depth == 0; l.cut || r.seen.repeats(&l, depth) {
		return l, nil
	}
	for _, st := range r.plan.stages {
		if !st.reads(part.Dataset) {
			continue
		}
		for _, o := range st.def.Outputs {
			list, err := r.through(ctx, o.To, part)
			if err != nil {
				return l, err
			}
			for _, by := range list {
				below, err := r.follow(ctx, by.Partition, depth-1)
				if err != nil {
					return l, err
				}
				below.Port, below.Digest = by.Port, by.Digest
				l.Steps, l.cut = append(l.Steps, below), l.cut || below.cut
			}
		}
	}
	r.seen.end(&l, depth)
	return l, nil
}

// through lists the partitions of d that have read part. What is recorded of those
// that are not stored stands in the manifests of their readers.
func (r *readers) through(ctx context.Context, d *graph.Dataset, part addr.Partition) ([]Lineage, error) {
	var out []Lineage
	known := map[addr.Partition]bool{}
	for _, stored := range r.plan.storedBelow(d) {
		if err := r.index(ctx, stored); err != nil {
			return nil, err
		}
		for _, by := range r.of[stored][part.String()] {
			if by.Partition.Dataset == d.Addr && !known[by.Partition] {
				known[by.Partition] = true
				out = append(out, by)
			}
		}
	}
	return out, nil
}

// storedBelow is d, or the datasets whose stages make d while they run.
func (p *Plan) storedBelow(d *graph.Dataset) []addr.Dataset {
	if !d.Unstored {
		return []addr.Dataset{d.Addr}
	}
	var out []addr.Dataset
	for _, st := range p.stages {
		if !st.reads(d.Addr) {
			continue
		}
		for _, o := range st.def.Outputs {
			for _, below := range p.storedBelow(o.To) {
				if !slices.Contains(out, below) {
					out = append(out, below)
				}
			}
		}
	}
	return out
}

func (st *stageState) reads(d addr.Dataset) bool {
	for _, in := range st.def.Inputs {
		if in.From.Addr == d {
			return true
		}
	}
	return false
}

// index reads the manifests of a dataset, unless it has been done.
func (r *readers) index(ctx context.Context, d addr.Dataset) error {
	if r.of[d] != nil {
		return nil
	}
	r.of[d] = map[string][]Lineage{}
	for _, s := range r.plan.datasets[d].series {
		for i := range s.cells {
			if t := s.cells[i].trace; t == nil || t.State != manifest.Complete {
				continue
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			part := s.partition(i)
			m, err := r.plan.lake.Manifest(part)
			if err != nil {
				continue // it has been replaced since it was listed: the next look finds it
			}
			note(r.of[d], m.Inputs, part)
		}
	}
	return nil
}

// note adds what a partition has read, and what was read for it.
func note(by map[string][]Lineage, inputs []manifest.Input, part addr.Partition) {
	for _, in := range inputs {
		list := by[in.Partition]
		if n := len(list); n == 0 || list[n-1].Partition != part { // else: several ports, or several files of a source
			by[in.Partition] = append(list, Lineage{Port: in.Port, Partition: part, Digest: in.Digest})
		}
		if in.Made == nil {
			continue
		}
		if inner, err := addr.ParsePartition(in.Partition); err == nil {
			note(by, in.Made.Inputs, inner)
		}
	}
}
