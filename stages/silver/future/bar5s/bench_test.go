package bar5s

import (
	"testing"

	"dag/stages/internal/book"
)

// BenchmarkEvents takes a session of events in batches apart and makes bars of
// them, without reading or writing files.
func BenchmarkEvents(b *testing.B) {
	const n = 100_000
	rec := recordOf(newGenerator(1, true).events(n))
	cols, err := columnsOf(rec)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		var q queue
		bars := newBuilder(defaultMeasure(true), true, func(*row) error { return nil })
		for i := range n {
			if err := q.push(cols, i, int64(i), bars); err != nil {
				b.Fatal(err)
			}
		}
		if err := q.flush(bars); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/event")
	b.ReportMetric(n*float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

var _ = book.Depth
