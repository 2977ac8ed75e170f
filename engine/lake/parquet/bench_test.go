package parquet

import (
	"bytes"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// bookSchema has the shape of a ten-level order book table: times, flags and
// six columns a level.
func bookSchema() *arrow.Schema {
	fields := []arrow.Field{
		{Name: "ts_event", Type: arrow.PrimitiveTypes.Int64},
		{Name: "ts_recv", Type: arrow.PrimitiveTypes.Int64},
		{Name: "ts_in_delta", Type: arrow.PrimitiveTypes.Int32},
		{Name: "sequence", Type: arrow.PrimitiveTypes.Int64},
		{Name: "action", Type: arrow.BinaryTypes.String},
		{Name: "side", Type: arrow.BinaryTypes.String},
		{Name: "flags", Type: arrow.PrimitiveTypes.Int32},
		{Name: "depth", Type: arrow.PrimitiveTypes.Int32},
		{Name: "price", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
		{Name: "size", Type: arrow.PrimitiveTypes.Int64},
		{Name: "is_snapshot", Type: arrow.FixedWidthTypes.Boolean},
		{Name: "symbol", Type: arrow.BinaryTypes.String},
	}
	for l := range 10 {
		for _, n := range []string{"bid_px", "ask_px"} {
			fields = append(fields, arrow.Field{Name: n + string(rune('0'+l)), Type: arrow.PrimitiveTypes.Int64, Nullable: true})
		}
		for _, n := range []string{"bid_sz", "ask_sz", "bid_ct", "ask_ct"} {
			fields = append(fields, arrow.Field{Name: n + string(rune('0'+l)), Type: arrow.PrimitiveTypes.Int64})
		}
	}
	return arrow.NewSchema(fields, nil)
}

// bookRecords simulates a book: every event changes size and count of one
// level, one in 40 moves the book by a tick. One record a perBatch rows.
func bookRecords(rows, perBatch int, seed uint64) []arrow.Record {
	r := rand.New(rand.NewPCG(seed, 1))
	s := bookSchema()
	var out []arrow.Record
	b := array.NewRecordBuilder(memory.DefaultAllocator, s)
	const tick = 250_000_000
	mid, ts, seq := int64(6_300_000_000_000), int64(1_754_300_000_000_000_000), int64(1000)
	var sz, ct [2][10]int64
	fill := func(k, l int) { ct[k][l] = 1 + r.Int64N(60); sz[k][l] = ct[k][l] + r.Int64N(200) }
	for l := range 10 {
		fill(0, l)
		fill(1, l)
	}
	for i := range rows {
		k, l := r.IntN(2), int(min(9, r.ExpFloat64()*3))
		if r.IntN(40) == 0 {
			mid += tick * (2*r.Int64N(2) - 1)
			copy(sz[k][1:], sz[k][:9])
			copy(ct[k][1:], ct[k][:9])
			l = 0
		}
		fill(k, l)
		ts += int64(r.ExpFloat64() * 2e7)
		seq += 1 + r.Int64N(3)
		ints := func(f int, v int64) { b.Field(f).(*array.Int64Builder).Append(v) }
		ints(0, ts)
		ints(1, ts+15_000+r.Int64N(3000))
		b.Field(2).(*array.Int32Builder).Append(int32(13_000 + r.IntN(3000)))
		ints(3, seq)
		b.Field(4).(*array.StringBuilder).Append([]string{"A", "C", "M", "T"}[r.IntN(4)])
		b.Field(5).(*array.StringBuilder).Append([]string{"A", "B"}[k])
		b.Field(6).(*array.Int32Builder).Append(int32(128 + 2*r.IntN(2)))
		b.Field(7).(*array.Int32Builder).Append(int32(l))
		ints(8, mid+int64(l)*tick)
		ints(9, 1+r.Int64N(20))
		b.Field(10).(*array.BooleanBuilder).Append(false)
		b.Field(11).(*array.StringBuilder).Append("ESU5")
		for l := range 10 {
			f := 12 + 6*l
			ints(f, mid-int64(l)*tick)
			if l == 9 && i%1000 < 20 {
				b.Field(f + 1).AppendNull()
			} else {
				ints(f+1, mid+int64(l+1)*tick)
			}
			ints(f+2, sz[0][l])
			ints(f+3, sz[1][l])
			ints(f+4, ct[0][l])
			ints(f+5, ct[1][l])
		}
		if (i+1)%perBatch == 0 || i == rows-1 {
			out = append(out, b.NewRecord())
		}
	}
	return out
}

// BenchmarkWriteBook reports ns of one value and the size of the file.
func BenchmarkWriteBook(b *testing.B) {
	const rows = 262_144
	recs := bookRecords(rows, 8192, 1)
	values := float64(rows * len(bookSchema().Fields()))
	var size int64
	b.ReportAllocs()
	for b.Loop() {
		w, err := NewWriter(io.Discard, bookSchema(), 1)
		if err != nil {
			b.Fatal(err)
		}
		for _, r := range recs {
			if err := w.Write(r); err != nil {
				b.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
		size = w.Bytes()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/values, "ns/value")
	b.ReportMetric(float64(size), "bytes")
}

// BenchmarkReadBook reports ns of one value, reading all columns.
func BenchmarkReadBook(b *testing.B) {
	const rows = 262_144
	data := encode(b, bookSchema(), 1, bookRecords(rows, 8192, 1)...)
	values := float64(rows * len(bookSchema().Fields()))
	b.ReportAllocs()
	for b.Loop() {
		f, err := NewFile("bench", bytes.NewReader(data))
		if err != nil {
			b.Fatal(err)
		}
		for _, err := range f.Read(b.Context(), fieldsOf(bookSchema()), PageRows) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/values, "ns/value")
}
