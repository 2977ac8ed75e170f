package lake

import (
	"errors"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// numbered yields n records of one row, their number, then how.
func numbered(mem memory.Allocator, n int, end func(yield func(arrow.Record, error) bool)) Batches {
	s := arrow.NewSchema([]arrow.Field{{Name: "n", Type: arrow.PrimitiveTypes.Int64}}, nil)
	return func(yield func(arrow.Record, error) bool) {
		b := array.NewRecordBuilder(mem, s)
		defer b.Release()
		for i := range n {
			b.Field(0).(*array.Int64Builder).Append(int64(i))
			rec := b.NewRecord()
			more := yield(rec, nil)
			rec.Release()
			if !more {
				return
			}
		}
		end(yield)
	}
}

// TestAhead: what is read ahead comes in order, ends as its source does, and is
// let go of wherever the reader stops.
func TestAhead(t *testing.T) {
	broken := errors.New("broken")
	for _, stop := range []int{0, 1, 5, 6, 100} {
		mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
		got, ended := 0, error(nil)
		for rec, err := range ahead(numbered(mem, 6, func(yield func(arrow.Record, error) bool) { yield(nil, broken) })) {
			if err != nil {
				ended = err
				break
			}
			if n := rec.Column(0).(*array.Int64).Value(0); n != int64(got) {
				t.Fatalf("record %d comes as number %d", n, got)
			}
			if got++; got == stop {
				break
			}
		}
		if want := min(max(stop, 1), 6); stop > 0 && got != want {
			t.Errorf("%d records, want %d", got, want)
		}
		if fails := stop == 0 || stop > 6; fails != (ended == broken) {
			t.Errorf("stopped at %d: it ended with %v", stop, ended)
		}
		mem.AssertSize(t, 0)
	}
}
