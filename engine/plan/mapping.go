package plan

import (
	"context"
	"fmt"

	"dag/engine/addr"
	"dag/engine/manifest"
)

// Mapped is one input that the mapping names for a partition, whether or not it is
// there.
type Mapped struct {
	Port      string
	Partition addr.Partition
	Files     []string // of a source
	State     State
}

// Mapping lists what the unit that makes a partition reads, port by port. It is an
// error for a partition that no stage makes.
func (p *Plan) Mapping(part addr.Partition) ([]Mapped, error) {
	d := p.datasets[part.Dataset]
	if d == nil {
		return nil, fmt.Errorf("there is no dataset %s", part.Dataset)
	}
	keys, session, err := d.split(part.Keys)
	if err != nil {
		return nil, err
	}
	s := d.byKeys[keys]
	if s == nil {
		return nil, fmt.Errorf("%s is neither in the lake nor to be made", part)
	}
	u, i, ok := p.makerOf(s, session)
	if !ok {
		return nil, fmt.Errorf("no stage makes %s", part)
	}
	var out []Mapped
	for k, in := range u.stage.def.Inputs {
		lo, hi := u.span(in, k, i)
		for _, from := range u.inputs[k] {
			for d := max(lo, 0); d < min(hi, len(from.cells)); d++ {
				m := Mapped{Port: in.Port, Partition: from.partition(d), State: from.state(d)}
				for _, f := range from.byDay[d] {
					m.Files = append(m.Files, from.files[f].Name)
				}
				if from.of.def.Source && m.Files == nil {
					m.State = MissingNow
				}
				if collects(in.Collect) && m.State == MissingNow {
					continue // of what is collected, only what is there counts
				}
				out = append(out, m)
			}
		}
	}
	return out, nil
}

func collects(keys []string) bool { return len(keys) > 0 }

// Lineage is one step of what was really read: a partition or a source's file,
// with its digest.
type Lineage struct {
	Port      string
	Partition addr.Partition
	File      string
	Digest    string // that was read
	Now       string // that lies there now; empty for nothing
	Stage     string // that made it; empty for a source's file and another tool's data
	Steps     []Lineage
}

// Read follows the manifests from a partition up to the sources, depth steps far.
func (p *Plan) Read(ctx context.Context, part addr.Partition, depth int) (Lineage, error) {
	m, err := p.lake.Manifest(part)
	if err != nil {
		return Lineage{}, err
	}
	l := Lineage{Partition: part, Digest: m.Digest, Now: m.Digest, Stage: m.Stage}
	if depth == 0 {
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
			if above, err := p.Read(ctx, step.Partition, depth-1); err == nil {
				step.Stage, step.Steps, step.Now = above.Stage, above.Steps, above.Now
			} else {
				step.Now = p.digestNow(step.Partition)
			}
		}
		l.Steps = append(l.Steps, step)
	}
	return l, nil
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
	l := Lineage{Partition: part, Digest: p.digestNow(part), Now: p.digestNow(part)}
	if m, err := p.lake.Manifest(part); err == nil {
		l.Stage = m.Stage
	}
	if depth == 0 {
		return l, nil
	}
	for _, st := range p.stages {
		for _, in := range st.def.Inputs {
			if in.From.Addr != part.Dataset {
				continue
			}
			for _, o := range st.def.Outputs {
				steps, err := p.readers(ctx, o.To.Addr, part, depth)
				if err != nil {
					return l, err
				}
				l.Steps = append(l.Steps, steps...)
			}
			break
		}
	}
	return l, nil
}

// readers looks for part in the manifests of a dataset.
func (p *Plan) readers(ctx context.Context, d addr.Dataset, part addr.Partition, depth int) ([]Lineage, error) {
	var out []Lineage
	for _, s := range p.datasets[d].series {
		for i := range s.cells {
			if t := s.cells[i].trace; t == nil || t.State != manifest.Complete {
				continue
			}
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			m, err := p.lake.Manifest(s.partition(i))
			if err != nil {
				continue
			}
			for _, in := range m.Inputs {
				if in.Partition != part.String() {
					continue
				}
				below, err := p.ReadBy(ctx, s.partition(i), depth-1)
				if err != nil {
					return nil, err
				}
				below.Port, below.Digest = in.Port, in.Digest
				out = append(out, below)
				break
			}
		}
	}
	return out, nil
}
