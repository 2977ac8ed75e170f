// Package bar5s turns the book events of a session into bars of five seconds:
// 113 fields of state, flow, trades and walls, as spec 03 §4 defines them.
//
// A bar is [bar_ts, bar_ts + 5 s) on the epoch's grid. Fields that end in _twa
// are averages over its time, in _eob the state after its last event, in _sum
// totals of its events. Distances are in points from the microprice; bands are
// (1,2], (2,3], (3,5] and (5,10] points, and all up to 1. Flow is the change of
// quantity at an event's price from one book to the next. A wall is a level whose
// log size has a z-score of 2 or more among the ten of its side. A bar without
// events repeats the last state, with sums of 0. Undefined values are null.
//
// Kept from the reference on purpose: locked and crossed rows were removed
// upstream, so their trades and flow are not in the bars; a modify that
// changes its price is measured at the new price only; the band p0_1 has
// no lower bound, so what lies on the wrong side of the microprice counts into
// it; trades without an aggressor count in the volume and in neither side
// there are no bars before the first event or after the last.
//
// With semantics = "corrected" averages carry the last state to the bar's end
// and divide by covered time, distances fall back to the best price
// of a one-sided book and the spread is averaged where it is defined, flow
// needs a known side and no clear, snapshot or possibly bad book beside it (R-4,
// R-14), and sizes without spread have no wall.
package bar5s

import (
	"context"
	"fmt"
	"math"
	"strings"

	"dag/engine/stage"
	"dag/stages/internal/book"
	"dag/stages/internal/mbp10"
)

// New returns the transform.
func New() stage.Transform { return transform{} }

type transform struct{}

func (transform) Spec() stage.Spec {
	return stage.Spec{
		Name:    "silver.future.bar5s",
		Version: 1,
		Summary: "Five-second bars of book state, flow, trades and walls",
		Inputs:  []stage.Input{{Name: "events", Doc: "Book events of one contract, ascending by ts_event", Columns: inputSchema()}},
		Outputs: []stage.Output{{Name: "bars", Doc: "One row for every five seconds from the first event to the last", Schema: outputSchema()}},
		Params: []stage.Param{
			mbp10.SemanticsParam("averages, one-sided books, what counts as flow, walls (R-1 to R-4, R-9, R-14)"),
			{Name: "point", Type: stage.Float, Default: 1.0, Doc: "price units in one point", Check: positive},
			{Name: "bands", Type: stage.Floats, Default: []float64{1, 2, 3, 5, 10}, Doc: "upper edges of the distance bands in points", Check: ascending},
		},
		Memory: 160 << 20,
	}
}

func positive(v any) error {
	if f := v.(float64); !(f > 0) || math.IsInf(f, 0) {
		return fmt.Errorf("%v is not above 0", f)
	}
	return nil
}

func ascending(v any) error {
	edges := v.([]float64)
	if len(edges) != book.Bands {
		return fmt.Errorf("%v has %d edges; the fields of the contract are for %d bands", edges, len(edges), book.Bands)
	}
	for i, e := range edges {
		if !(e > 0) || math.IsInf(e, 0) || i > 0 && e <= edges[i-1] {
			return fmt.Errorf("%v: edge %d is %v, which is not finite, above 0 and above the edge before", edges, i+1, e)
		}
	}
	return nil
}

// Run streams the events once; memory does not depend on their number.
func (transform) Run(ctx context.Context, t stage.Task) error {
	p := t.Params()
	m := book.Measure{Point: p.Float("point")}
	copy(m.Edges[:], p.Floats("bands"))
	corrected := p.String("semantics") == mbp10.Corrected
	m.Fallback, m.FlatIsZero = corrected, corrected

	out, err := t.Output("bars")
	if err != nil {
		return err
	}
	w := newWriter(out)
	b := newBuilder(m, corrected, w.add)
	var q queue
	rows := int64(0)
	for rec, err := range t.Read("events", mbp10.Names(inputSchema())...) {
		if err != nil {
			return err
		}
		cols, err := columnsOf(rec)
		if err != nil {
			return err
		}
		if rows == 0 && rec.NumRows() > 0 {
			w.symbol = strings.Clone(cols.symbol.Value(0))
		}
		for i := range int(rec.NumRows()) {
			if err := q.push(cols, i, rows, b); err != nil {
				return err
			}
			rows++
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	if err := q.flush(b); err != nil {
		return err
	}
	if err := b.finish(); err != nil {
		return err
	}
	return w.close()
}
