package setupindex

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"dag/engine/stage"
)

// Column says how a field of T is stored in a column.
type Column[T any] struct {
	field arrow.Field
	put   func(array.Builder, *T)
	take  func(arrow.Array, int, *T)
}

// Long is a column of integers.
func Long[T any](name string, at func(*T) *int64) Column[T] {
	return Column[T]{
		field: arrow.Field{Name: name, Type: arrow.PrimitiveTypes.Int64},
		put:   func(b array.Builder, t *T) { b.(*array.Int64Builder).Append(*at(t)) },
		take:  func(a arrow.Array, i int, t *T) { *at(t) = a.(*array.Int64).Value(i) },
	}
}

// Double is a column of doubles.
func Double[T any](name string, at func(*T) *float64) Column[T] {
	return Column[T]{
		field: arrow.Field{Name: name, Type: arrow.PrimitiveTypes.Float64},
		put:   func(b array.Builder, t *T) { b.(*array.Float64Builder).Append(*at(t)) },
		take:  func(a arrow.Array, i int, t *T) { *at(t) = a.(*array.Float64).Value(i) },
	}
}

// Maybe is a column of doubles that is null where the value is NaN.
func Maybe[T any](name string, at func(*T) *float64) Column[T] {
	return Column[T]{
		field: arrow.Field{Name: name, Type: arrow.PrimitiveTypes.Float64, Nullable: true},
		put: func(b array.Builder, t *T) {
			if v := *at(t); math.IsNaN(v) {
				b.AppendNull()
			} else {
				b.(*array.Float64Builder).Append(v)
			}
		},
		take: func(a arrow.Array, i int, t *T) {
			if *at(t) = math.NaN(); !a.IsNull(i) {
				*at(t) = a.(*array.Float64).Value(i)
			}
		},
	}
}

// Text is a column of text.
func Text[T any](name string, at func(*T) *string) Column[T] {
	return Column[T]{
		field: arrow.Field{Name: name, Type: arrow.BinaryTypes.String},
		put:   func(b array.Builder, t *T) { b.(*array.StringBuilder).Append(*at(t)) },
		take:  func(a arrow.Array, i int, t *T) { *at(t) = strings.Clone(a.(*array.String).Value(i)) },
	}
}

// MaybeText is a column of text that is null where it is empty.
func MaybeText[T any](name string, at func(*T) *string) Column[T] {
	return Column[T]{
		field: arrow.Field{Name: name, Type: arrow.BinaryTypes.String, Nullable: true},
		put: func(b array.Builder, t *T) {
			if v := *at(t); v == "" {
				b.AppendNull()
			} else {
				b.(*array.StringBuilder).Append(v)
			}
		},
		take: func(a arrow.Array, i int, t *T) {
			if *at(t) = ""; !a.IsNull(i) {
				*at(t) = strings.Clone(a.(*array.String).Value(i))
			}
		},
	}
}

// Flag is a column of booleans.
func Flag[T any](name string, at func(*T) *bool) Column[T] {
	return Column[T]{
		field: arrow.Field{Name: name, Type: arrow.FixedWidthTypes.Boolean},
		put:   func(b array.Builder, t *T) { b.(*array.BooleanBuilder).Append(*at(t)) },
		take:  func(a arrow.Array, i int, t *T) { *at(t) = a.(*array.Boolean).Value(i) },
	}
}

// Longs is a column of lists of integers.
func Longs[T any](name string, at func(*T) *[]int64) Column[T] {
	return list(name, arrow.PrimitiveTypes.Int64, at,
		func(b array.Builder, v []int64) { b.(*array.Int64Builder).AppendValues(v, nil) },
		func(a arrow.Array, i int) int64 { return a.(*array.Int64).Value(i) })
}

// Doubles is a column of lists of doubles.
func Doubles[T any](name string, at func(*T) *[]float64) Column[T] {
	return list(name, arrow.PrimitiveTypes.Float64, at,
		func(b array.Builder, v []float64) { b.(*array.Float64Builder).AppendValues(v, nil) },
		func(a arrow.Array, i int) float64 { return a.(*array.Float64).Value(i) })
}

// Texts is a column of lists of text.
func Texts[T any](name string, at func(*T) *[]string) Column[T] {
	return list(name, arrow.BinaryTypes.String, at,
		func(b array.Builder, v []string) { b.(*array.StringBuilder).AppendValues(v, nil) },
		func(a arrow.Array, i int) string { return strings.Clone(a.(*array.String).Value(i)) })
}

func list[T, V any](name string, item arrow.DataType, at func(*T) *[]V, put func(array.Builder, []V), take func(arrow.Array, int) V) Column[T] {
	return Column[T]{
		field: arrow.Field{Name: name, Type: arrow.ListOfNonNullable(item)},
		put: func(b array.Builder, t *T) {
			l := b.(*array.ListBuilder)
			l.Append(true)
			put(l.ValueBuilder(), *at(t))
		},
		take: func(a arrow.Array, i int, t *T) {
			l := a.(*array.List)
			from, to := l.ValueOffsets(i)
			values := make([]V, to-from)
			for k := range values {
				values[k] = take(l.ListValues(), int(from)+k)
			}
			*at(t) = values
		},
	}
}

// Schema is the columns as a contract has them.
func Schema[T any](columns []Column[T]) *arrow.Schema {
	fields := make([]arrow.Field, len(columns))
	for i, c := range columns {
		fields[i] = c.field
	}
	return arrow.NewSchema(fields, nil)
}

// Names are the names of the columns.
func Names[T any](columns []Column[T]) []string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.field.Name
	}
	return names
}

// writeRows is how many rows Write puts into a batch.
const writeRows = 256

// Write writes rows to w in order and closes it.
func Write[T any](w stage.Writer, columns []Column[T], rows []T) error {
	b := array.NewRecordBuilder(memory.DefaultAllocator, Schema(columns))
	defer b.Release()
	for part := range slices.Chunk(rows, writeRows) {
		for i := range part {
			for c := range columns {
				columns[c].put(b.Field(c), &part[i])
			}
		}
		rec := b.NewRecord()
		err := w.Write(rec)
		rec.Release()
		if err != nil {
			return err
		}
	}
	return w.Close()
}

// Decode appends the rows of a batch, which has the columns by name and type;
// what is appended does not lie in the batch's memory.
func Decode[T any](rows []T, columns []Column[T], rec arrow.Record) ([]T, error) {
	start := len(rows)
	rows = append(rows, make([]T, rec.NumRows())...)
	for _, c := range columns {
		at := rec.Schema().FieldIndices(c.field.Name)
		if len(at) == 0 {
			return nil, fmt.Errorf("column %s is missing", c.field.Name)
		}
		col := rec.Column(at[0])
		if !arrow.TypeEqual(col.DataType(), c.field.Type) {
			return nil, fmt.Errorf("column %s is %s, not %s", c.field.Name, col.DataType(), c.field.Type)
		}
		if !c.field.Nullable && col.NullN() > 0 {
			return nil, fmt.Errorf("column %s has nulls", c.field.Name)
		}
		for i := range col.Len() {
			c.take(col, i, &rows[start+i])
		}
	}
	return rows, nil
}

// Read collects all rows of a table.
func Read[T any](columns []Column[T], batches stage.Batches) ([]T, error) {
	var rows []T
	for rec, err := range batches {
		if err == nil {
			rows, err = Decode(rows, columns, rec)
		}
		if err != nil {
			return nil, err
		}
	}
	return rows, nil
}
