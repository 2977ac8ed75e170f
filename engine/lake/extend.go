package lake

import (
	"context"
	"slices"

	"github.com/apache/arrow/go/v17/arrow"

	"dag/engine/addr"
	"dag/engine/contract"
	"dag/engine/manifest"
	"dag/engine/stage"
	"dag/engine/zip"
)

// Extend opens the writer of an output partition whose rows go on from those of
// in, as how says: it takes what the transform writes. Columns that pass unfiltered
// are copied as they are encoded if in was written by this program and checked
// against the same types and order; else they are read and encoded again. The
// bytes are the same.
func (s *Staging) Extend(ctx context.Context, p addr.Partition, in *Partition, how *stage.Extension) (*Writer, error) {
	return s.open(p, &extension{ctx: ctx, in: in, how: how})
}

// ExtendRead is Extend for rows that are no partition of the lake: read streams
// the named columns of them.
func (s *Staging) ExtendRead(p addr.Partition, read func(columns ...string) stage.Batches, how *stage.Extension) (*Writer, error) {
	return s.open(p, &extension{read: read, how: how})
}

// extension is where the columns come from that a writer is not given.
type extension struct {
	ctx  context.Context
	in   *Partition // nil: only read
	read func(columns ...string) stage.Batches
	how  *stage.Extension
}

// columns streams those that complete what is given.
func (e *extension) columns(whole *arrow.Schema) stage.Batches {
	names := zip.Read(e.how, whole)
	if e.in == nil {
		return e.read(names...)
	}
	return stage.Batches(e.in.Read(e.ctx, names...))
}

// passes tells whether the encoded columns can be copied: all that would be
// checked has been, when in was written.
func (e *extension) passes(t *table) bool {
	in := e.in
	return in != nil && !e.how.Filter && in.trace.State == manifest.Complete && len(in.parts) == 1 &&
		len(t.Sort) <= len(in.table.Sort) && slices.Equal(t.Sort, in.table.Sort[:len(t.Sort)]) &&
		in.parts[0].Extends(t.Contract.Schema, e.how.Adds)
}

// own is the contract of what the transform writes.
func (e *extension) own(c *contract.Contract) *contract.Contract {
	return &contract.Contract{Name: c.Name, Schema: zip.Given(e.how, c.Schema)}
}
