package parquet

import (
	"bytes"
	"context"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/compress"
	"github.com/apache/arrow/go/v17/parquet/pqarrow"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// TestForeignTypes: what the reference stores (spec 01 §2) is cast to what the
// contracts say, through arrow's writer in both page versions.
func TestForeignTypes(t *testing.T) {
	s := arrow.NewSchema([]arrow.Field{
		{Name: "ts", Type: &arrow.TimestampType{Unit: arrow.Nanosecond, TimeZone: "UTC"}, Nullable: true},
		{Name: "us", Type: &arrow.TimestampType{Unit: arrow.Microsecond}, Nullable: true},
		{Name: "px", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
		{Name: "flags", Type: arrow.PrimitiveTypes.Uint8, Nullable: true},
		{Name: "size", Type: arrow.PrimitiveTypes.Uint32, Nullable: true},
		{Name: "struck", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
		{Name: "bool", Type: arrow.FixedWidthTypes.Boolean, Nullable: true},
		{Name: "gap", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
		{Name: "text", Type: arrow.BinaryTypes.String, Nullable: true},
	}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, s)
	const n = 3000
	for i := range n {
		b.Field(0).(*array.TimestampBuilder).Append(arrow.Timestamp(1_754_300_000_000_000_000 + i))
		b.Field(1).(*array.TimestampBuilder).Append(arrow.Timestamp(1_754_300_000_000_000 + i))
		switch i % 3 {
		case 0:
			b.Field(2).AppendNull()
			b.Field(7).AppendNull()
		case 1:
			b.Field(2).(*array.Float64Builder).Append(math.NaN())
			b.Field(7).(*array.Float64Builder).Append(1)
		default:
			b.Field(2).(*array.Float64Builder).Append(6300.25 + float64(i)*0.01)
			b.Field(7).(*array.Float64Builder).Append(2)
		}
		b.Field(3).(*array.Uint8Builder).Append(uint8(i))
		b.Field(4).(*array.Uint32Builder).Append(math.MaxUint32 - uint32(i))
		b.Field(5).(*array.Float64Builder).Append(float64(i))
		b.Field(6).(*array.BooleanBuilder).Append(i%2 == 0)
		b.Field(8).(*array.StringBuilder).Append("x")
	}
	rec := b.NewRecord()
	i64, i32 := arrow.PrimitiveTypes.Int64, arrow.PrimitiveTypes.Int32
	want := []Field{
		{Name: "size", Type: i64}, {Name: "ts", Type: i64}, {Name: "us", Type: i64}, {Name: "px", Type: i64, Nullable: true, FixedPoint: true},
		{Name: "flags", Type: i32}, {Name: "struck", Type: i64}, {Name: "bool", Type: arrow.FixedWidthTypes.Boolean},
		{Name: "gap", Type: arrow.PrimitiveTypes.Float64}, {Name: "text", Type: arrow.BinaryTypes.String},
	}
	for _, version := range []parquet.DataPageVersion{parquet.DataPageV1, parquet.DataPageV2} {
		data := foreign(t, rec, parquet.WithDataPageVersion(version), parquet.WithMaxRowGroupLength(1000),
			parquet.WithDictionaryFor("size", false), parquet.WithDataPageSize(2000))
		got, err := decode(data, want, 777)
		if err != nil {
			t.Fatal(err)
		}
		row := 0
		for _, r := range got {
			for i := range int(r.NumRows()) {
				checkForeign(t, r, i, row)
				row++
			}
		}
		if row != n {
			t.Errorf("%d rows", row)
		}
	}
}

func checkForeign(t *testing.T, r arrow.Record, i, row int) {
	t.Helper()
	long := func(c int) int64 { return r.Column(c).(*array.Int64).Value(i) }
	px := r.Column(3)
	gap := r.Column(7).(*array.Float64).Value(i)
	ok := long(0) == math.MaxUint32-int64(row) && long(1) == 1_754_300_000_000_000_000+int64(row) &&
		long(2) == 1_754_300_000_000_000_000+1000*int64(row) && px.IsNull(i) == (row%3 != 2) &&
		(px.IsNull(i) || long(3) == 6_300_250_000_000+int64(row)*10_000_000) &&
		r.Column(4).(*array.Int32).Value(i) == int32(uint8(row)) && long(5) == int64(row) &&
		r.Column(6).(*array.Boolean).Value(i) == (row%2 == 0) && math.IsNaN(gap) == (row%3 == 0) && r.Column(7).IsValid(i)
	if !ok {
		t.Fatalf("row %d: %v", row, r.NewSlice(int64(i), int64(i)+1))
	}
}

// TestCastsAreLossless stores one number and reads it as another type: what comes
// is the number itself or an error that names it.
func TestCastsAreLossless(t *testing.T) {
	i64, u64, i32, f64 := arrow.PrimitiveTypes.Int64, arrow.PrimitiveTypes.Uint64, arrow.PrimitiveTypes.Int32, arrow.PrimitiveTypes.Float64
	us := &arrow.TimestampType{Unit: arrow.Microsecond}
	for _, c := range []struct {
		stored arrow.DataType
		value  string
		want   arrow.DataType
		read   string // "": it does not fit
	}{
		{i64, "9007199254740992", f64, "9.007199254740992e+15"},
		{i64, "9007199254740993", f64, ""},
		{i64, "-9007199254740992", f64, "-9.007199254740992e+15"},
		{i64, "-9007199254740993", f64, ""},
		{i64, "9223372036854775807", f64, ""},
		{i64, "-9223372036854775808", f64, ""},
		{u64, "9007199254740992", f64, "9.007199254740992e+15"},
		{u64, "9007199254740993", f64, ""},
		{u64, "9223372036854775808", f64, ""},
		{u64, "18446744073709551615", f64, ""},
		{u64, "9223372036854775807", i64, "9223372036854775807"},
		{u64, "9223372036854775808", i64, ""},
		{u64, "18446744073709551615", i32, ""},
		{i64, "2147483647", i32, "2147483647"},
		{i64, "2147483648", i32, ""},
		{i64, "-2147483649", i32, ""},
		{arrow.PrimitiveTypes.Uint32, "4294967295", f64, "4.294967295e+09"},
		{us, "9007199254740", f64, "9.00719925474e+15"}, // ns, as of a long
		{us, "9007199254741", f64, ""},
		{us, "9223372036854775", i64, "9223372036854775000"},
		{us, "9223372036854776", i64, ""},
		{us, "-9223372036854776", i64, ""},
	} {
		s := arrow.NewSchema([]arrow.Field{{Name: "x", Type: c.stored}}, nil)
		b := array.NewRecordBuilder(memory.DefaultAllocator, s)
		if ts, ok := b.Field(0).(*array.TimestampBuilder); ok {
			n, err := strconv.ParseInt(c.value, 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			ts.Append(arrow.Timestamp(n))
		} else if err := b.Field(0).AppendValueFromString(c.value); err != nil {
			t.Fatal(err)
		}
		got, err := decode(foreign(t, b.NewRecord()), []Field{{Name: "x", Type: c.want}}, 10)
		switch {
		case c.read == "" && (err == nil || !strings.Contains(err.Error(), "row 0: "+c.value+" (stored as INT64) does not fit")):
			t.Errorf("%s %s as %s: %v, %v", c.stored, c.value, c.want, got, err)
		case c.read != "" && (err != nil || got[0].Column(0).ValueStr(0) != c.read):
			t.Errorf("%s %s as %s: %v, %v; want %s", c.stored, c.value, c.want, got, err, c.read)
		}
	}
}

// foreign writes a file with arrow's writer.
func foreign(t testing.TB, rec arrow.Record, props ...parquet.WriterProperty) []byte {
	t.Helper()
	var buf bytes.Buffer
	w, err := pqarrow.NewFileWriter(rec.Schema(), &buf, parquet.NewWriterProperties(props...), pqarrow.DefaultWriterProps())
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(rec); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// lz4Codec writes what the library itself cannot.
type lz4Codec struct{ compress.Codec }

func (lz4Codec) CompressBound(n int64) int64 { return int64(lz4.CompressBlockBound(int(n))) }
func (c lz4Codec) Encode(_, src []byte) []byte {
	dst := make([]byte, c.CompressBound(int64(len(src))))
	n, err := lz4.CompressBlock(src, dst, nil)
	if err != nil {
		panic(err)
	}
	return dst[:n]
}
func (c lz4Codec) EncodeLevel(dst, src []byte, _ int) []byte { return c.Encode(dst, src) }

// streamCodec is zstd in frames that do not say how large they are.
type streamCodec struct{ compress.Codec }

func (streamCodec) Encode(_, src []byte) []byte {
	var dst bytes.Buffer
	z, err := zstd.NewWriter(&dst)
	if err != nil {
		panic(err)
	}
	for part := range slices.Chunk(src, 100) {
		if _, err := z.Write(part); err != nil {
			panic(err)
		}
		if err := z.Flush(); err != nil {
			panic(err)
		}
	}
	if err := z.Close(); err != nil {
		panic(err)
	}
	return dst.Bytes()
}
func (c streamCodec) EncodeLevel(dst, src []byte, _ int) []byte { return c.Encode(dst, src) }

// foreignFiles writes a file with every codec in both versions of a page.
func foreignFiles(t testing.TB, rec arrow.Record) map[string][]byte {
	t.Helper()
	of, err := compress.GetCodec(compress.Codecs.Zstd)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]byte{}
	for name, codec := range map[string]compress.Compression{
		"UNCOMPRESSED": compress.Codecs.Uncompressed, "SNAPPY": compress.Codecs.Snappy, "GZIP": compress.Codecs.Gzip,
		"BROTLI": compress.Codecs.Brotli, "ZSTD": compress.Codecs.Zstd, "ZSTD stream": compress.Codecs.Zstd, "LZ4_RAW": lz4Raw,
	} {
		switch name {
		case "ZSTD stream":
			compress.RegisterCodec(codec, streamCodec{of})
		case "LZ4_RAW":
			compress.RegisterCodec(codec, lz4Codec{})
		}
		out[name+" 1"] = foreign(t, rec, parquet.WithCompression(codec))
		out[name+" 2"] = foreign(t, rec, parquet.WithCompression(codec), parquet.WithDataPageVersion(parquet.DataPageV2), parquet.WithDictionaryDefault(false))
		compress.RegisterCodec(compress.Codecs.Zstd, of)
	}
	return out
}

// TestCodecs reads what others compress, and names what cannot be read.
func TestCodecs(t *testing.T) {
	rec := wideRows(1000, 5)
	for name, data := range foreignFiles(t, rec) {
		got, err := decode(data, fieldsOf(wideSchema), PageRows)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		equal(t, rowsOf(got), rowsOf([]arrow.Record{rec}))
	}
	f, err := NewFile("test.parquet", bytes.NewReader(encode(t, wideSchema, 1, rec)))
	if err != nil {
		t.Fatal(err)
	}
	f.meta.RowGroups[0].Columns[1].MetaData.Codec = 3
	for _, err = range f.Read(t.Context(), fieldsOf(wideSchema), PageRows) {
	}
	const want = `test.parquet: column "px" of row group 0: it is compressed with LZO, which cannot be read; write the file again with zstd or snappy`
	if err == nil || err.Error() != want {
		t.Errorf("%v\nwant %s", err, want)
	}
}

// golden finds the reference's data beside the repository.
func golden(t *testing.T) string {
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
	}
	path := filepath.Join(dir, "../shared/data/golden/day/expected/silver/product_type=future/symbol=ESU5")
	if _, err := os.Stat(path); err != nil {
		t.Skip("the reference's data is not here")
	}
	return path
}

// TestReferenceFile reads every column of the reference's order book as the
// contract types it, and finds what arrow's reader finds.
func TestReferenceFile(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(golden(t), "table=market_by_price_10/dt=2025-08-04/part-00000.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	f, err := NewFile("golden", bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	recs := library(t, data)
	var fields []Field
	for i, sf := range recs[0].Schema().Fields() {
		want := Field{Name: sf.Name, Type: arrow.PrimitiveTypes.Int64, Nullable: true, FixedPoint: sf.Type.ID() == arrow.FLOAT64}
		if id := sf.Type.ID(); id == arrow.STRING || id == arrow.BOOL {
			want.Type = recs[0].Column(i).DataType()
		}
		fields = append(fields, want)
	}
	row := 0
	for rec, err := range f.Read(context.Background(), fields, 1<<20) {
		if err != nil {
			t.Fatal(err)
		}
		for c := range fields {
			if d, ok := recs[0].Column(c).(*array.Float64); ok {
				for i := range int(rec.NumRows()) {
					if v := d.Value(row + i); d.IsValid(row+i) && rec.Column(c).(*array.Int64).Value(i) != int64(math.Round(v*1e9)) {
						t.Fatalf("%s, row %d: %v", fields[c].Name, row+i, v)
					}
				}
			}
		}
		row += int(rec.NumRows())
	}
	if int64(row) != recs[0].NumRows() || f.Rows() != int64(row) {
		t.Errorf("%d rows of %d", row, recs[0].NumRows())
	}
}
