// Package sessionlevels adds the levels of the day to its book events: the
// highest and the lowest mid of the pre-market (05:00 to 09:30 New York) and of
// the opening range (09:30 to 09:45), the same on every row (spec 03 §2).
//
// A level stands on rows earlier than the end of its window too (S-2): what is
// computed from it must not use the pre-market before 09:30, nor the opening
// range before 09:45.
//
// With semantics = "corrected" only rows of the New York date dt count (S-1), and
// not those of snapshots or of possibly bad books (S-6); with "reference" every
// row of any date does. Rows without both best prices have no mid.
package sessionlevels

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"dag/engine/stage"
	"dag/stages/internal/mbp10"
)

// Windows of New York wall-clock time in ns, each without its end.
const (
	preMarketStart = 5 * int64(time.Hour)
	openingStart   = 9*int64(time.Hour) + 30*int64(time.Minute)
	openingEnd     = 9*int64(time.Hour) + 45*int64(time.Minute)
)

// New returns the transform.
func New() stage.Transform { return transform{} }

type transform struct{}

func (transform) Spec() stage.Spec {
	return stage.Spec{
		Name:    "silver.future.session_levels",
		Version: 1,
		Summary: "Book events with the day's pre-market and opening-range levels",
		Inputs:  []stage.Input{{Name: "events", Doc: "Silver book events of one contract", Columns: mbp10.SilverSchema()}},
		Outputs: []stage.Output{{
			Name: "events", Doc: "The same rows with pm_high, pm_low, or_high and or_low", Schema: mbp10.LevelsSchema(),
			Extends: &stage.Extension{Port: "events", Adds: mbp10.LevelNames[:]},
		}},
		Params: []stage.Param{mbp10.SemanticsParam("which rows move a level (S-1, S-6)")},
		Memory: 96 << 20,
	}
}

// Run reads a few columns to find the levels, then writes them once a row. Memory
// does not depend on the number of events.
func (transform) Run(_ context.Context, t stage.Task) error {
	levels, rows, err := find(t)
	if err != nil {
		return err
	}
	w, err := t.Output("events")
	if err != nil {
		return err
	}
	for at := int64(0); at < rows; at += batchRows {
		out := repeat(levels, int(min(batchRows, rows-at)))
		err := w.Write(out)
		out.Release()
		if err != nil {
			return err
		}
	}
	return w.Close()
}

// extremes are the highest and lowest mid of a window; NaN without any.
type extremes struct{ high, low float64 }

func (e *extremes) take(mid float64) {
	if !(mid <= e.high) {
		e.high = mid
	}
	if !(mid >= e.low) {
		e.low = mid
	}
}

// finder walks over the rows that levels come from.
type finder struct {
	ny        *mbp10.NewYork
	corrected bool
	day       int64 // dt
	pm, or    extremes
}

// find returns the levels in the order of mbp10.LevelNames, NaN where there is
// none, and the number of rows.
func find(t stage.Task) (levels [4]float64, rows int64, err error) {
	nan := math.NaN()
	f := finder{corrected: t.Params().String("semantics") == mbp10.Corrected, pm: extremes{nan, nan}, or: extremes{nan, nan}}
	if f.ny, err = mbp10.NewNewYork(); err != nil {
		return levels, 0, err
	}
	if f.day, err = mbp10.Day(t.Key("dt")); err != nil {
		return levels, 0, fmt.Errorf("key dt: %w", err)
	}
	columns := []string{"ts_event", "bid_px_00", "ask_px_00"}
	if f.corrected {
		columns = append(columns, "is_snapshot", "is_bad_book")
	}
	for rec, err := range t.Read("events", columns...) {
		if err != nil {
			return levels, 0, err
		}
		f.batch(rec)
		rows += rec.NumRows()
	}
	return [4]float64{f.pm.high, f.pm.low, f.or.high, f.or.low}, rows, nil
}

func (f *finder) batch(rec arrow.Record) {
	ts := rec.Column(0).(*array.Int64).Int64Values()
	bid, ask := rec.Column(1).(*array.Int64), rec.Column(2).(*array.Int64)
	for i, ns := range ts {
		day, clock := f.ny.Local(ns)
		if clock < preMarketStart || clock >= openingEnd || bid.IsNull(i) || ask.IsNull(i) {
			continue
		}
		if f.corrected && (day != f.day || rec.Column(3).(*array.Boolean).Value(i) || rec.Column(4).(*array.Boolean).Value(i)) {
			continue
		}
		mid := (float64(bid.Value(i))/1e9 + float64(ask.Value(i))/1e9) / 2
		if clock < openingStart {
			f.pm.take(mid)
		} else {
			f.or.take(mid)
		}
	}
}

// batchRows is how many rows are written at once.
const batchRows = 16_384

// addedSchema is the columns that are not the input's.
var addedSchema = func() *arrow.Schema {
	all := mbp10.LevelsSchema()
	return arrow.NewSchema(all.Fields()[all.NumFields()-len(mbp10.LevelNames):], nil)
}()

// repeat makes n rows of the same levels, null where there is none.
func repeat(levels [4]float64, n int) arrow.Record {
	cols := make([]arrow.Array, len(levels))
	none := make([]byte, (n+7)/8)
	for i, level := range levels {
		nulls := 0
		if math.IsNaN(level) {
			level, nulls = 0, n
		}
		values := make([]float64, n)
		for k := range values {
			values[k] = level
		}
		cols[i] = mbp10.Float64s(values, none, nulls)
		defer cols[i].Release()
	}
	return array.NewRecord(addedSchema, cols, int64(n))
}
