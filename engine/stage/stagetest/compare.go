package stagetest

import (
	"fmt"
	"math"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
)

// maxDifferences is how many differences are worth reading.
const maxDifferences = 10

// Differences compares the columns of want with those of the same name in got,
// row by row: doubles within 1e-9·(1+|want|), everything else exactly, missing
// (null or NaN) equal to missing. It returns at most ten messages with row,
// column and both values.
func Differences(got, want arrow.Record) []string {
	var out []string
	if got.NumRows() != want.NumRows() {
		out = append(out, fmt.Sprintf("%d rows, want %d", got.NumRows(), want.NumRows()))
	}
	for i, f := range want.Schema().Fields() {
		at := got.Schema().FieldIndices(f.Name)
		if len(at) == 0 {
			out = append(out, fmt.Sprintf("no column %q", f.Name))
			continue
		}
		g, w := got.Column(at[0]), want.Column(i)
		if !arrow.TypeEqual(g.DataType(), w.DataType()) {
			out = append(out, fmt.Sprintf("column %q is %s, want %s", f.Name, typeName(g.DataType()), typeName(w.DataType())))
			continue
		}
		for row := range min(g.Len(), w.Len()) {
			if !same(g, row, w, row) {
				out = append(out, fmt.Sprintf("row %d, column %q: got %q, want %q", row+1, f.Name, cell(g, row, -1), cell(w, row, -1)))
			}
			if len(out) >= maxDifferences {
				return append(out[:maxDifferences-1], "and more")
			}
		}
	}
	return out
}

// same compares two values of one type.
func same(g arrow.Array, i int, w arrow.Array, j int) bool {
	switch want := w.(type) {
	case *array.Float64:
		return close64(float(g, i), float(want, j))
	case *array.Float32:
		return close64(float(g, i), float(want, j))
	case *array.List:
		if g.IsNull(i) || w.IsNull(j) {
			return g.IsNull(i) == w.IsNull(j)
		}
		got := g.(*array.List)
		gFrom, gTo := got.ValueOffsets(i)
		wFrom, wTo := want.ValueOffsets(j)
		if gTo-gFrom != wTo-wFrom {
			return false
		}
		for k := range wTo - wFrom {
			if !same(got.ListValues(), int(gFrom+k), want.ListValues(), int(wFrom+k)) {
				return false
			}
		}
		return true
	}
	if g.IsNull(i) || w.IsNull(j) {
		return g.IsNull(i) == w.IsNull(j)
	}
	if want, ok := w.(*array.Int64); ok { // most columns
		return g.(*array.Int64).Value(i) == want.Value(j)
	}
	return g.ValueStr(i) == w.ValueStr(j)
}

// float returns a value, NaN for null.
func float(a arrow.Array, i int) float64 {
	if a.IsNull(i) {
		return math.NaN()
	}
	if a, ok := a.(*array.Float32); ok {
		return float64(a.Value(i))
	}
	return a.(*array.Float64).Value(i)
}

func close64(got, want float64) bool {
	if math.IsNaN(got) || math.IsNaN(want) {
		return math.IsNaN(got) == math.IsNaN(want)
	}
	return got == want || math.Abs(got-want) <= 1e-9*(1+math.Abs(want))
}
