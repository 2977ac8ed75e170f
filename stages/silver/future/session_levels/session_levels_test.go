package sessionlevels

import (
	"math"
	"testing"

	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"dag/engine/stage/stagetest"
	"dag/stages/internal/mbp10"
)

func TestRows(t *testing.T) { stagetest.Run(t, New()) }

// TestColumnsAreShared looks for copies of what passes through, and for levels
// of a longer batch in a shorter one.
func TestColumnsAreShared(t *testing.T) {
	a := adder{schema: mbp10.LevelsSchema(), levels: [4]float64{4, math.NaN(), 2, 1}}
	for _, rows := range []int{3, 20, 2} {
		b := array.NewRecordBuilder(memory.DefaultAllocator, mbp10.SilverSchema())
		for _, f := range b.Fields() {
			f.AppendEmptyValues(rows)
		}
		in := b.NewRecord()
		out := a.add(in)
		for i := range int(in.NumCols()) {
			if out.Column(i) != in.Column(i) {
				t.Errorf("column %s is not the one of the input", in.ColumnName(i))
			}
		}
		for i, level := range a.levels {
			col := out.Column(int(in.NumCols()) + i).(*array.Float64)
			for row := range rows {
				if missing := math.IsNaN(level); col.IsNull(row) != missing || !missing && col.Value(row) != level {
					t.Errorf("%s of row %d in %d is %s, want %v", mbp10.LevelNames[i], row, rows, col.ValueStr(row), level)
				}
			}
		}
		out.Release()
		in.Release()
		b.Release()
	}
}
