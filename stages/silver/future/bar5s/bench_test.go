package bar5s

import (
	"testing"

	"dag/stages/internal/book"
)

// kernel is everything between an Arrow batch and finished rows, made to be
// used again.
type kernel struct {
	queue queue
	bars  builder
	rows  int
}

func (k *kernel) run(tb testing.TB, c *columns) {
	measure := book.Measure{Point: 1, Edges: [book.Bands]float64{1, 2, 3, 5, 10}, Fallback: true, FlatIsZero: true}
	k.rows = 0
	k.bars = builder{measure: measure, corrected: true, emit: k.emit}
	for i := range c.ts {
		if err := k.queue.push(c, i, int64(i), &k.bars); err != nil {
			tb.Fatal(err)
		}
	}
	if err := k.queue.flush(&k.bars); err != nil {
		tb.Fatal(err)
	}
	if err := k.bars.finish(); err != nil {
		tb.Fatal(err)
	}
}

func (k *kernel) emit(*row) error {
	k.rows++
	return nil
}

func columnsFor(tb testing.TB, g *generator, n int) *columns {
	tb.Helper()
	c, err := columnsOf(recordOf(g.events(n)))
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// TestNoAllocationPerEvent runs many events and bars: what is allocated does
// not depend on their number.
func TestNoAllocationPerEvent(t *testing.T) {
	for _, clean := range []bool{true, false} {
		var k kernel
		few, many := columnsFor(t, newGenerator(1, clean), 100), columnsFor(t, newGenerator(1, clean), 3_000)
		k.run(t, many) // the queue takes the size of the largest group
		small := testing.AllocsPerRun(3, func() { k.run(t, few) })
		bars := k.rows
		if large := testing.AllocsPerRun(3, func() { k.run(t, many) }); large != small || k.rows < 10*bars {
			t.Errorf("%v allocations for %d bars, %v for %d", small, bars, large, k.rows)
		}
	}
}

// BenchmarkEvents makes bars of a session's events, without reading or writing
// files.
func BenchmarkEvents(b *testing.B) {
	const n = 100_000
	c := columnsFor(b, newGenerator(1, true), n)
	var k kernel
	b.ReportAllocs()
	for b.Loop() {
		k.run(b, c)
	}
	b.ReportMetric(n*float64(b.N)/b.Elapsed().Seconds(), "events/s")
}
