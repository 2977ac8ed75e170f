package exec

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"dag/engine/addr"
	"dag/engine/contract"
	"dag/engine/lake"
	"dag/engine/manifest"
	"dag/engine/plan"
	"dag/engine/stage"
	"dag/engine/zip"
)

// fusedPartition is a partition that is not stored: reading it runs the stage that
// makes it, as far as its reader goes on reading. Nothing runs at the same time:
// what the stage writes is what its reader is handed.
type fusedPartition struct {
	from *opened
	in   *plan.InputRef
}

func (p *fusedPartition) Keys() addr.Keys { return p.in.Partition.Keys }

// Rows counts by reading.
func (p *fusedPartition) Rows() int64 {
	n := int64(0)
	for rec, err := range p.Read(p.in.Fused.Dataset().Contract.Schema.Field(0).Name) {
		if err != nil {
			return 0 // Read reports the error
		}
		n += rec.NumRows()
	}
	return n
}

func (p *fusedPartition) Read(columns ...string) stage.Batches {
	return readFused(p.from, p.in.Fused, columns)
}

// errEnough ends a fused stage whose reader wants no more.
var errEnough = errors.New("the reader has read enough")

// readFused streams the named columns of what a fused stage makes; none mean all.
func readFused(o *opened, w *plan.Work, columns []string) stage.Batches {
	return func(yield func(arrow.Record, error) bool) {
		whole := w.Dataset().Contract.Schema
		if len(columns) == 0 {
			for _, f := range whole.Fields() {
				columns = append(columns, f.Name)
			}
		}
		for _, c := range columns {
			if !whole.HasField(c) {
				yield(nil, fmt.Errorf("the contract of %s has no column %q", w.Dataset().Addr, c))
				return
			}
		}
		t := &fusedTask{reader: reader{o, w}, columns: columns, metrics: manifest.Metrics{}, yield: yield}
		if t.passes() {
			t.pass()
			return
		}
		defer t.close()
		err := w.Stage.Transform.Run(o.ctx, t)
		switch {
		case t.stopped:
		case err != nil:
			yield(nil, fmt.Errorf("%s, which is not stored: %w", w.Dataset().Addr, err))
		case o.fused != nil:
			o.fused(w, t.metrics)
		}
	}
}

// fusedTask is the stage.Task of a fused stage.
type fusedTask struct {
	reader
	columns []string // that its reader wants, in order
	metrics manifest.Metrics
	yield   func(arrow.Record, error) bool
	stopped bool     // the reader wants no more, or has been told of an error
	zip     *zip.Zip // completes what the output is given; nil: nothing is missing
}

// close lets go of what completes the output, which its transform may leave open.
func (t *fusedTask) close() {
	if t.zip != nil {
		t.zip.Close()
	}
}

// extension of the one port, narrowed to the columns wanted; nil for a port whose
// rows are the stage's own.
func (t *fusedTask) extension() *stage.Extension {
	e := t.work.Stage.Spec.Outputs[0].Extends
	if e == nil {
		return nil
	}
	out := &stage.Extension{Port: e.Port, Filter: e.Filter}
	for _, c := range e.Adds {
		if slices.Contains(t.columns, c) {
			out.Adds = append(out.Adds, c)
		}
	}
	return out
}

// passes tells whether all that is wanted is the input's: the stage adds columns,
// and none of those.
func (t *fusedTask) passes() bool {
	e := t.extension()
	return e != nil && !e.Filter && len(e.Adds) == 0
}

func (t *fusedTask) pass() {
	for rec, err := range t.Read(t.extension().Port, t.columns...) {
		if !t.yield(rec, err) || err != nil {
			return
		}
	}
}

func (t *fusedTask) Count(metric string, n int64) { t.metrics[metric] += n }

func (t *fusedTask) Output(port string, _ ...string) (stage.Writer, error) {
	if port != t.work.Stage.Outputs[0].Port {
		return nil, fmt.Errorf("the transform %s has no output port %q", t.work.Stage.Spec.Name, port)
	}
	w := &fusedWriter{t: t, expects: t.work.Dataset().Contract}
	e := t.extension()
	if e == nil {
		return w, nil
	}
	whole := w.expects.Schema
	w.expects = &contract.Contract{Name: w.expects.Name, Schema: zip.Given(t.work.Stage.Spec.Outputs[0].Extends, whole)}
	wanted := only(whole, func(name string) bool { return slices.Contains(t.columns, name) })
	if names := zip.Read(e, wanted); len(names) > 0 {
		w.adds = e.Adds
		t.zip = zip.New(e, wanted, t.Read(e.Port, names...))
	}
	return w, nil
}

func (t *fusedTask) OutputTable(string, string) (stage.Writer, error) { return nil, errOnlyRows }
func (t *fusedTask) OutputFile(string, string) (io.WriteCloser, error) {
	return nil, errOnlyRows
}

var errOnlyRows = errors.New("a stage whose output is not stored makes rows and nothing else")

// only keeps some fields of a schema.
func only(s *arrow.Schema, keep func(name string) bool) *arrow.Schema {
	var fields []arrow.Field
	for _, f := range s.Fields() {
		if keep(f.Name) {
			fields = append(fields, f)
		}
	}
	return arrow.NewSchema(fields, nil)
}

// fusedWriter hands what a fused stage writes to its reader.
type fusedWriter struct {
	t       *fusedTask
	expects *contract.Contract
	adds    []string // of what is given, those that are wanted; nil: all
}

func (w *fusedWriter) Write(rec arrow.Record) error {
	if w.t.stopped {
		return errEnough
	}
	if err := w.t.from.ctx.Err(); err != nil {
		return err
	}
	if err := w.expects.Check(rec); err != nil {
		return err
	}
	if w.t.zip == nil {
		return w.hand(rec)
	}
	if w.adds != nil && int(rec.NumCols()) != len(w.adds) {
		rec = project(rec, w.adds)
		defer rec.Release()
	}
	return w.t.zip.Each(rec, w.hand)
}

// hand gives rows to the reader, as it wants them.
func (w *fusedWriter) hand(rec arrow.Record) error {
	out := project(rec, w.t.columns)
	defer out.Release()
	if !w.t.yield(out, nil) {
		w.t.stopped = true
		return errEnough
	}
	return nil
}

func (w *fusedWriter) Close() error {
	if w.t.zip == nil || w.t.stopped {
		return nil
	}
	return w.t.zip.End()
}

// project returns the named columns of a record, which has them.
func project(rec arrow.Record, names []string) arrow.Record {
	s := rec.Schema()
	fields, cols := make([]arrow.Field, len(names)), make([]arrow.Array, len(names))
	for i, name := range names {
		at := s.FieldIndices(name)[0]
		fields[i], cols[i] = s.Field(at), rec.Column(at)
	}
	return array.NewRecord(arrow.NewSchema(fields, nil), cols, rec.NumRows())
}

// ReadFused streams a partition that is not stored, for those who want to look at
// it: w is how to make it. Nothing is written.
func ReadFused(ctx context.Context, l *lake.Lake, w *plan.Work, columns ...string) stage.Batches {
	return func(yield func(arrow.Record, error) bool) {
		o := &opened{
			ctx: ctx, lake: l, parts: map[addr.Partition]*lake.Partition{}, files: map[string]*lake.SourceFile{}, read: func(int64) {},
			scratch: func() (stage.ScratchFile, error) {
				return nil, fmt.Errorf("the stage %s wants a temporary file, and looking at what it makes writes nothing", w.Stage.Addr)
			},
		}
		defer o.close()
		for rec, err := range readFused(o, w, columns) {
			if !yield(rec, err) {
				return
			}
		}
	}
}
