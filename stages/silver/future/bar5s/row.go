package bar5s

import (
	"math"

	"dag/stages/internal/book"
)

// row is one bar. f holds the double fields by their position in the contract,
// from 1; positions 1, 2 and posLastTs are not doubles and stay unused.
type row struct {
	barTs, lastTs int64
	f             [fieldCount + 1]float64
}

// Positions in the contract (spec 03 §4.6).
const (
	fieldCount  = 113
	posMicro    = 3
	posMid      = 4
	posSpread   = 5
	posOBI0     = 7
	posOBI10    = 9
	posCDI      = 11 // twa, eob by band
	posDepth    = 21 // below twa, below eob, above twa, above eob by band
	posQty      = 41 // bid10, ask10, below p0_1, above p0_1
	posLadder   = 45 // ask max, ask mean, bid max, bid mean
	posShape    = 49 // bid, ask size of the best level
	posBidSz    = 51
	posAskSz    = 61
	posBidCt    = 71
	posAskCt    = 81
	posFlowBid  = 91
	posFlowAsk  = 96
	posTrade    = 101 // count, volume, signed volume
	posLastPx   = 104
	posLastTs   = 105
	posWallZ    = 106 // bid, ask
	posWallIdx  = 108
	posStrong   = 110 // distance of bid, ask
	posStrongIx = 112
)

// fill computes all fields of the bar that ends now; covered is the time its
// averages divide by.
func (b *builder) fill(r *row, covered float64) {
	r.barTs, r.lastTs = b.bar, b.lastTs
	s, t, f := b.eval(), &b.sums, &r.f
	f[posMicro], f[posMid] = s.Micro, s.Mid
	spreadTime := covered
	if b.corrected {
		spreadTime = t.spreadTime // 0 where it was never defined: 0/0 is missing
	}
	f[posSpread], f[posSpread+1] = t.spread/spreadTime, s.Spread
	f[posOBI0], f[posOBI0+1] = t.obi0/covered, s.OBI0
	f[posOBI10], f[posOBI10+1] = t.obi10/covered, s.OBI10
	for k := range book.Bands {
		f[posCDI+2*k], f[posCDI+2*k+1] = t.cdi[k]/covered, s.CDI[k]
		d := posDepth + 4*k
		f[d], f[d+1] = t.belowFrac[k]/covered, s.BelowFrac[k]
		f[d+2], f[d+3] = t.aboveFrac[k]/covered, s.AboveFrac[k]
		f[posFlowBid+k] = b.net[0][k] / math.Max(t.below[k]/covered, 1)
		f[posFlowAsk+k] = b.net[1][k] / math.Max(t.above[k]/covered, 1)
	}
	f[posTrade], f[posTrade+1], f[posTrade+2] = b.trades, b.volume, b.bought-b.sold
	f[posLastPx] = b.lastPx
	b.fillBook(f, s)
}

// fillBook computes the fields of the bar's last book alone.
func (b *builder) fillBook(f *[fieldCount + 1]float64, s *book.State) {
	bid, ask := &b.book.Bid, &b.book.Ask
	f[posQty], f[posQty+1], f[posQty+2], f[posQty+3] = s.BidQty, s.AskQty, s.Below[0], s.Above[0]
	f[posLadder], f[posLadder+1] = b.measure.Gaps(ask, true)
	f[posLadder+2], f[posLadder+3] = b.measure.Gaps(bid, false)
	f[posShape], f[posShape+1] = bid.Sz[0], ask.Sz[0]
	for i, v := range [...]*[book.Depth]float64{&bid.Sz, &ask.Sz, &bid.Ct, &ask.Ct} {
		frac := book.Fractions(v)
		copy(f[posBidSz+i*book.Depth:], frac[:])
	}
	for i, w := range [...]book.Wall{b.measure.Wall(bid, s.Ref, false), b.measure.Wall(ask, s.Ref, true)} {
		f[posWallZ+i], f[posWallIdx+i] = w.MaxZ, w.MaxIndex
		f[posStrong+i], f[posStrongIx+i] = w.StrongDist, w.StrongIndex
	}
}

// carry turns r into the empty bar that follows it (spec 03 §4.7): averages
// become the last states, sums 0.
func (r *row) carry(bar int64) {
	r.barTs, r.lastTs = bar, -1
	for p := posSpread; p < posQty; p += 2 {
		r.f[p] = r.f[p+1]
	}
	for p := posFlowBid; p < posLastPx; p++ {
		r.f[p] = 0
	}
	r.f[posLastPx] = math.NaN()
}
