package stagetest

import (
	"encoding/csv"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// types are the types a header cell can name. Cells of lists are JSON arrays.
var types = []struct {
	name string
	t    arrow.DataType
}{
	{"int64", arrow.PrimitiveTypes.Int64},
	{"int32", arrow.PrimitiveTypes.Int32},
	{"float64", arrow.PrimitiveTypes.Float64},
	{"float32", arrow.PrimitiveTypes.Float32},
	{"string", arrow.BinaryTypes.String},
	{"bool", arrow.FixedWidthTypes.Boolean},
	{"list<int64>", arrow.ListOfNonNullable(arrow.PrimitiveTypes.Int64)},
	{"list<float64>", arrow.ListOfNonNullable(arrow.PrimitiveTypes.Float64)},
	{"list<float32>", arrow.ListOfNonNullable(arrow.PrimitiveTypes.Float32)},
}

func typeName(t arrow.DataType) string {
	for _, known := range types {
		if arrow.TypeEqual(known.t, t) {
			return known.name
		}
	}
	return t.String()
}

// table is a CSV section: the header taken apart, and the cells.
type table struct {
	fields []arrow.Field
	rows   [][]string
}

// parseTable reads CSV whose header cells are name:type; no text is no table.
func parseTable(text string) (*table, error) {
	lines, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil {
		return nil, err
	}
	if len(lines) == 0 {
		return &table{}, nil
	}
	out := &table{rows: lines[1:]}
	for _, cell := range lines[0] {
		name, kind, _ := strings.Cut(cell, ":")
		i := slices.IndexFunc(types, func(k struct {
			name string
			t    arrow.DataType
		}) bool {
			return k.name == kind
		})
		if i < 0 {
			return nil, fmt.Errorf("header cell %q is not name:type with a known type", cell)
		}
		out.fields = append(out.fields, arrow.Field{Name: name, Type: types[i].t, Nullable: true})
	}
	return out, nil
}

// record builds the rows of t as a port wants them: its own columns first, with
// zero values (null where that can be) for those t leaves out; then the others
// of t. An empty cell is null, and the empty text in a column that cannot be null.
func (t *table) record(want *arrow.Schema) (arrow.Record, error) {
	fields := slices.Clone(want.Fields())
	for _, f := range t.fields {
		if !want.HasField(f.Name) {
			fields = append(fields, f)
		}
	}
	cols := make([]arrow.Array, len(fields))
	for i, f := range fields {
		at := slices.IndexFunc(t.fields, func(own arrow.Field) bool { return own.Name == f.Name })
		if at >= 0 && !arrow.TypeEqual(t.fields[at].Type, f.Type) {
			return nil, fmt.Errorf("column %q is %s instead of %s", f.Name, typeName(t.fields[at].Type), typeName(f.Type))
		}
		col, err := t.column(f, at)
		if err != nil {
			return nil, err
		}
		cols[i] = col
	}
	return array.NewRecord(arrow.NewSchema(fields, nil), cols, int64(len(t.rows))), nil
}

func (t *table) column(f arrow.Field, at int) (arrow.Array, error) {
	b := array.NewBuilder(memory.DefaultAllocator, f.Type)
	defer b.Release()
	for i, row := range t.rows {
		switch {
		case at < 0 && !f.Nullable:
			b.AppendEmptyValue()
		case at < 0 || row[at] == "" && f.Nullable:
			b.AppendNull()
		default:
			if err := b.AppendValueFromString(row[at]); err != nil {
				return nil, fmt.Errorf("row %d, column %q: %w", i+1, f.Name, err)
			}
		}
	}
	return b.NewArray(), nil
}

// cell prints a value; null and NaN are "". digits limits the significant
// digits of doubles, -1 keeps them all.
func cell(a arrow.Array, i, digits int) string {
	if a.IsNull(i) {
		return ""
	}
	switch a := a.(type) {
	case *array.Float64:
		return number(a.Value(i), digits, 64)
	case *array.Float32:
		return number(float64(a.Value(i)), digits, 32)
	case *array.List:
		from, to := a.ValueOffsets(i)
		items := make([]string, 0, to-from)
		for j := from; j < to; j++ {
			items = append(items, cell(a.ListValues(), int(j), digits))
		}
		return "[" + strings.Join(items, ",") + "]"
	}
	return a.ValueStr(i)
}

func number(v float64, digits, bits int) string {
	if math.IsNaN(v) {
		return ""
	}
	return strconv.FormatFloat(v+0, 'g', digits, bits) // +0 makes -0 plain
}

// format prints the named columns of rec, all if there are none, as a section.
func format(rec arrow.Record, names []string, digits int) string {
	var b strings.Builder
	w := csv.NewWriter(&b)
	var header []string
	var cols []arrow.Array
	for i, f := range rec.Schema().Fields() {
		if len(names) == 0 || slices.Contains(names, f.Name) {
			header = append(header, f.Name+":"+typeName(f.Type))
			cols = append(cols, rec.Column(i))
		}
	}
	w.Write(header)
	line := make([]string, len(cols))
	for row := range int(rec.NumRows()) {
		for i, c := range cols {
			line[i] = cell(c, row, digits)
		}
		if len(line) == 1 && line[0] == "" { // an empty line is no row to a reader
			w.Flush()
			b.WriteString("\"\"\n")
			continue
		}
		w.Write(line)
	}
	w.Flush() // a strings.Builder takes everything
	return b.String()
}
