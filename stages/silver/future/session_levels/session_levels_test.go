package sessionlevels

import (
	"math"
	"testing"

	"github.com/apache/arrow/go/v17/arrow/array"

	"dag/engine/stage/stagetest"
	"dag/stages/internal/mbp10"
)

func TestRows(t *testing.T) { stagetest.Run(t, New()) }

// TestRepeat makes batches of levels, one of which is missing.
func TestRepeat(t *testing.T) {
	levels := [4]float64{4, math.NaN(), 2, 1}
	for _, rows := range []int{3, 20, 2} {
		out := repeat(levels, rows)
		for i, level := range levels {
			col := out.Column(i).(*array.Float64)
			for row := range rows {
				if missing := math.IsNaN(level); col.IsNull(row) != missing || !missing && col.Value(row) != level {
					t.Errorf("%s of row %d in %d is %s, want %v", mbp10.LevelNames[i], row, rows, col.ValueStr(row), level)
				}
			}
		}
		out.Release()
	}
}
