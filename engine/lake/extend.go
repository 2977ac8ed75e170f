package lake

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"dag/engine/addr"
	"dag/engine/contract"
	"dag/engine/manifest"
)

// Extend opens the writer of an output partition whose rows are those of in, one
// for one and in order: it takes the columns adds only. The others are copied as
// they are encoded if in was written by this program and checked against the same
// types and order; else they are read and encoded again. The bytes are the same.
func (s *Staging) Extend(ctx context.Context, p addr.Partition, in *Partition, adds []string) (*Writer, error) {
	return s.open(p, &extension{ctx: ctx, in: in, adds: adds})
}

// extension is where the columns come from that a writer is not given.
type extension struct {
	ctx  context.Context
	in   *Partition
	adds []string
}

// passes tells whether the encoded columns can be copied: all that would be
// checked has been, when in was written.
func (e *extension) passes(t *table) bool {
	in := e.in
	return in.trace.State == manifest.Complete && len(in.parts) == 1 &&
		len(t.Sort) <= len(in.table.Sort) && slices.Equal(t.Sort, in.table.Sort[:len(t.Sort)]) &&
		in.parts[0].Extends(t.Contract.Schema, e.adds)
}

// own is the contract of the columns adds.
func (e *extension) own(c *contract.Contract) *contract.Contract {
	var fields []arrow.Field
	for _, f := range c.Schema.Fields() {
		if slices.Contains(e.adds, f.Name) {
			fields = append(fields, f)
		}
	}
	return &contract.Contract{Name: c.Name, Schema: arrow.NewSchema(fields, nil)}
}

// zipper puts the columns that are read beside those that are given.
type zipper struct {
	of   *Partition
	own  *contract.Contract
	all  *arrow.Schema
	next func() (arrow.Record, error, bool)
	stop func()
	cur  arrow.Record // what is left of the batch that was read last; nil: nothing
}

func newZipper(e *extension, c *contract.Contract) *zipper {
	z := &zipper{of: e.in, own: e.own(c), all: c.Schema}
	var names []string
	for _, f := range c.Schema.Fields() {
		if !slices.Contains(e.adds, f.Name) {
			names = append(names, f.Name)
		}
	}
	z.next, z.stop = iter.Pull2(e.in.Read(e.ctx, names...))
	return z
}

// each calls f with whole rows: those of rec completed by those that are read.
func (z *zipper) each(rec arrow.Record, f func(arrow.Record) error) error {
	if err := z.own.Check(rec); err != nil {
		return err
	}
	for at := int64(0); at < rec.NumRows(); {
		if err := z.fill(); err != nil {
			return err
		}
		n := min(rec.NumRows()-at, z.cur.NumRows())
		given, read := rec.NewSlice(at, at+n), z.cur.NewSlice(0, n)
		whole := z.join(given, read, n)
		err := f(whole)
		whole.Release()
		given.Release()
		read.Release()
		if err != nil {
			return err
		}
		rest := z.cur.NewSlice(n, z.cur.NumRows())
		z.cur.Release()
		z.cur = rest
		at += n
	}
	return nil
}

// fill makes sure that a row that was read is at hand.
func (z *zipper) fill() error {
	for z.cur == nil || z.cur.NumRows() == 0 {
		rec, err, ok := z.next()
		switch {
		case !ok:
			return fmt.Errorf("more rows are written than the %d of %s", z.of.Rows(), z.of.addr)
		case err != nil:
			return err
		}
		rec.Retain()
		if z.cur != nil {
			z.cur.Release()
		}
		z.cur = rec
	}
	return nil
}

func (z *zipper) join(given, read arrow.Record, rows int64) arrow.Record {
	cols := make([]arrow.Array, z.all.NumFields())
	own, other := 0, 0
	for i, f := range z.all.Fields() {
		if z.own.Schema.HasField(f.Name) {
			cols[i] = given.Column(own)
			own++
		} else {
			cols[i] = read.Column(other)
			other++
		}
	}
	return array.NewRecord(z.all, cols, rows)
}

// close lets go of what was read.
func (z *zipper) close() {
	if z.cur != nil {
		z.cur.Release()
		z.cur = nil
	}
	z.stop()
}
