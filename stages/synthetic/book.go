package synthetic

import "dag/stages/internal/dbn"

const (
	bookLevels  = 10
	ladderTicks = 1 << 12 // more than a day's path can reach
)

// ladder is one side of a book by price. Index 0 is the most aggressive price it
// can hold and the index grows away from the other side, so bids and asks are
// handled alike. What lies beyond far is not known until it comes into view.
type ladder struct {
	side   byte // 'B' or 'A'
	origin int  // tick of index 0
	dir    int  // +1 for asks, -1 for bids: tick = origin + dir*index
	size   []uint32
	orders []uint32
	best   int // smallest index with size; len(size) when the side is empty
	far    int // one past the last known index
	sealed bool
	top    [bookLevels]int // indices of the visible levels
	depth  int             // how many there are
	weight int             // of a new order, in hundredths of the usual; 0: as usual
}

func newLadder(side byte, centre int) *ladder {
	l := &ladder{side: side, dir: 1, origin: centre - ladderTicks/2, size: make([]uint32, ladderTicks), orders: make([]uint32, ladderTicks)}
	if side == 'B' {
		l.dir, l.origin = -1, centre+ladderTicks/2
	}
	l.clear()
	return l
}

func (l *ladder) tick(index int) int { return l.origin + l.dir*index }
func (l *ladder) index(tick int) int { return (tick - l.origin) * l.dir }
func (l *ladder) bestTick() int      { return l.tick(l.best) }

// clear empties the side and seals it: nothing comes into view before open.
func (l *ladder) clear() {
	clear(l.size)
	clear(l.orders)
	l.best, l.far, l.depth, l.sealed = len(l.size), 0, 0, true
}

func (l *ladder) open() { l.sealed = false }

// add puts one order of n at index.
func (l *ladder) add(index int, n uint32) {
	l.size[index] += n
	l.orders[index]++
	l.best, l.far = min(l.best, index), max(l.far, index+1)
}

// take removes n of the size at index, and orders of it; the last order goes with
// the whole size, and no order is left without one.
func (l *ladder) take(index int, n, orders uint32) {
	l.size[index] -= n
	switch left := l.orders[index] - min(orders, l.orders[index]); {
	case l.size[index] == 0:
		l.orders[index] = 0
	default:
		l.orders[index] = min(max(left, 1), l.size[index])
	}
}

// settle finds the best price and the visible levels after a change.
func (l *ladder) settle(rng random) {
	l.depth, l.best = 0, min(l.best, len(l.size))
	for i := l.best; i < len(l.size) && l.depth < bookLevels; i++ {
		if i >= l.far {
			if l.sealed {
				break
			}
			l.reveal(i, rng)
		}
		if l.size[i] > 0 {
			l.top[l.depth] = i
			l.depth++
		}
	}
	l.best = len(l.size)
	if l.depth > 0 {
		l.best = l.top[0]
	}
}

// reveal gives a price that comes into view the orders that rested there; one in
// twelve has none.
func (l *ladder) reveal(index int, rng random) {
	l.far = index + 1
	if rng.below(12) > 0 {
		l.orders[index] = uint32(rng.between(2, 16))
		l.size[index] = l.orders[index] * uint32(l.weigh(rng.between(1, 5)))
	}
}

// weigh gives an order of n its weight; it stays an order.
func (l *ladder) weigh(n int) int {
	if l.weight == 0 {
		return n
	}
	return max(n*l.weight/100, 1)
}

// noLevel is the depth of a record whose price is on no visible level.
const noLevel = 255

// levelAt is the place of an index among the visible levels.
func (l *ladder) levelAt(index int) int {
	for i, at := range l.top[:l.depth] {
		if at == index {
			return i
		}
	}
	return noLevel
}

// instrument is one contract with its book and the record that shows it.
type instrument struct {
	symbol   string
	tickSize int64 // 1e-9 units
	bid, ask *ladder
	rec      dbn.MBP10
}

func newInstrument(symbol string, id uint32, tickSize int64, centre int) *instrument {
	in := &instrument{symbol: symbol, tickSize: tickSize, bid: newLadder('B', centre), ask: newLadder('A', centre)}
	in.rec.RType, in.rec.PublisherID, in.rec.InstrumentID = dbn.RTypeMBP10, 1, id
	in.show(in.bid)
	in.show(in.ask)
	return in
}

func (in *instrument) price(tick int) int64 { return int64(tick) * in.tickSize }

// show copies a side into the record.
func (in *instrument) show(l *ladder) {
	for i := range in.rec.Levels {
		px, sz, ct := dbn.UndefPrice, uint32(0), uint32(0)
		if i < l.depth {
			at := l.top[i]
			px, sz, ct = in.price(l.tick(at)), l.size[at], l.orders[at]
		}
		if lv := &in.rec.Levels[i]; l.side == 'B' {
			lv.BidPx, lv.BidSz, lv.BidCt = px, sz, ct
		} else {
			lv.AskPx, lv.AskSz, lv.AskCt = px, sz, ct
		}
	}
}
