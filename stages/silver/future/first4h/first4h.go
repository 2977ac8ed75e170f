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
		Outputs: []stage.Output{{
			Name: "events", Doc: "The rows of the window", Schema: mbp10.LevelsSchema(),
			Extends: &stage.Extension{Port: "events", Filter: true},
		}},
		Params: []stage.Param{mbp10.SemanticsParam("no difference here")},
		Memory: 96 << 20,
	}
}

// Run says of every row whether it is kept; the columns are not looked at.
func (transform) Run(_ context.Context, t stage.Task) error {
	var f filter
	var err error
	if f.ny, err = mbp10.NewNewYork(); err != nil {
		return err
	}
	if f.day, err = mbp10.Day(t.Key("dt")); err != nil {
		return fmt.Errorf("key dt: %w", err)
	}
	out, err := t.Output("events")
	if err != nil {
		return err
	}
	for rec, err := range t.Read("events", "ts_event") {
		if err != nil {
			return err
		}
		kept := f.batch(rec.Column(0).(*array.Int64).Int64Values())
		err = out.Write(kept)
		kept.Release()
		if err != nil {
			return err
		}
	}
	return out.Close()
}

type filter struct {
	ny   *mbp10.NewYork
	day  int64 // dt
	bits []byte
}

// batch returns whether each of some rows is kept; it is good until the next call.
func (f *filter) batch(ts []int64) arrow.Record {
	for len(f.bits)*8 < len(ts) {
		f.bits = append(f.bits, 0)
	}
	clear(f.bits)
	for i, ns := range ts {
		if f.keeps(ns) {
			f.bits[i/8] |= 1 << (i % 8)
		}
	}
	kept := mbp10.Bools(f.bits, len(ts))
	defer kept.Release()
	return array.NewRecord(stage.Keep, []arrow.Array{kept}, int64(len(ts)))
}

func (f *filter) keeps(ns int64) bool {
	day, clock := f.ny.Local(ns)
	return day == f.day && clock >= start && clock < end
}
