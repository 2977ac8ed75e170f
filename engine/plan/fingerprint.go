package plan

import (
	"context"
	"fmt"
	"strings"

	"dag/engine/addr"
	"dag/engine/graph"
	"dag/engine/manifest"
)

// ref is one partition that a unit reads, or one file of a source.
type ref struct {
	port    string
	series  *series
	session int
	file    *manifest.SourceFile // of a source
	digest  manifest.Sum
	// windowed is set for a member of a window over dates.
	windowed bool
	// members is set where the ref stands for all of a series' sessions in a window,
	// from session on; they are not looked at one by one.
	members members
}

// describe adds what is read, and its content.
func (r *ref) describe(h *manifest.Hasher) {
	h.Text(r.port).Text(string(r.series.keys))
	if d := r.series.of; d.sessions != nil {
		h.Int(int64(d.sessions.Day(r.session)))
	}
	h.Text(r.fileName()).Sum(r.digest)
}

func (r *ref) partition() addr.Partition { return r.series.partition(r.session) }

func (r *ref) fileName() string {
	if r.file == nil {
		return ""
	}
	return r.file.Name
}

// fingerprint sums up what a unit's outputs are made from.
func (st *stageState) fingerprint(refs []ref) manifest.Fingerprint {
	c, in := st.parts, inputsSum(manifest.NewHasher(""), manifest.NewHasher(""), refs)
	return manifest.Fingerprint{
		Sum:        total(manifest.NewHasher(""), st.static, in).String(),
		Definition: c.definition.String(),
		Params:     c.params.String(),
		Transform:  c.transform.String(),
		Contract:   c.contract.String(),
		Inputs:     in.String(),
	}
}

// components are the parts of a fingerprint that are the same for all units of
// a stage.
type components struct{ definition, params, transform, contract manifest.Sum }

func staticParts(s *graph.Stage) (components, manifest.Sum) {
	contract := manifest.NewHasher("contract")
	for _, o := range s.Outputs {
		contract.Text(o.Port).Text(o.To.Contract.Digest)
		for _, t := range o.To.Tables {
			contract.Text(t.Name).Text(t.Contract.Digest)
		}
	}
	c := components{
		definition: manifest.NewHasher("definition").Text(s.Definition()).Done(),
		params:     manifest.NewHasher("params").Text(s.ParamsText()).Done(),
		transform:  manifest.NewHasher("transform").Text(fmt.Sprintf("%s@%d", s.Spec.Name, s.Spec.Version)).Done(),
		contract:   contract.Done(),
	}
	return c, manifest.NewHasher("static").Sum(c.definition).Sum(c.params).Sum(c.transform).Sum(c.contract).Done()
}

// total and inputsSum take the hasher to use: planning makes millions of sums.
func total(h *manifest.Hasher, static, inputs manifest.Sum) manifest.Sum {
	return h.Reset("fingerprint").Sum(static).Sum(inputs).Done()
}

// inputsSum covers which partitions and files are read, and their content. Those of
// a window over dates enter as one sum, for which member is another hasher to use.
func inputsSum(h, memberHasher *manifest.Hasher, refs []ref) manifest.Sum {
	h.Reset("inputs")
	var w members
	for i := range refs {
		r := &refs[i]
		switch {
		case !r.windowed:
			r.describe(h)
			continue
		case r.members.n > 0:
			w = w.plus(r.members)
		default:
			w = w.plus(member(memberHasher, r))
		}
		if i == len(refs)-1 || refs[i+1].port != r.port {
			h.Text(r.port).Int(int64(w.n)).Int(int64(w.hi)).Int(int64(w.lo))
			w = members{}
		}
	}
	return h.Done()
}

// gathered is what a unit reads, as far as it is known.
type gathered struct {
	refs []ref
	// changing are the inputs that are to be made again, or for the first time.
	changing []pendingInput
	// lacking names an input that the unit cannot do without and nobody makes.
	lacking string
	short   string // why a window is too short, where that is an error
}

type pendingInput struct {
	port    string
	series  *series
	session int
	absent  bool // there is no data of it now
}

// gather collects what the unit of a session reads. Digests of sources are
// computed only if hash is set; they are zero where they are not known.
func (p *Plan) gather(ctx context.Context, g *gathered, u *unitSeries, session int, hash bool) error {
	return p.gatherCondensed(ctx, g, u, session, hash, nil)
}

// gatherCondensed is gather with the partitions of windows in one ref each, where w
// has their running sums and none of them is pending.
func (p *Plan) gatherCondensed(ctx context.Context, g *gathered, u *unitSeries, session int, hash bool, w windows) error {
	for i, in := range u.stage.def.Inputs {
		lo, hi := u.span(in, i, session)
		begin := len(g.refs)
		for k, s := range u.inputs[i] {
			lo, hi := max(lo, 0), min(hi, len(s.cells))
			if lo < hi && w != nil && len(w[i]) > 0 && g.condensed(in.Port, s, &w[i][k], lo, hi) {
				continue
			}
			for d := lo; d < hi; d++ {
				var err error
				switch {
				case s.of.def.Source:
					err = p.gatherFiles(ctx, g, in.Port, s, d, hash)
				case s.producer != nil:
					err = p.gatherFused(ctx, g, in.Port, s, d, hash)
				default:
					g.add(in.Port, s, d)
				}
				if err != nil {
					return err
				}
			}
		}
		if in.Window != nil && in.Window.Dates {
			for k := begin; k < len(g.refs); k++ {
				g.refs[k].windowed = true
			}
		}
		n := g.partitions(in.Port)
		switch {
		case in.Window != nil && n < in.Window.Min && in.Window.OnShort == "fail":
			g.short = fmt.Sprintf("its window over %s holds %d %s, fewer than the %d it needs", in.From.Addr, n, windowUnit(in.Window), in.Window.Min)
		case n == 0 && (in.Window == nil || in.Window.OnShort != "run"):
			g.lacking = in.From.Addr.String()
		}
	}
	return nil
}

func windowUnit(w *graph.Window) string {
	if w.Dates {
		return "sessions"
	}
	return "values of " + w.Key
}

// reset empties g and keeps its memory.
func (g *gathered) reset() { *g = gathered{refs: g.refs[:0], changing: g.changing[:0]} }

// preconditions gathers what a unit reads without hashing anything.
func (p *Plan) preconditions(u *unitSeries, session int) (gathered, error) {
	var g gathered
	err := p.gather(context.Background(), &g, u, session, false)
	return g, err
}

// partitions counts the distinct partitions gathered for a port.
func (g *gathered) partitions(port string) int {
	n := 0
	for i := range g.refs {
		r := &g.refs[i]
		switch {
		case r.port != port:
		case r.members.n > 0:
			n += r.members.n
		case i == 0 || g.refs[i-1].port != port || g.refs[i-1].series != r.series || g.refs[i-1].session != r.session:
			n++
		}
	}
	for i := range g.changing {
		if c := &g.changing[i]; c.port == port && c.absent {
			n++
		}
	}
	return n
}

// span returns the sessions [lo,hi) of an input that a unit's session reads.
func (u *unitSeries) span(in graph.Input, i, session int) (int, int) {
	if len(u.inputs[i]) == 0 {
		return 0, 0
	}
	d := u.inputs[i][0].of
	switch {
	case d.sessions == nil:
		return 0, 1
	case u.stage.dateKey == nil || d.dateKey != u.stage.dateKey.Name:
		return 0, d.sessions.Len()
	case in.Window != nil && in.Window.Dates:
		return session + in.Window.Lo, session + in.Window.Hi + 1
	}
	for _, c := range in.Collect {
		if c == d.dateKey {
			return 0, d.sessions.Len()
		}
	}
	return session, session + 1
}

// add notes one partition of a dataset.
func (g *gathered) add(port string, s *series, session int) {
	c := &s.cells[session]
	has := c.trace != nil && c.trace.State.HasData()
	if c.pending != settled {
		g.changing = append(g.changing, pendingInput{port, s, session, !has})
	}
	if has {
		g.refs = append(g.refs, ref{port: port, series: s, session: session, digest: c.trace.Digest})
	}
}

// gatherFiles notes the files of a source's partition.
func (p *Plan) gatherFiles(ctx context.Context, g *gathered, port string, s *series, session int, hash bool) error {
	for _, f := range s.byDay[session] {
		file := &s.files[f]
		if hash && file.Digest == (manifest.Sum{}) {
			sum, err := p.lake.Digest(ctx, s.of.def.Addr, s.keys, file.Name)
			if err != nil {
				return err
			}
			file.Digest = sum
		}
		g.refs = append(g.refs, ref{port: port, series: s, session: session, file: file, digest: file.Digest})
	}
	return nil
}

// differ finds the first difference between what is recorded and what a unit would
// be made from now. Where that is an input that is not stored, it is followed.
func (p *Plan) differ(st *stageState, m *manifest.Made, refs []ref) Reason {
	s, now, was := st.def, st.fingerprint(refs), m.Fingerprint
	switch {
	case was.Definition != now.Definition:
		old, new := differingLines(m.Definition, s.DefinitionLines())
		return Reason{Code: StageChanged, Old: old, New: new}
	case was.Transform != now.Transform:
		return Reason{Code: TransformChanged, Old: fmt.Sprintf("%s version %d", m.Transform, m.Version), New: fmt.Sprintf("%s version %d", s.Spec.Name, s.Spec.Version)}
	case was.Params != now.Params:
		old, new := differingParams(m.Params, s.ParamsText())
		return Reason{Code: ParamsChanged, Old: old, New: new}
	case was.Contract != now.Contract:
		old, new := differingContract(m.Contract, s)
		return Reason{Code: ContractChanged, Old: old, New: new}
	}
	r, of, made := differingInput(m.Inputs, refs)
	if made == nil || of.series.producer == nil {
		return r
	}
	u := of.series.producer
	if g, err := p.preconditions(u, of.session); err == nil { // what it reads has been hashed for st
		r.Through = p.differ(u.stage, made, g.refs).links(of.partition())
	}
	return r
}

// differingInput compares what was read with what would be. Of an input that has
// changed it also returns what it is now, and how it was made if it was not stored.
func differingInput(was []manifest.Input, now []ref) (r Reason, of *ref, made *manifest.Made) {
	type id struct{ port, partition, file string }
	old := map[id]manifest.Input{}
	for _, in := range was {
		old[id{in.Port, in.Partition, base(in.File)}] = in
	}
	var added *ref
	for i := range now {
		ref := &now[i]
		part := ref.partition()
		key := id{ref.port, part.String(), ref.fileName()}
		in, ok := old[key]
		delete(old, key)
		switch {
		case !ok && added == nil:
			added = ref
		case ok && in.Digest != ref.digest.String():
			return Reason{Code: InputChanged, Cause: &part, File: ref.fileName(), Old: in.Digest, New: ref.digest.String()}, ref, in.Made
		}
	}
	if added != nil {
		part := added.partition()
		return Reason{Code: InputAdded, Cause: &part, File: added.fileName(), New: added.digest.String()}, nil, nil
	}
	for _, in := range was {
		if gone, ok := old[id{in.Port, in.Partition, base(in.File)}]; ok {
			r = Reason{Code: InputRemoved, File: base(gone.File), Old: gone.Digest}
			if part, err := addr.ParsePartition(gone.Partition); err == nil {
				r.Cause = &part
			}
			return r, nil, nil
		}
	}
	return Reason{Code: InputChanged}, nil, nil
}

func base(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }
