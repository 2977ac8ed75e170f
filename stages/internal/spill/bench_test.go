package spill

import (
	"encoding/binary"
	"testing"
)

// BenchmarkChanges is for events of an MBP-10 book that change one level each, in
// memory that no cache holds; time is for a record.
func BenchmarkChanges(b *testing.B) {
	const size, records = 46 * wordBytes, 100_000
	all := make([]byte, size*records)
	for i := range records {
		rec := all[i*size:][:size]
		if i > 0 {
			copy(rec, all[(i-1)*size:])
		}
		for _, word := range []int{1, 2, 3, 4, 5, 6 + i*7%10*4, 8 + i*7%10*4, 9 + i*7%10*4} {
			binary.LittleEndian.PutUint64(rec[word*wordBytes:], uint64(i))
		}
	}
	out := make([]byte, 0, size*records)
	b.ReportAllocs()
	b.SetBytes(size * records)
	for b.Loop() {
		before := make([]byte, size)
		out = out[:0]
		for i := range records {
			rec := all[i*size:][:size]
			out = appendChanges(out, before, rec)
			before = rec
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/records, "ns/record")
}
