package exec

import (
	"context"
	"io"

	"github.com/apache/arrow/go/v17/arrow"

	"dag/engine/addr"
	"dag/engine/lake"
	"dag/engine/manifest"
	"dag/engine/plan"
	"dag/engine/stage"
)

// reader gives a transform what its work reads. A unit has one, and so has every
// fused stage that runs inside it.
type reader struct {
	from *opened
	work *plan.Work
}

// opened is what one unit has opened, for itself and for the stages fused into it.
type opened struct {
	ctx   context.Context
	lake  *lake.Lake
	parts map[addr.Partition]*lake.Partition
	files map[string]*lake.SourceFile // by partition and name
	read  func(rows int64)            // told of rows that come from the lake
	// fused takes the metrics of a fused stage that has run to its end; nil: they
	// are not wanted.
	fused func(w *plan.Work, m manifest.Metrics)
	// scratch opens a temporary file.
	scratch func() (stage.ScratchFile, error)
}

func (r *reader) Key(name string) string { return r.work.Keys[name] }

func (r *reader) Params() stage.Params { return r.work.Stage.Params }

func (r *reader) Scratch() (stage.ScratchFile, error) { return r.from.scratch() }

func (r *reader) Files(port string) []stage.File {
	var out []stage.File
	for i := range r.work.Inputs {
		if in := &r.work.Inputs[i]; in.Port == port && in.Source {
			out = append(out, &rawFile{r.from, in})
		}
	}
	return out
}

func (r *reader) Partitions(port string) []stage.Partition {
	var out []stage.Partition
	for i := range r.work.Inputs {
		if in := &r.work.Inputs[i]; in.Port == port && !in.Source {
			out = append(out, r.from.partition(in))
		}
	}
	return out
}

func (r *reader) Read(port string, columns ...string) stage.Batches {
	return func(yield func(arrow.Record, error) bool) {
		for _, p := range r.Partitions(port) {
			for rec, err := range p.Read(columns...) {
				if !yield(rec, err) || err != nil {
					return
				}
			}
		}
	}
}

// partition is an input as transforms see it.
func (o *opened) partition(in *plan.InputRef) stage.Partition {
	if in.Fused != nil {
		return &fusedPartition{o, in}
	}
	return &inputPartition{o, in.Partition}
}

// open opens an input partition once.
func (o *opened) open(p addr.Partition) (*lake.Partition, error) {
	if got := o.parts[p]; got != nil {
		return got, nil
	}
	got, err := o.lake.OpenPartition(p)
	if err != nil {
		return nil, err
	}
	o.parts[p] = got
	return got, nil
}

// source opens a source's file once, so that what was read is what is hashed.
func (o *opened) source(in *plan.InputRef) (*lake.SourceFile, error) {
	id := in.Partition.String() + "/" + in.File
	if f := o.files[id]; f != nil {
		return f, nil
	}
	f, err := o.lake.OpenSource(in.Partition.Dataset, in.Series, in.File)
	if err != nil {
		return nil, err
	}
	o.files[id] = f
	return f, nil
}

// inputs records what a unit read, with the digests of what was really there.
func (o *opened) inputs(w *plan.Work) ([]manifest.Input, []manifest.Sum, error) {
	list := make([]manifest.Input, len(w.Inputs))
	digests := make([]manifest.Sum, len(w.Inputs))
	for i := range w.Inputs {
		var err error
		if list[i], digests[i], err = o.input(&w.Inputs[i]); err != nil {
			return nil, nil, err
		}
	}
	return list, digests, nil
}

// input records one input. The digest of a partition that is not stored is the
// fingerprint of what it was made from.
func (o *opened) input(in *plan.InputRef) (manifest.Input, manifest.Sum, error) {
	m, sum := manifest.Input{Port: in.Port, Partition: in.Partition.String()}, in.Digest
	var err error
	switch {
	case in.Source:
		var f *lake.SourceFile
		if f, err = o.source(in); err != nil {
			return m, sum, err
		}
		m.File, m.Bytes, m.ModTime = f.Path(), f.Size(), f.ModTime()
		sum, err = f.Digest(o.ctx)
	case in.Fused != nil:
		var read []manifest.Input
		var digests []manifest.Sum
		if read, digests, err = o.inputs(in.Fused); err != nil {
			return m, sum, err
		}
		m.Made = in.Fused.Made(read, digests)
		sum, err = manifest.ParseSum(m.Made.Fingerprint.Sum)
	case o.parts[in.Partition] != nil:
		sum = o.parts[in.Partition].Digest()
	}
	m.Digest = sum.String()
	return m, sum, err
}

// close lets go of the inputs.
func (o *opened) close() {
	for _, p := range o.parts {
		p.Close() // read only: nothing can be lost
	}
}

// inputPartition is a stage.Partition that opens on first use.
type inputPartition struct {
	from *opened
	addr addr.Partition
}

func (p *inputPartition) Keys() addr.Keys { return p.addr.Keys }

func (p *inputPartition) Rows() int64 {
	in, err := p.from.open(p.addr)
	if err != nil {
		return 0 // Read reports the error
	}
	return in.Rows()
}

func (p *inputPartition) Read(columns ...string) stage.Batches {
	return func(yield func(arrow.Record, error) bool) {
		in, err := p.from.open(p.addr)
		if err != nil {
			yield(nil, err)
			return
		}
		for rec, err := range in.Read(p.from.ctx, columns...) {
			if err == nil {
				err = p.from.ctx.Err()
			}
			if err != nil {
				yield(nil, err)
				return
			}
			p.from.read(rec.NumRows())
			if !yield(rec, nil) {
				return
			}
		}
	}
}

// rawFile is a stage.File of a source.
type rawFile struct {
	from *opened
	in   *plan.InputRef
}

func (f *rawFile) Name() string {
	folder, err := f.from.lake.SourceFolder(f.in.Partition.Dataset, f.in.Series)
	if err != nil {
		return f.in.File // Open reports the error
	}
	return folder + "/" + f.in.File
}

func (f *rawFile) Open() (io.ReadCloser, error) {
	src, err := f.from.source(f.in)
	if err != nil {
		return nil, err
	}
	return src.Open()
}
