package parquet

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/compress"
	"pgregory.net/rapid"
)

// small is a file of all types with few rows.
func small() []byte {
	rec := rapid.Custom(func(t *rapid.T) arrow.Record { return anyRecord(t, 40) }).Example(1)
	return encode(fatal{}, anySchema(), 1, rec)
}

// fatal is a test that cannot fail gently.
type fatal struct{}

func (fatal) Fatal(args ...any) { panic(args) }

// readAll reads every column of a file, whatever it is.
func readAll(data []byte) (rows int64, err error) {
	f, err := NewFile("fuzz.parquet", bytes.NewReader(data))
	if err != nil {
		return 0, err
	}
	for rec, err := range f.Read(context.Background(), fieldsOf(anySchema()), 16) {
		if err != nil {
			return rows, err
		}
		rows += rec.NumRows()
		for _, c := range rec.Columns() { // touch what could lie outside
			for i := range c.Len() {
				_ = c.ValueStr(i)
			}
		}
	}
	return rows, nil
}

// TestDamaged: a file that is cut is an error that names it; one with a
// changed byte is never a panic.
func TestDamaged(t *testing.T) {
	data := small()
	if n, err := readAll(data); n != 40 || err != nil {
		t.Fatal(n, err)
	}
	for i := 0; i < len(data); i += 31 {
		if _, err := readAll(data[:i]); err == nil || !strings.Contains(err.Error(), "fuzz.parquet") {
			t.Fatalf("cut at %d: %v", i, err)
		}
	}
	for i := 0; i < len(data); i += 41 {
		bad := bytes.Clone(data)
		bad[i] ^= 0xff
		if _, err := readAll(bad); err != nil && !strings.Contains(err.Error(), "fuzz.parquet") {
			t.Fatalf("byte %d: the error does not name the file: %v", i, err)
		}
	}
}

// readAny reads every column of a file as everything that it can become.
func readAny(data []byte) {
	f, err := NewFile("fuzz.parquet", bytes.NewReader(data))
	if err != nil {
		return
	}
	f64 := arrow.PrimitiveTypes.Float64
	for _, name := range f.Columns() {
		for _, t := range []arrow.DataType{
			arrow.PrimitiveTypes.Int64, arrow.PrimitiveTypes.Int32, f64, arrow.PrimitiveTypes.Float32, arrow.BinaryTypes.String,
			arrow.FixedWidthTypes.Boolean, arrow.ListOf(f64), arrow.ListOf(arrow.BinaryTypes.String),
		} {
			for rec, err := range f.Read(context.Background(), []Field{{Name: name, Type: t, Nullable: true, FixedPoint: true}}, 16) {
				if err == nil {
					touch(rec.Column(0))
				}
			}
		}
	}
}

// touch looks at everything an array holds, and at what could lie outside.
func touch(a arrow.Array) {
	switch a := a.(type) {
	case *array.List:
		for i := range a.Len() {
			_ = a.IsValid(i)
			from, to := a.ValueOffsets(i)
			items := array.NewSlice(a.ListValues(), from, to)
			touch(items)
			items.Release()
		}
	case *array.String:
		for i := range a.Len() {
			_, _ = a.IsValid(i), a.Value(i)
		}
	case *array.Boolean:
		for i := range a.Len() {
			_, _ = a.IsValid(i), a.Value(i)
		}
	default:
		for i := range a.Len() {
			_ = a.IsValid(i)
		}
		if size := a.DataType().(arrow.FixedWidthDataType).Bytes(); a.Len() > 0 {
			_ = a.Data().Buffers()[1].Bytes()[size*(a.Data().Offset()+a.Len())-1]
		}
	}
}

// tiny are files of one column and a few rows: of ours, and of arrow's writer, without
// checksums, so that changed pages are decoded.
func tiny(t testing.TB) (files [][]byte) {
	rec := wideRows(9, 3)
	for i, field := range wideSchema.Fields() {
		one := project(rec, func(n string) bool { return n == field.Name })
		files = append(files, encode(t, one.Schema(), 1, one))
		for _, version := range []parquet.DataPageVersion{parquet.DataPageV1, parquet.DataPageV2} {
			files = append(files,
				foreign(t, one, parquet.WithStats(false), parquet.WithDataPageVersion(version), parquet.WithDictionaryDefault(i%2 == 0)),
				foreign(t, one, parquet.WithStats(false), parquet.WithDataPageVersion(version), parquet.WithCompression(compress.Codecs.Snappy)))
		}
	}
	return files
}

func FuzzOpen(f *testing.F) {
	for _, data := range tiny(f) {
		f.Add(data)
	}
	f.Fuzz(func(_ *testing.T, b []byte) { readAny(b) })
}

// FuzzPatch overwrites some bytes of a file and leaves the others where they are.
func FuzzPatch(f *testing.F) {
	files := tiny(f)
	for i, data := range files {
		f.Add(i, len(magic), data[len(magic):][:30])
	}
	f.Fuzz(func(_ *testing.T, i, at int, patch []byte) {
		if i < 0 || i >= len(files) || at < 0 || at > len(files[i]) {
			return
		}
		b := bytes.Clone(files[i])
		copy(b[at:], patch)
		readAny(b)
	})
}

// FuzzDecoders drives the page decoders without the footer around them.
func FuzzDecoders(f *testing.F) {
	f.Add([]byte{1, 3, 0xff, 2, 7}, 20)
	f.Add(appendDelta(nil, []int64{1, 5, -9, 1 << 60}), 4)
	f.Fuzz(func(t *testing.T, b []byte, n int) {
		if n < 0 || n > 1000 {
			return
		}
		_ = decodeIndices(make([]int64, n), []int64{1, 2, 3}, b)
		_, _, _ = decodeValidity(b, n)
		_, _ = decodeLevels(b, n, 3)
		_, _, _ = decodeDelta[int64](b, n)
		_, _, _ = decodeDelta[int32](b, n)
		_, _ = deltaTexts(b, n)
		_, _ = lengthTexts(b, n)
		_, _ = plainTexts(b, n)
		_, _ = decodeBools(b, n, encRLE)
		_, _ = decodeSplit[int64](b, n, 8)
	})
}

// TestErrors: missing columns and nulls that may not be are named.
func TestErrors(t *testing.T) {
	s := arrow.NewSchema([]arrow.Field{{Name: "a", Type: arrow.PrimitiveTypes.Int64, Nullable: true}, {Name: "d", Type: arrow.PrimitiveTypes.Float64}}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, s)
	b.Field(0).(*array.Int64Builder).AppendValues([]int64{1, 2, 0}, []bool{true, true, false})
	b.Field(1).(*array.Float64Builder).AppendValues([]float64{1, 2.5, 1 << 20}, nil)
	rec := b.NewRecord()
	data := encode(t, s, 1, rec)
	i64 := arrow.PrimitiveTypes.Int64
	for _, c := range []struct {
		want Field
		text string
	}{
		{Field{Name: "b", Type: i64}, `it has no column "b"; its columns are a, d`},
		{Field{Name: "a", Type: i64}, `column "a": row 2: null`},
		{Field{Name: "a", Type: arrow.BinaryTypes.String, Nullable: true}, `column "a" is stored as INT64`},
		{Field{Name: "d", Type: i64}, `column "d": row 1: 2.5 (stored as DOUBLE) does not fit int64`},
		{Field{Name: "a", Type: arrow.ListOf(i64)}, `column "a" is stored as`},
	} {
		_, err := decode(data, []Field{c.want}, 10)
		if err == nil || !strings.Contains(err.Error(), c.text) || !strings.Contains(err.Error(), "test.parquet") {
			t.Errorf("%v: %v", c.want, err)
		}
	}
	got, err := decode(data, []Field{{Name: "d", Type: i64, FixedPoint: true}}, 10)
	if err != nil || got[0].Column(0).(*array.Int64).Value(1) != 2_500_000_000 {
		t.Error(got, err)
	}
	w, err := NewWriter(&bytes.Buffer{}, s, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(encodeOther()); err == nil || !strings.Contains(err.Error(), "1 columns for a file of 2") {
		t.Error(err)
	}
	if _, err := NewWriter(&bytes.Buffer{}, arrow.NewSchema([]arrow.Field{{Name: "x", Type: arrow.FixedWidthTypes.Date32}}, nil), 1); err == nil {
		t.Error("dates are stored")
	}
}

func encodeOther() arrow.Record {
	b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema([]arrow.Field{{Name: "a", Type: arrow.PrimitiveTypes.Int64}}, nil))
	b.Field(0).(*array.Int64Builder).Append(1)
	return b.NewRecord()
}
