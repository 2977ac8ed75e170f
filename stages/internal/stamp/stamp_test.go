package stamp

import (
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"dag/stages/internal/mbp10"
)

// times is a batch of rows at the epoch.
func times(rows int) arrow.Record {
	b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema([]arrow.Field{{Name: "ts", Type: arrow.PrimitiveTypes.Int64}}, nil))
	defer b.Release()
	b.Field(0).AppendEmptyValues(rows)
	return b.NewRecord()
}

func TestSchema(t *testing.T) {
	if got, want := Schema(mbp10.BronzeSchema(), "ts_event"), mbp10.SilverSchema(); !got.Equal(want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := Output("events", "", mbp10.BronzeSchema(), "ts_event"); !got.Schema.HasField(Column) || got.Extends.Port != "events" {
		t.Errorf("got %+v", got)
	}
}

// TestRowsAllocateNothing compares a short batch with a long one.
func TestRowsAllocateNothing(t *testing.T) {
	s, err := newStamper()
	if err != nil {
		t.Fatal(err)
	}
	short, long := times(1), times(5000)
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
