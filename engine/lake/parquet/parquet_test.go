package parquet

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet/file"
	"github.com/apache/arrow/go/v17/parquet/pqarrow"
	"github.com/apache/arrow/go/v17/parquet/schema"
	"pgregory.net/rapid"
)

// fieldsOf asks for all columns of a schema as they are.
func fieldsOf(s *arrow.Schema) []Field {
	var out []Field
	for _, f := range s.Fields() {
		out = append(out, Field{Name: f.Name, Type: f.Type, Nullable: f.Nullable})
	}
	return out
}

// encode writes the records to a file in memory.
func encode(t interface{ Fatal(...any) }, s *arrow.Schema, workers int, recs ...arrow.Record) []byte {
	var buf bytes.Buffer
	w, err := NewWriter(&buf, s, workers)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range recs {
		if err := w.Write(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if w.Bytes() != int64(buf.Len()) {
		t.Fatal("Bytes is", w.Bytes(), "of", buf.Len())
	}
	return buf.Bytes()
}

// decode reads all columns back into one table.
func decode(data []byte, fields []Field, maxRows int) ([]arrow.Record, error) {
	f, err := NewFile("test.parquet", bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	var out []arrow.Record
	for rec, err := range f.Read(context.Background(), fields, maxRows) {
		if err != nil {
			return out, err
		}
		rec.Retain()
		out = append(out, rec)
	}
	return out, nil
}

// rowsOf prints every row, so that batches of any size compare.
func rowsOf(recs []arrow.Record) []string {
	var out []string
	for _, r := range recs {
		for i := range int(r.NumRows()) {
			var b strings.Builder
			for _, c := range r.Columns() {
				if d, ok := c.(*array.Float64); ok && c.IsValid(i) {
					fmt.Fprintf(&b, "%x|", math.Float64bits(d.Value(i)))
					continue
				}
				fmt.Fprintf(&b, "%s|", c.ValueStr(i))
			}
			out = append(out, b.String())
		}
	}
	return out
}

func equal(t interface{ Fatalf(string, ...any) }, got, want []string) {
	if len(got) != len(want) {
		t.Fatalf("%d rows, want %d", len(got), len(want))
	}
	for i := range got {
		if got[i] != want[i] {
			t.Fatalf("row %d is %s, want %s", i, got[i], want[i])
		}
	}
}

// sameColumns compares values whatever the batches; NaN is unequal.
func sameColumns(t *testing.T, got, want []arrow.Record) {
	t.Helper()
	a, b := array.NewTableFromRecords(got[0].Schema(), got), array.NewTableFromRecords(want[0].Schema(), want)
	if a.NumCols() != b.NumCols() {
		t.Fatalf("%d columns, want %d", a.NumCols(), b.NumCols())
	}
	for i := range int(a.NumCols()) {
		if !array.ChunkedEqual(a.Column(i).Data(), b.Column(i).Data()) {
			t.Errorf("column %s differs", b.Column(i).Name())
		}
	}
}

// library reads a file with arrow's own reader.
func library(t *testing.T, data []byte) []arrow.Record {
	t.Helper()
	r, err := file.NewParquetReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	a, err := pqarrow.NewFileReader(r, pqarrow.ArrowReadProperties{BatchSize: 1 << 20}, memory.DefaultAllocator)
	if err != nil {
		t.Fatal(err)
	}
	tbl, err := a.ReadTable(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	var out []arrow.Record
	for tr := array.NewTableReader(tbl, 1<<20); tr.Next(); {
		tr.Record().Retain()
		out = append(out, tr.Record())
	}
	return out
}

func TestBookRoundTrip(t *testing.T) {
	const rows = PageRows + 77
	recs := bookRecords(rows, 10_007, 7)
	data := encode(t, bookSchema(), 2, recs...)
	got, err := decode(data, fieldsOf(bookSchema()), 1<<16)
	if err != nil {
		t.Fatal(err)
	}
	sameColumns(t, got, recs)
	sameColumns(t, library(t, data), recs)
	f, err := NewFile("x", bytes.NewReader(data))
	if err != nil || f.Rows() != rows || len(f.Columns()) != len(bookSchema().Fields()) {
		t.Fatal(f.Rows(), f.Columns(), err)
	}
}

// anySchema has every stored type, with and without null.
func anySchema() *arrow.Schema {
	var fields []arrow.Field
	for i, t := range []arrow.DataType{
		arrow.PrimitiveTypes.Int64, arrow.PrimitiveTypes.Int32, arrow.PrimitiveTypes.Float64, arrow.PrimitiveTypes.Float32,
		arrow.BinaryTypes.String, arrow.FixedWidthTypes.Boolean,
		arrow.ListOfNonNullable(arrow.PrimitiveTypes.Float64), arrow.ListOf(arrow.PrimitiveTypes.Float64),
	} {
		for _, null := range []bool{false, true} {
			fields = append(fields, arrow.Field{Name: fmt.Sprintf("c%d_%v", i, null), Type: t, Nullable: null})
		}
	}
	return arrow.NewSchema(fields, nil)
}

// anyRecord draws a record; how varied the values are differs by column.
func anyRecord(t *rapid.T, rows int) arrow.Record {
	b := array.NewRecordBuilder(memory.DefaultAllocator, anySchema())
	for c, f := range anySchema().Fields() {
		spread := rapid.SampledFrom([]int64{1, 2, 50, 20_000, math.MaxInt64}).Draw(t, "spread")
		holes := 0
		if f.Nullable {
			holes = rapid.SampledFrom([]int{0, 1, 3, 100}).Draw(t, "holes")
		}
		seed := rapid.Uint64().Draw(t, "seed")
		next := func() uint64 { // splitmix64
			seed += 0x9E3779B97F4A7C15
			z := (seed ^ seed>>30) * 0xBF58476D1CE4E5B9
			z = (z ^ z>>27) * 0x94D049BB133111EB
			return z ^ z>>31
		}
		for range rows {
			v := int64(next()) % spread
			if holes == 100 || holes > 0 && next()%8 < uint64(holes) {
				b.Field(c).AppendNull()
				continue
			}
			appendAny(b.Field(c), v, next)
		}
	}
	return b.NewRecord()
}

func appendAny(b array.Builder, v int64, next func() uint64) {
	switch b := b.(type) {
	case *array.Int64Builder:
		b.Append(v)
	case *array.Int32Builder:
		b.Append(int32(v))
	case *array.Float64Builder:
		b.Append([]float64{float64(v), math.Inf(-1), math.NaN(), math.Copysign(0, -1), 0, 1 / float64(v)}[next()%6])
	case *array.Float32Builder:
		b.Append(float32(v))
	case *array.StringBuilder:
		b.Append(strings.Repeat("é", int(next()%4)) + fmt.Sprint(v))
	case *array.BooleanBuilder:
		b.Append(v%2 == 0)
	case *array.ListBuilder:
		b.Append(true)
		for range next() % 4 {
			if b.Type().(*arrow.ListType).ElemField().Nullable && next()%3 == 0 {
				b.ValueBuilder().AppendNull()
			} else {
				appendAny(b.ValueBuilder(), v, next)
			}
		}
	}
}

// TestSameBytes: whatever the batches and workers, the file is the same, and
// holds the rows.
func TestSameBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.SampledFrom([]int{0, 1, 7, 8, 9, 30, 60, 100, 300, 301, 1000}).Draw(t, "rows")
		rec := anyRecord(t, rows)
		defer rec.Release()
		whole := encode(t, anySchema(), 1, rec)
		var parts []arrow.Record
		for at := int64(0); at < rec.NumRows(); {
			n := min(rec.NumRows()-at, int64(rapid.IntRange(1, 9000).Draw(t, "batch")))
			parts = append(parts, rec.NewSlice(at, at+n))
			at += n
		}
		again := encode(t, anySchema(), rapid.IntRange(1, 4).Draw(t, "workers"), parts...)
		if !bytes.Equal(whole, again) {
			t.Fatalf("%d batches gave other bytes than one", len(parts))
		}
		got, err := decode(whole, fieldsOf(anySchema()), rapid.IntRange(1, 20_000).Draw(t, "read"))
		if err != nil {
			t.Fatal(err)
		}
		equal(t, rowsOf(got), rowsOf([]arrow.Record{rec}))
	})
}

// TestLibraryReadsAll: arrow's reader agrees on every type and null pattern.
func TestLibraryReadsAll(t *testing.T) {
	rec := rapid.Custom(func(t *rapid.T) arrow.Record { return anyRecord(t, PageRows+10) })
	for seed := range 2 {
		r := rec.Example(seed)
		equal(t, rowsOf(library(t, encode(t, anySchema(), 1, r))), rowsOf([]arrow.Record{r}))
	}
}

// TestDictionaryGivenUp: a column that starts with few values and goes on with
// many has both kinds of page, and is read back.
func TestDictionaryGivenUp(t *testing.T) {
	s := arrow.NewSchema([]arrow.Field{
		{Name: "n", Type: arrow.PrimitiveTypes.Int64}, {Name: "s", Type: arrow.BinaryTypes.String},
		{Name: "f", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
	}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, s)
	for i := range RowGroupRows + PageRows + 5 {
		v := int64(i % 5)
		if i > PageRows {
			v = int64(i) * 977
		}
		b.Field(0).(*array.Int64Builder).Append(v)
		b.Field(1).(*array.StringBuilder).Append(fmt.Sprint(v))
		b.Field(2).(*array.Float64Builder).Append(float64(v))
	}
	rec := b.NewRecord()
	data := encode(t, s, 1, rec)
	got, err := decode(data, fieldsOf(s), PageRows)
	if err != nil {
		t.Fatal(err)
	}
	sameColumns(t, got, []arrow.Record{rec})
	sameColumns(t, library(t, data), []arrow.Record{rec})
	var parts []arrow.Record
	for at := int64(0); at < rec.NumRows(); at += 50_000 {
		parts = append(parts, rec.NewSlice(at, min(at+50_000, rec.NumRows())))
	}
	if !bytes.Equal(data, encode(t, s, 3, parts...)) {
		t.Error("batches across row groups give other bytes")
	}
	f, err := NewFile("x", bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"[PLAIN RLE_DICTIONARY DELTA_BINARY_PACKED]", "[PLAIN RLE_DICTIONARY DELTA_BYTE_ARRAY]", "[PLAIN RLE_DICTIONARY RLE]"} {
		c, err := f.meta.RowGroup(0).ColumnChunk(i)
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(c.Encodings()); got != want {
			t.Errorf("column %d has encodings %s, want %s", i, got, want)
		}
	}
}

// TestSchemaIsThatOfArrow: what toParquet makes is what Arrow's own conversion does.
func TestSchemaIsThatOfArrow(t *testing.T) {
	types := []arrow.DataType{
		arrow.PrimitiveTypes.Int64, arrow.PrimitiveTypes.Int32, arrow.PrimitiveTypes.Float64, arrow.PrimitiveTypes.Float32,
		arrow.BinaryTypes.String, arrow.FixedWidthTypes.Boolean,
	}
	var fields []arrow.Field
	for _, typ := range types {
		for _, nullable := range []bool{false, true} {
			name := fmt.Sprint(typ, " ", nullable)
			fields = append(fields, arrow.Field{Name: name, Type: typ, Nullable: nullable}, arrow.Field{Name: "list of " + name, Type: arrow.ListOf(typ), Nullable: nullable})
		}
	}
	s := arrow.NewSchema(fields, nil)
	got, err := toParquet(s)
	if err != nil {
		t.Fatal(err)
	}
	want, err := pqarrow.ToParquet(s, properties, pqarrow.DefaultWriterProps())
	if err != nil {
		t.Fatal(err)
	}
	if g, w := schema.ToThrift(got.Root()), schema.ToThrift(want.Root()); !reflect.DeepEqual(g, w) {
		t.Errorf("%v\nwant\n%v", g, w)
	}
}
