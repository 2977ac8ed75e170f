package main

import (
	"cmp"
	"math"
	"strconv"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"dag/engine/contract"
	"dag/engine/view"
)

// statistics counts nulls and finds the least and greatest value of every
// column of a contract.
type statistics struct {
	docs   []view.ColumnDoc
	ranges []valueRange // by column
}

// valueRange holds the ends as the column's Go type; nil before any value.
type valueRange struct{ lo, hi any }

func newStatistics(c *contract.Contract) *statistics {
	s := &statistics{ranges: make([]valueRange, c.Schema.NumFields())}
	for i, f := range c.Schema.Fields() {
		s.docs = append(s.docs, view.ColumnDoc{Name: f.Name, Type: f.Type.String(), Nullable: f.Nullable, Doc: c.Docs[i]})
	}
	return s
}

// columns returns what has been found.
func (s *statistics) columns() []view.ColumnDoc {
	for i, r := range s.ranges {
		s.docs[i].Min, s.docs[i].Max = number(r.lo), number(r.hi)
	}
	return s.docs
}

// add takes in a batch whose columns are those of the contract.
func (s *statistics) add(rec arrow.Record) {
	for i := range s.docs {
		col, r := rec.Column(i), &s.ranges[i]
		s.docs[i].Nulls += int64(col.NullN())
		switch col := col.(type) {
		case *array.Int64:
			extend(r, col, col.Value)
		case *array.Int32:
			extend(r, col, col.Value)
		case *array.Float64:
			extend(r, col, col.Value)
		case *array.Float32:
			extend(r, col, col.Value)
		case *array.String:
			extend(r, col, func(i int) string { return strings.Clone(col.Value(i)) })
		}
	}
}

// extend widens a column's range by the values of a batch. NaN is no part of
// any range.
func extend[T cmp.Ordered](r *valueRange, col arrow.Array, value func(int) T) {
	lo, some := r.lo.(T)
	hi, _ := r.hi.(T)
	for i := range col.Len() {
		v := value(i)
		if col.IsNull(i) || v != v {
			continue
		}
		if !some {
			lo, hi, some = v, v, true
		}
		lo, hi = min(lo, v), max(hi, v)
	}
	if some {
		r.lo, r.hi = lo, hi
	}
}

// firstRows returns the first n rows of a batch as values for JSON.
func firstRows(rec arrow.Record, n int) [][]any {
	var out [][]any
	for i := range min(int64(max(n, 0)), rec.NumRows()) {
		row := make([]any, rec.NumCols())
		for c := range row {
			row[c] = valueAt(rec.Column(c), int(i))
		}
		out = append(out, row)
	}
	return out
}

func valueAt(col arrow.Array, i int) any {
	if col.IsNull(i) {
		return nil
	}
	switch col := col.(type) {
	case *array.Int64:
		return col.Value(i)
	case *array.Int32:
		return col.Value(i)
	case *array.Float64:
		return number(col.Value(i))
	case *array.Float32:
		return number(col.Value(i))
	case *array.Boolean:
		return col.Value(i)
	}
	return strings.Clone(col.ValueStr(i)) // it lies in the batch's memory
}

// number makes text of what JSON has no number for: infinities and NaN.
func number(v any) any {
	var f float64
	switch v := v.(type) {
	case float64:
		f = v
	case float32:
		f = float64(v)
	default:
		return v
	}
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return strconv.FormatFloat(f, 'g', -1, 64)
	}
	return v
}
