package zip

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"pgregory.net/rapid"

	"dag/engine/stage"
)

var whole = arrow.NewSchema([]arrow.Field{
	{Name: "a", Type: arrow.PrimitiveTypes.Int64},
	{Name: "b", Type: arrow.PrimitiveTypes.Int64},
	{Name: "c", Type: arrow.PrimitiveTypes.Int64},
}, nil)

// numbers is a batch of rows from at on; each column counts in steps of its own.
func numbers(names []string, at, n int) arrow.Record {
	var fields []arrow.Field
	for _, name := range names {
		fields = append(fields, arrow.Field{Name: name, Type: arrow.PrimitiveTypes.Int64})
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema(fields, nil))
	defer b.Release()
	for c, name := range names {
		for i := range n {
			b.Field(c).(*array.Int64Builder).Append(int64(at+i) * int64(name[0]))
		}
	}
	return b.NewRecord()
}

// kept is a batch of Keep: every row that 3 does not divide.
func kept(at, n int) arrow.Record {
	b := array.NewBooleanBuilder(memory.DefaultAllocator)
	defer b.Release()
	for i := range n {
		b.Append((at+i)%3 != 0)
	}
	return array.NewRecord(stage.Keep, []arrow.Array{b.NewArray()}, int64(n))
}

// inBatches yields rows in batches of the given sizes, the last of the rest.
func inBatches(names []string, rows int, sizes []int) stage.Batches {
	return func(yield func(arrow.Record, error) bool) {
		for at, i := 0, 0; at < rows; i++ {
			n := rows - at
			if i < len(sizes) {
				n = min(n, sizes[i])
			}
			if !yield(numbers(names, at, n), nil) {
				return
			}
			at += n
		}
	}
}

// TestRowsAreTheSameInAnyBatches holds added columns and filtered rows to what
// they are by definition.
func TestRowsAreTheSameInAnyBatches(t *testing.T) {
	sizes := rapid.SliceOfN(rapid.IntRange(1, 7), 0, 6)
	rapid.Check(t, func(rt *rapid.T) {
		rows := rapid.IntRange(0, 30).Draw(rt, "rows")
		e := &stage.Extension{Filter: rapid.Bool().Draw(rt, "filter")}
		if !e.Filter {
			e.Adds = rapid.SampledFrom([][]string{{"a"}, {"b"}, {"a", "c"}, {"c"}}).Draw(rt, "adds")
		}
		z := New(e, whole, inBatches(Read(e, whole), rows, sizes.Draw(rt, "read")))
		defer z.Close()
		next := 0
		give := sizes.Draw(rt, "given")
		for at, i := 0, 0; at < rows; i++ {
			n := rows - at
			if i < len(give) {
				n = min(n, give[i])
			}
			given := kept(at, n)
			if !e.Filter {
				given = numbers(e.Adds, at, n)
			}
			err := z.Each(given, func(rec arrow.Record) error {
				for row := range int(rec.NumRows()) {
					for e.Filter && next%3 == 0 {
						next++
					}
					for c := range 3 {
						if got, want := rec.Column(c).(*array.Int64).Value(row), int64(next)*int64(whole.Field(c).Name[0]); got != want {
							rt.Fatalf("row %d, column %d: %d, want %d", next, c, got, want)
						}
					}
					next++
				}
				return nil
			})
			if err != nil {
				rt.Fatal(err)
			}
			at += n
		}
		if e.Filter && next < rows && next%3 == 0 {
			next++ // the last row is left out
		}
		if next != rows || z.Rows() != int64(rows) {
			rt.Fatalf("%d rows of %d, %d given", next, rows, z.Rows())
		}
	})
}

func TestErrors(t *testing.T) {
	e := &stage.Extension{Adds: []string{"b"}}
	z := New(e, whole, inBatches(Read(e, whole), 3, nil))
	defer z.Close()
	if err := z.Each(numbers(e.Adds, 0, 4), func(arrow.Record) error { return nil }); err == nil || !strings.Contains(err.Error(), "3") {
		t.Errorf("4 rows beside 3: %v", err)
	}
	broken := errors.New("broken")
	z = New(e, whole, func(yield func(arrow.Record, error) bool) { yield(nil, broken) })
	defer z.Close()
	if err := z.Each(numbers(e.Adds, 0, 1), func(arrow.Record) error { return nil }); !errors.Is(err, broken) {
		t.Errorf("what cannot be read: %v", err)
	}
	z = New(e, whole, inBatches(Read(e, whole), 3, nil))
	defer z.Close()
	if err := z.Each(numbers(e.Adds, 0, 3), func(arrow.Record) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("what cannot be passed: %v", err)
	}
}

// TestNothingIsCopied looks for copies of columns that pass.
func TestNothingIsCopied(t *testing.T) {
	read := numbers([]string{"a", "b", "c"}, 0, 9)
	e := &stage.Extension{Filter: true}
	z := New(e, whole, func(yield func(arrow.Record, error) bool) { yield(read, nil) })
	defer z.Close()
	pieces := 0
	err := z.Each(kept(0, 9), func(rec arrow.Record) error {
		pieces++
		for c := range 3 {
			if got, want := rec.Column(c).Data().Buffers()[1], read.Column(c).Data().Buffers()[1]; got != want {
				return fmt.Errorf("column %d is a copy", c)
			}
		}
		return nil
	})
	if err != nil || pieces != 3 {
		t.Errorf("%d pieces, %v", pieces, err)
	}
}
