package mbp10

import (
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"dag/engine/stage/stagetest"
	"dag/stages/internal/mbp10"
)

func TestRows(t *testing.T) { stagetest.Run(t, New()) }

// batch is a bronze batch of zeros.
func batch(rows int) arrow.Record {
	b := array.NewRecordBuilder(memory.DefaultAllocator, mbp10.BronzeSchema())
	defer b.Release()
	for _, f := range b.Fields() {
		f.AppendEmptyValues(rows)
	}
	return b.NewRecord()
}

func newStamper(t *testing.T) stamper {
	t.Helper()
	ny, err := mbp10.NewNewYork()
	if err != nil {
		t.Fatal(err)
	}
	return stamper{ny: ny, schema: mbp10.SilverSchema()}
}

// TestColumnsAreShared looks for copies of what passes through.
func TestColumnsAreShared(t *testing.T) {
	s, in := newStamper(t), batch(3)
	defer in.Release()
	out := s.stamp(in)
	defer out.Release()
	for i := range int(in.NumCols()) {
		at := i
		if i >= mbp10.ColTsEventEst {
			at++
		}
		if out.Column(at) != in.Column(i) {
			t.Errorf("column %s is not the one of the input", in.ColumnName(i))
		}
	}
}

// TestRowsAllocateNothing compares a short batch with a long one.
func TestRowsAllocateNothing(t *testing.T) {
	s, short, long := newStamper(t), batch(1), batch(5000)
	defer short.Release()
	defer long.Release()
	s.stamp(long).Release() // grows the buffers
	allocations := func(in arrow.Record) float64 {
		return testing.AllocsPerRun(20, func() { s.stamp(in).Release() })
	}
	if a, b := allocations(short), allocations(long); b > a {
		t.Errorf("%v allocations for a batch of 1 row, %v for 5000", a, b)
	}
}
