package bar5s

import (
	"math"

	"dag/stages/internal/book"
)

const barNS = 5_000_000_000

// totals is what a bar accumulates of a state over time.
type totals struct {
	spread, spreadTime   float64
	obi0, obi10          float64
	cdi                  [book.Bands]float64
	belowFrac, aboveFrac [book.Bands]float64
	below, above         [book.Bands]float64
}

// builder makes bars of events, which must come in processing order. emit
// receives each finished row; it must not keep it.
type builder struct {
	measure   book.Measure
	corrected bool
	emit      func(*row) error

	started bool
	bar     int64 // start of the current bar
	from    int64 // since when its averages cover time
	last    int64 // until when they are summed up
	sums    totals
	net     [2][book.Bands]float64 // flow by side (bid, ask) and band

	trades, volume, bought, sold float64
	lastPx                       float64
	lastTs                       int64

	book    book.Book // after the last record
	state   book.State
	current bool // state is that of book
	gate    bool // the last record lets flow be measured
	row     row
}

func newBuilder(m book.Measure, corrected bool, emit func(*row) error) *builder {
	return &builder{measure: m, corrected: corrected, emit: emit}
}

func floorBar(ts int64) int64 {
	b := ts / barNS * barNS
	if b > ts {
		b -= barNS
	}
	return b
}

// event takes one record in (spec 03 §4.5).
func (b *builder) event(e *event) error {
	bar := floorBar(e.ts)
	switch {
	case !b.started:
		b.started, b.gate = true, true
		b.book = e.book
		b.open(bar)
		if b.corrected {
			b.from, b.last = e.ts, e.ts
		}
	case bar > b.bar:
		if err := b.closeUpTo(bar); err != nil {
			return err
		}
	}
	b.cover(e.ts)
	opens := e.action != 'R' && e.flags&noFlow == 0
	switch e.action {
	case 'A', 'C', 'M':
		if !b.corrected || opens && b.gate && (e.side == 'A' || e.side == 'B') {
			b.flow(e)
		}
	case 'T':
		b.trade(e)
	}
	b.gate = opens
	b.book = e.book
	b.current = false
	return nil
}

func (b *builder) open(bar int64) {
	b.bar, b.from, b.last = bar, bar, bar
	b.sums = totals{}
	b.net = [2][book.Bands]float64{}
	b.trades, b.volume, b.bought, b.sold = 0, 0, 0, 0
	b.lastPx, b.lastTs = math.NaN(), -1
}

// eval brings state up to the present book.
func (b *builder) eval() *book.State {
	if !b.current {
		b.measure.Eval(&b.book, &b.state)
		b.current = true
	}
	return &b.state
}

// cover adds the state that has held since the last record.
func (b *builder) cover(until int64) {
	if until <= b.last {
		return
	}
	dt := float64(until - b.last)
	b.last = until
	s, t := b.eval(), &b.sums
	if !b.corrected || !math.IsNaN(s.Spread) {
		t.spread += float64(s.Spread * dt)
		t.spreadTime += dt
	}
	t.obi0 += float64(s.OBI0 * dt)
	t.obi10 += float64(s.OBI10 * dt)
	for k := range book.Bands {
		t.cdi[k] += float64(s.CDI[k] * dt)
		t.belowFrac[k] += float64(s.BelowFrac[k] * dt)
		t.aboveFrac[k] += float64(s.AboveFrac[k] * dt)
		t.below[k] += float64(s.Below[k] * dt)
		t.above[k] += float64(s.Above[k] * dt)
	}
}

// flow measures the change of quantity at the event's price between the book
// before the record and the one after it (spec 03 §4.5.1).
func (b *builder) flow(e *event) {
	if !(e.price > book.Epsilon) {
		return
	}
	side, before, after := 1, &b.book.Ask, &e.book.Ask
	if e.side == 'B' {
		side, before, after = 0, &b.book.Bid, &e.book.Bid
	}
	if k := b.measure.Band(b.measure.Distance(side == 1, b.eval().Ref, e.price)); k >= 0 {
		b.net[side][k] += after.QuantityAt(e.price) - before.QuantityAt(e.price)
	}
}

func (b *builder) trade(e *event) {
	b.trades++
	b.volume += e.size
	b.lastPx, b.lastTs = e.price, e.ts
	switch e.side {
	case 'A':
		b.sold += e.size
	case 'B':
		b.bought += e.size
	}
}

// closeUpTo ends the current bar, fills the empty ones and opens next.
func (b *builder) closeUpTo(next int64) error {
	if err := b.close(); err != nil {
		return err
	}
	for bar := b.bar + barNS; bar < next; bar += barNS {
		b.row.carry(bar)
		if err := b.emit(&b.row); err != nil {
			return err
		}
	}
	b.open(next)
	return nil
}

// close ends the current bar.
func (b *builder) close() error {
	covered := float64(barNS)
	if b.corrected {
		b.cover(b.bar + barNS)
		covered = float64(b.bar + barNS - b.from)
	}
	b.fill(&b.row, covered)
	return b.emit(&b.row)
}

// finish ends the last bar.
func (b *builder) finish() error {
	if !b.started {
		return nil
	}
	return b.close()
}
