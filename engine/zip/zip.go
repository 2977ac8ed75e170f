// Package zip completes what a transform writes for a port whose rows go on from
// an input's (stage.Extension): columns that it adds stand beside those that are
// read, and rows that it does not keep are left out.
package zip

import (
	"fmt"
	"iter"
	"slices"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"dag/engine/stage"
)

// Zip pairs given rows with read ones. It is used by one goroutine.
type Zip struct {
	filter bool
	given  *arrow.Schema
	whole  *arrow.Schema
	next   func() (arrow.Record, error, bool)
	stop   func()
	cur    arrow.Record // what is left of the batch that was read last; nil: nothing
	rows   int64
}

// Read names the columns that are to be read to complete those of whole.
func Read(e *stage.Extension, whole *arrow.Schema) []string {
	var names []string
	for _, f := range whole.Fields() {
		if e.Filter || !slices.Contains(e.Adds, f.Name) {
			names = append(names, f.Name)
		}
	}
	return names
}

// Given is the schema of what a transform writes for the columns of whole.
func Given(e *stage.Extension, whole *arrow.Schema) *arrow.Schema {
	if e.Filter {
		return stage.Keep
	}
	var fields []arrow.Field
	for _, f := range whole.Fields() {
		if slices.Contains(e.Adds, f.Name) {
			fields = append(fields, f)
		}
	}
	return arrow.NewSchema(fields, nil)
}

// New makes rows of whole out of what is given and what is read: the columns that
// Read names, in that order.
func New(e *stage.Extension, whole *arrow.Schema, read stage.Batches) *Zip {
	z := &Zip{filter: e.Filter, given: Given(e, whole), whole: whole}
	z.next, z.stop = iter.Pull2(read)
	return z
}

// Rows is how many rows have been given.
func (z *Zip) Rows() int64 { return z.rows }

// Each calls f with the whole rows of a given batch, in pieces.
func (z *Zip) Each(given arrow.Record, f func(arrow.Record) error) error {
	for at := int64(0); at < given.NumRows(); {
		more, err := z.fill()
		if err == nil && !more {
			err = fmt.Errorf("more rows are written than the %d there are", z.rows)
		}
		if err != nil {
			return err
		}
		n := min(given.NumRows()-at, z.cur.NumRows())
		if err := z.piece(given, at, n, f); err != nil {
			return err
		}
		rest := z.cur.NewSlice(n, z.cur.NumRows())
		z.cur.Release()
		z.cur = rest
		at += n
		z.rows += n
	}
	return nil
}

// fill sees to it that a row that was read is at hand; false: there are no more.
func (z *Zip) fill() (bool, error) {
	for z.cur == nil || z.cur.NumRows() == 0 {
		rec, err, ok := z.next()
		if !ok || err != nil {
			return false, err
		}
		rec.Retain()
		if z.cur != nil {
			z.cur.Release()
		}
		z.cur = rec
	}
	return true, nil
}

// piece pairs n rows of given from at on with the first n of cur.
func (z *Zip) piece(given arrow.Record, at, n int64, f func(arrow.Record) error) error {
	if z.filter {
		return z.kept(given.Column(0).(*array.Boolean), at, n, f)
	}
	own, read := given.NewSlice(at, at+n), z.cur.NewSlice(0, n)
	defer own.Release()
	defer read.Release()
	cols := make([]arrow.Array, z.whole.NumFields())
	i, k := 0, 0
	for c, field := range z.whole.Fields() {
		if i < own.Schema().NumFields() && own.ColumnName(i) == field.Name {
			cols[c] = own.Column(i)
			i++
		} else {
			cols[c] = read.Column(k)
			k++
		}
	}
	return pass(array.NewRecord(z.whole, cols, n), f)
}

// kept passes every stretch of rows that are kept, uncopied.
func (z *Zip) kept(keep *array.Boolean, at, n int64, f func(arrow.Record) error) error {
	for i := int64(0); i < n; i++ {
		from := i
		for i < n && keep.Value(int(at+i)) {
			i++
		}
		if i == from {
			continue
		}
		part := z.cur.NewSlice(from, i)
		err := pass(array.NewRecord(z.whole, part.Columns(), i-from), f)
		part.Release()
		if err != nil {
			return err
		}
	}
	return nil
}

func pass(rec arrow.Record, f func(arrow.Record) error) error {
	defer rec.Release()
	return f(rec)
}

// End fails if rows are left that nothing was given for.
func (z *Zip) End() error {
	if more, err := z.fill(); !more || err != nil {
		return err
	}
	return fmt.Errorf("fewer rows are written than there are: %d", z.rows)
}

// Close lets go of what was read.
func (z *Zip) Close() {
	if z.cur != nil {
		z.cur.Release()
		z.cur = nil
	}
	z.stop()
}
