package exec

import (
	"io"

	"github.com/apache/arrow/go/v17/arrow"

	"dag/engine/addr"
	"dag/engine/lake"
	"dag/engine/stage"
)

// inputPartition is a stage.Partition that opens on first use.
type inputPartition struct {
	t *task
	i int // position in the work's inputs
}

func (p *inputPartition) Keys() addr.Keys { return p.t.work.Inputs[p.i].Partition.Keys }

func (p *inputPartition) Rows() int64 {
	in, err := p.t.open(p.i)
	if err != nil {
		return 0 // Read reports the error
	}
	return in.Rows()
}

func (p *inputPartition) Read(columns ...string) stage.Batches {
	return func(yield func(arrow.Record, error) bool) {
		in, err := p.t.open(p.i)
		if err != nil {
			yield(nil, err)
			return
		}
		for rec, err := range in.Read(p.t.ctx, columns...) {
			if err == nil {
				err = p.t.ctx.Err()
			}
			if err != nil {
				yield(nil, err)
				return
			}
			p.t.progress(&p.t.rowsIn, rec.NumRows())
			if !yield(rec, nil) {
				return
			}
		}
	}
}

// rawFile is a stage.File of a source.
type rawFile struct {
	t *task
	i int
}

func (f *rawFile) Name() string {
	in := f.t.work.Inputs[f.i]
	folder, err := f.t.run.lake.SourceFolder(in.Partition.Dataset, in.Series)
	if err != nil {
		return in.File // Open reports the error
	}
	return folder + "/" + in.File
}

func (f *rawFile) Open() (io.ReadCloser, error) {
	src, err := f.t.source(f.i)
	if err != nil {
		return nil, err
	}
	return src.Open()
}

// source opens a source's file once, so that what was read is what is hashed.
func (t *task) source(i int) (*lake.SourceFile, error) {
	if f := t.files[i]; f != nil {
		return f, nil
	}
	in := t.work.Inputs[i]
	f, err := t.run.lake.OpenSource(in.Partition.Dataset, in.Series, in.File)
	if err != nil {
		return nil, err
	}
	t.files[i] = f
	return f, nil
}
