package parquet

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"pgregory.net/rapid"
)

// wideSchema has every kind of column that is stored.
var wideSchema = arrow.NewSchema([]arrow.Field{
	{Name: "ts", Type: arrow.PrimitiveTypes.Int64},
	{Name: "px", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
	{Name: "side", Type: arrow.BinaryTypes.String},
	{Name: "note", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "x", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
	{Name: "flag", Type: arrow.FixedWidthTypes.Boolean},
	{Name: "n", Type: arrow.PrimitiveTypes.Int32},
	{Name: "v", Type: arrow.ListOfNonNullable(arrow.PrimitiveTypes.Float64)},
}, nil)

// wideRows makes n rows from a seed.
func wideRows(n int, seed uint64) arrow.Record {
	b := array.NewRecordBuilder(memory.DefaultAllocator, wideSchema)
	defer b.Release()
	x := seed
	next := func(m uint64) uint64 { x = x*6364136223846793005 + 1442695040888963407; return x >> 33 % m }
	for i := range n {
		b.Field(0).(*array.Int64Builder).Append(int64(i) * 7)
		if next(5) == 0 {
			b.Field(1).AppendNull()
		} else {
			b.Field(1).(*array.Int64Builder).Append(int64(next(1 << 20)))
		}
		b.Field(2).(*array.StringBuilder).Append([]string{"A", "B", "N"}[next(3)])
		if i%2 == 0 {
			b.Field(3).AppendNull()
		} else {
			b.Field(3).(*array.StringBuilder).Append(strings.Repeat("x", int(next(9))))
		}
		b.Field(4).(*array.Float64Builder).Append(float64(next(1000)) / 8)
		b.Field(5).(*array.BooleanBuilder).Append(next(2) == 0)
		b.Field(6).(*array.Int32Builder).Append(int32(next(4)))
		l := b.Field(7).(*array.ListBuilder)
		l.Append(true)
		for range next(3) {
			l.ValueBuilder().(*array.Float64Builder).Append(float64(next(9)))
		}
	}
	return b.NewRecord()
}

// project keeps some columns of a record, in its order.
func project(rec arrow.Record, keep func(string) bool) arrow.Record {
	var fields []arrow.Field
	var cols []arrow.Array
	for i, f := range rec.Schema().Fields() {
		if keep(f.Name) {
			fields, cols = append(fields, f), append(cols, rec.Column(i))
		}
	}
	return array.NewRecord(arrow.NewSchema(fields, nil), cols, rec.NumRows())
}

// TestExtendingGivesTheBytesOfEncoding takes any columns from a file and adds the
// others: the file is the one that is written from all columns.
func TestExtendingGivesTheBytesOfEncoding(t *testing.T) {
	var names []string
	for _, f := range wideSchema.Fields() {
		names = append(names, f.Name)
	}
	rapid.Check(t, func(rt *rapid.T) {
		rows := rapid.SampledFrom([]int{0, 1, 100, 1000}).Draw(rt, "rows")
		adds := rapid.SliceOfNDistinct(rapid.SampledFrom(names), 1, len(names)-1, rapid.ID).Draw(rt, "adds")
		checkExtending(rt, rows, adds, uint64(rapid.IntRange(0, 3).Draw(rt, "seed")))
	})
	for _, rows := range []int{PageRows, RowGroupRows, RowGroupRows + 5} {
		checkExtending(t, rows, []string{"ts", "note"}, 1)
	}
}

func checkExtending(t interface {
	Fatal(...any)
	Fatalf(string, ...any)
}, rows int, adds []string, seed uint64) {
	whole := wideRows(rows, seed)
	want := encode(t, wideSchema, 1, whole)
	base := project(whole, func(n string) bool { return !slices.Contains(adds, n) })
	from, err := NewFile("base.parquet", bytes.NewReader(encode(t, base.Schema(), 1, base)))
	if err != nil {
		t.Fatal(err)
	}
	if !from.Extends(wideSchema, adds) {
		t.Fatal("it cannot be extended")
	}
	var got bytes.Buffer
	w, err := NewExtending(&got, wideSchema, 2, from, adds)
	if err != nil {
		t.Fatal(err)
	}
	own := project(whole, func(n string) bool { return slices.Contains(adds, n) })
	for at := int64(0); at < own.NumRows(); at += 40_000 {
		if err := w.Write(own.NewSlice(at, min(at+40_000, own.NumRows()))); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Fatalf("%d bytes differ from the %d of encoding", got.Len(), len(want))
	}
}

// TestExtendingPassesNoDamageOn flips bits of the file whose columns are copied: an
// error names it, or the bytes are those of the whole one.
func TestExtendingPassesNoDamageOn(t *testing.T) {
	for _, whole := range []arrow.Record{wideRows(60, 1), mixedRows()} {
		last := whole.Schema().Field(int(whole.NumCols()) - 1).Name
		base := project(whole, func(n string) bool { return n != last })
		own := project(whole, func(n string) bool { return n == last })
		extend := func(data []byte) ([]byte, error) {
			from, err := NewFile("base.parquet", bytes.NewReader(data))
			if err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			w, err := NewExtending(&out, whole.Schema(), 1, from, []string{last})
			if err != nil {
				t.Fatal(err)
			}
			if err := w.Write(own); err != nil {
				t.Fatal(err)
			}
			err = w.Close()
			return out.Bytes(), err
		}
		data := encode(t, base.Schema(), 1, base)
		want := encode(t, whole.Schema(), 1, whole)
		for i, bit := range pageBits(t, data, 3001) {
			if whole.NumRows() > PageRows && i%5 > 0 { // all bits of a byte take turns
				continue
			}
			bad := bytes.Clone(data)
			bad[bit/8] ^= 1 << (bit % 8)
			got, err := extend(bad)
			if err == nil && !bytes.Equal(got, want) {
				t.Errorf("bit %d of byte %d of %d is flipped, and passed on", bit%8, bit/8, len(data))
			}
			if err != nil && !strings.Contains(err.Error(), "base.parquet: column ") {
				t.Errorf("bit %d of byte %d of %d: %v", bit%8, bit/8, len(data), err)
			}
		}
	}
}

func TestExtendingRefuses(t *testing.T) {
	whole := wideRows(10, 1)
	base := project(whole, func(n string) bool { return n != "x" })
	data := encode(t, base.Schema(), 1, base)
	from, err := NewFile("base.parquet", bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if from.Extends(wideSchema, []string{"n"}) {
		t.Error("x is in neither")
	}
	other := arrow.NewSchema([]arrow.Field{{Name: "ts", Type: arrow.PrimitiveTypes.Int64, Nullable: true}, {Name: "z", Type: arrow.PrimitiveTypes.Int64}}, nil)
	if from.Extends(other, []string{"z"}) {
		t.Error("ts cannot be null in the file")
	}
	for _, other := range []string{"dag version 1.0.0", "dag version 9.0.0"} {
		foreign, err := NewFile("foreign.parquet", bytes.NewReader(bytes.ReplaceAll(data, []byte(createdBy), []byte(other))))
		if err != nil {
			t.Fatal(err)
		}
		if foreign.Extends(wideSchema, []string{"x"}) {
			t.Errorf("a file of %s is not written as ours", other)
		}
	}
	for _, rows := range []int{0, 9, 11} {
		w, err := NewExtending(&bytes.Buffer{}, wideSchema, 1, from, []string{"x"})
		if err != nil {
			t.Fatal(err)
		}
		own := project(wideRows(rows, 1), func(n string) bool { return n == "x" })
		if err := w.Write(own); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err == nil {
			t.Errorf("%d rows beside 10, and no error", rows)
		}
	}
}
