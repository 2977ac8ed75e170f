// Package mbp10 adds New York time to bronze book events: 77 columns become 78
// (spec 03 §1). All other columns, and the order of rows, stay. Both semantics
// give the same rows.
package mbp10

import (
	"context"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"dag/engine/stage"
	"dag/stages/internal/mbp10"
)

// New returns the transform.
func New() stage.Transform { return transform{} }

type transform struct{}

func (transform) Spec() stage.Spec {
	return stage.Spec{
		Name:    "silver.future.mbp10",
		Version: 1,
		Summary: "Book events with the New York time of each",
		Inputs:  []stage.Input{{Name: "events", Doc: "Bronze book events of one contract", Columns: mbp10.BronzeSchema()}},
		Outputs: []stage.Output{{Name: "events", Doc: "The same rows with ts_event_est", Schema: mbp10.SilverSchema()}},
		Params:  []stage.Param{mbp10.SemanticsParam("no difference here")},
		Memory:  96 << 20,
	}
}

// Run streams the events; memory does not depend on their number.
func (transform) Run(_ context.Context, t stage.Task) error {
	ny, err := mbp10.NewNewYork()
	if err != nil {
		return err
	}
	w, err := t.Output("events")
	if err != nil {
		return err
	}
	s := stamper{ny: ny, schema: mbp10.SilverSchema()}
	for rec, err := range t.Read("events", mbp10.Names(mbp10.BronzeSchema())...) {
		if err != nil {
			return err
		}
		out := s.stamp(rec)
		err = w.Write(out)
		out.Release()
		if err != nil {
			return err
		}
	}
	return w.Close()
}

// stamper adds the column. Its buffers serve one batch after the other.
type stamper struct {
	ny      *mbp10.NewYork
	schema  *arrow.Schema
	text    []byte
	offsets []int32
}

// stamp returns the silver batch. It shares the columns of rec, and its own
// column is good until the next call.
func (s *stamper) stamp(rec arrow.Record) arrow.Record {
	n := int(rec.NumRows())
	if len(s.text) < n*mbp10.StampSize || s.offsets == nil {
		s.text = make([]byte, n*mbp10.StampSize)
		s.offsets = mbp10.Offsets(n, mbp10.StampSize)
	}
	events := rec.Column(mbp10.ColTsEventEst - 1).(*array.Int64).Int64Values()
	for i, ts := range events {
		s.ny.Stamp(s.text[i*mbp10.StampSize:], ts)
	}
	stamps := mbp10.FixedTexts(s.text, s.offsets, n)
	defer stamps.Release()
	cols := make([]arrow.Array, 0, s.schema.NumFields())
	cols = append(cols, rec.Columns()[:mbp10.ColTsEventEst]...)
	cols = append(cols, stamps)
	cols = append(cols, rec.Columns()[mbp10.ColTsEventEst:]...)
	return array.NewRecord(s.schema, cols, rec.NumRows())
}
