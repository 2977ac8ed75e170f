package plan

import (
	"context"
	"errors"
	"fmt"
	"math"

	"dag/engine/addr"
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

// Read follows the manifests from a partition up to the sources, depth steps far.
func (p *Plan) Read(ctx context.Context, part addr.Partition, depth int) (Lineage, error) {
	if d := p.datasets[part.Dataset]; d != nil && d.def.Source {
		return Lineage{}, fmt.Errorf("%s: %w", part, ErrSource)
	}
	return p.read(ctx, part, depth, followed{})
}

func (p *Plan) read(ctx context.Context, part addr.Partition, depth int, seen followed) (Lineage, error) {
	m, err := p.lake.Manifest(part)
	if err != nil {
		return Lineage{}, err
	}
	l := Lineage{Partition: part, Digest: m.Digest, Now: m.Digest, Stage: m.Stage, cut: depth == 0}
	if l.cut || seen.repeats(&l, depth) {
		return l, nil
	}
	for _, in := range m.Inputs {
		if err := ctx.Err(); err != nil {
			return l, err
		}
		step := Lineage{Port: in.Port, File: in.File, Digest: in.Digest}
		if step.Partition, err = addr.ParsePartition(in.Partition); err != nil {
			return l, fmt.Errorf("the manifest of %s names %q: %w", part, in.Partition, err)
		}
		if in.File == "" {
			if above, err := p.read(ctx, step.Partition, depth-1, seen); err == nil {
				step.Stage, step.Steps, step.Now, step.Repeated = above.Stage, above.Steps, above.Now, above.Repeated
				l.cut = l.cut || above.cut
			} else {
				step.Now, step.Stage = p.unrecorded(step)
			}
		}
		l.Steps = append(l.Steps, step)
	}
	seen.end(&l, depth)
	return l, nil
}

// unrecorded is what is known of an input without a manifest of ours: the digest of
// another tool's data; of what is not stored the stage, for nothing lies there.
func (p *Plan) unrecorded(step Lineage) (now, stage string) {
	if d := p.datasets[step.Partition.Dataset]; d != nil && d.def.Unstored {
		return step.Digest, p.Graph.Producer(d.def.Addr).Addr.String()
	}
	return p.digestNow(step.Partition), ""
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
	now := r.plan.digestNow(part)
	l := Lineage{Partition: part, Digest: now, Now: now}
	if m, err := r.plan.lake.Manifest(part); err == nil {
		l.Stage = m.Stage
	}
	if l.cut = depth == 0; l.cut || r.seen.repeats(&l, depth) {
		return l, nil
	}
	for _, st := range r.plan.stages {
		if !st.reads(part.Dataset) {
			continue
		}
		for _, o := range st.def.Outputs {
			if err := r.index(ctx, o.To.Addr); err != nil {
				return l, err
			}
			for _, by := range r.of[o.To.Addr][part.String()] {
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
	by := map[string][]Lineage{}
	r.of[d] = by
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
			for _, in := range m.Inputs {
				list := by[in.Partition]
				if n := len(list); n > 0 && list[n-1].Partition == part {
					continue // several ports, or several files of a source
				}
				by[in.Partition] = append(list, Lineage{Port: in.Port, Partition: part, Digest: in.Digest})
			}
		}
	}
	return nil
}
