package bar5s

import (
	"math/rand/v2"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"dag/stages/internal/book"
)

// Units of 1e-9.
const (
	tick     = 250_000_000
	someTime = 1_749_126_602_787_860_381 // 2025-06-05, in the middle of a bar
)

// generator makes events of a wandering book.
type generator struct {
	rng *rand.Rand
	// clean leaves out what no sound feed has within a session: clears,
	// snapshots, bad books, unknown sides and empty levels.
	clean bool

	ts, best int64 // time, and best bid in ticks
	book     rawBook
	last     rawEvent
}

// rawBook is a book in the units of the input; a price of 0 is null.
type rawBook struct{ px, sz, ct [2][book.Depth]int64 }

type rawEvent struct {
	ts, seq, price, size int64
	flags                int32
	action, side         string
	rawBook
}

func newGenerator(seed uint64, clean bool) *generator {
	return &generator{rng: rand.New(rand.NewPCG(seed, 1)), clean: clean, ts: someTime, best: 24_000}
}

// chance is true once in n.
func (g *generator) chance(n int) bool { return g.rng.IntN(n) == 0 }

func (g *generator) next(seq int64) rawEvent {
	if !g.chance(10) {
		g.ts += g.rng.Int64N(40_000_000)
	}
	if g.chance(60) {
		g.ts += g.rng.Int64N(20_000_000_000) // a gap of several bars
	}
	if seq == 0 || g.chance(20) {
		g.best += g.rng.Int64N(3) - 1
		g.refill()
	}
	side, level := g.rng.IntN(2), g.rng.IntN(book.Depth)
	g.book.sz[side][level] = 1 + g.rng.Int64N(80)
	e := rawEvent{
		ts: g.ts, seq: seq, price: g.book.px[side][level], size: 1 + g.rng.Int64N(9),
		action: []string{"A", "C", "M", "T"}[g.rng.IntN(4)], side: []string{"B", "A"}[side], rawBook: g.book,
	}
	if !g.clean {
		g.spoil(&e)
	}
	g.last = e
	return e
}

// refill draws the whole book anew around the best price.
func (g *generator) refill() {
	for i := range int64(book.Depth) {
		g.book.px[0][i], g.book.px[1][i] = (g.best-i)*tick, (g.best+1+i)*tick
		for side := range 2 {
			g.book.sz[side][i], g.book.ct[side][i] = 1+g.rng.Int64N(80), 1+g.rng.Int64N(20)
		}
	}
}

func (g *generator) spoil(e *rawEvent) {
	switch g.rng.IntN(12) {
	case 0: // one side has fewer levels, down to none
		side := g.rng.IntN(2)
		for i := g.rng.IntN(book.Depth); i < book.Depth; i++ {
			e.px[side][i], e.sz[side][i], e.ct[side][i] = 0, 0, 0
		}
	case 1:
		e.rawBook, e.action, e.side, e.price = rawBook{}, "R", "N", 0
	case 2:
		e.flags = []int32{0x20, 0x04, 0x80}[g.rng.IntN(3)]
	case 3:
		e.side = "N"
	case 4:
		e.action = "F"
	}
}

// events makes n events.
func (g *generator) events(n int) []rawEvent {
	out := make([]rawEvent, n)
	for i := range out {
		out[i] = g.next(int64(i))
	}
	return out
}

// recordOf lays events out as the input port wants them.
func recordOf(events []rawEvent) arrow.Record {
	b := array.NewRecordBuilder(memory.DefaultAllocator, inputSchema())
	defer b.Release()
	column := 0
	long := func(v int64) {
		b.Field(column).(*array.Int64Builder).Append(v)
		column++
	}
	price := func(v int64) {
		if f := b.Field(column).(*array.Int64Builder); v == 0 {
			f.AppendNull()
		} else {
			f.Append(v)
		}
		column++
	}
	text := func(s string) {
		b.Field(column).(*array.StringBuilder).Append(s)
		column++
	}
	for i := range events {
		e := &events[i]
		column = 0
		long(e.ts)
		long(e.seq)
		long(e.size)
		b.Field(column).(*array.Int32Builder).Append(e.flags)
		column++
		text(e.action)
		text(e.side)
		text("ESU5")
		price(e.price)
		for l := range book.Depth {
			price(e.px[0][l])
			price(e.px[1][l])
			for _, v := range []int64{e.sz[0][l], e.sz[1][l], e.ct[0][l], e.ct[1][l]} {
				long(v)
			}
		}
	}
	return b.NewRecord()
}
