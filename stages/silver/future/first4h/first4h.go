// Package first4h keeps the book events from 08:30 to 12:30 New York wall-clock
// time on the date dt (spec 03 §3, S-4); columns and the order of rows stay. Both
// semantics give the same rows.
package first4h

import (
	"context"
	"fmt"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"dag/engine/stage"
	"dag/stages/internal/mbp10"
)

// The window in ns of New York wall-clock time, without its end.
const (
	start = 8*int64(time.Hour) + 30*int64(time.Minute)
	end   = 12*int64(time.Hour) + 30*int64(time.Minute)
)

// New returns the transform.
func New() stage.Transform { return transform{} }

type transform struct{}

func (transform) Spec() stage.Spec {
	return stage.Spec{
		Name:    "silver.future.first4h",
		Version: 1,
		Summary: "Book events from 08:30 to 12:30 New York time",
		Inputs:  []stage.Input{{Name: "events", Doc: "Book events of one contract with session levels", Columns: mbp10.LevelsSchema()}},
		Outputs: []stage.Output{{Name: "events", Doc: "The rows of the window", Schema: mbp10.LevelsSchema()}},
		Params:  []stage.Param{mbp10.SemanticsParam("no difference here")},
		Memory:  96 << 20,
	}
}

// Run streams the events. Kept rows that stand together pass through as a slice
// of their batch, uncopied.
func (transform) Run(_ context.Context, t stage.Task) error {
	f := filter{schema: mbp10.LevelsSchema()}
	var err error
	if f.ny, err = mbp10.NewNewYork(); err != nil {
		return err
	}
	if f.day, err = mbp10.Day(t.Key("dt")); err != nil {
		return fmt.Errorf("key dt: %w", err)
	}
	if f.out, err = t.Output("events"); err != nil {
		return err
	}
	names := mbp10.Names(f.schema)
	f.tsEvent = f.schema.FieldIndices("ts_event")[0]
	for rec, err := range t.Read("events", names...) {
		if err != nil {
			return err
		}
		if err := f.batch(rec); err != nil {
			return err
		}
	}
	return f.out.Close()
}

type filter struct {
	ny      *mbp10.NewYork
	day     int64 // dt
	schema  *arrow.Schema
	tsEvent int // column
	out     stage.Writer
}

// batch writes every stretch of kept rows.
func (f *filter) batch(rec arrow.Record) error {
	ts := rec.Column(f.tsEvent).(*array.Int64).Int64Values()
	for i := 0; i < len(ts); i++ {
		from := i
		for i < len(ts) && f.keeps(ts[i]) {
			i++
		}
		if i == from {
			continue
		}
		if err := f.write(rec, from, i); err != nil {
			return err
		}
	}
	return nil
}

func (f *filter) keeps(ns int64) bool {
	day, clock := f.ny.Local(ns)
	return day == f.day && clock >= start && clock < end
}

func (f *filter) write(rec arrow.Record, from, to int) error {
	whole := array.NewRecord(f.schema, rec.Columns(), rec.NumRows())
	defer whole.Release()
	part := whole.NewSlice(int64(from), int64(to))
	defer part.Release()
	return f.out.Write(part)
}
