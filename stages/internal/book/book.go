// Package book holds one ten-level order book and what is computed from it
// alone: microprice, imbalances, size by distance bands, ladder, shape and
// walls. Formulas are those of spec 03 §4.4. Prices are in price units, NaN
// where undefined; sizes and counts are at least 0. Products are rounded before
// they are added, so that no architecture fuses them.
package book

import "math"

const (
	// Depth is the number of levels of a side.
	Depth = 10
	// Bands is the number of distance bands.
	Bands = 5
	// Epsilon guards divisions, as in the reference.
	Epsilon = 1e-9
	// StrongZ is the z-score from which a level counts as a wall.
	StrongZ = 2.0
	// noBand is the band of a distance beyond the last edge, and of NaN.
	noBand = -1
)

// Side is one side of a book, best level first.
type Side struct {
	Px, Sz, Ct [Depth]float64
}

// Book is both sides.
type Book struct{ Bid, Ask Side }

// Measure says how distances are taken.
type Measure struct {
	Point float64        // price units in one point
	Edges [Bands]float64 // upper edges of the bands in points, ascending
	// Fallback lets distances run from the best price of the populated side
	// where there is no microprice.
	Fallback bool
	// FlatIsZero makes every z-score of sizes without spread 0, instead of
	// rounding noise.
	FlatIsZero bool
}

// Band returns the band of a distance in points, or -1. The first band has no
// lower bound.
func (m *Measure) Band(d float64) int {
	for k := range m.Edges {
		if d <= m.Edges[k] {
			return k
		}
	}
	return noBand
}

// Distance is how far a price lies from ref into its side, in points: below it
// for bids, above it for asks. NaN where either is.
func (m *Measure) Distance(ask bool, ref, price float64) float64 {
	if ask {
		return (price - ref) / m.Point
	}
	return (ref - price) / m.Point
}

// State is what a book is worth at one moment.
type State struct {
	Micro, Mid, Spread   float64 // NaN on a one-sided book
	Ref                  float64 // where distances start
	OBI0, OBI10          float64
	BidQty, AskQty       float64 // over all levels
	Below, Above         [Bands]float64
	CDI                  [Bands]float64
	BelowFrac, AboveFrac [Bands]float64
}

// Eval computes the state of b into s.
func (m *Measure) Eval(b *Book, s *State) {
	bid, ask := &b.Bid, &b.Ask
	bp, ap, bs, as := bid.Px[0], ask.Px[0], bid.Sz[0], ask.Sz[0]
	s.Mid = (bp + ap) / 2
	s.Spread = (ap - bp) / m.Point
	if bs+as >= Epsilon {
		s.Micro = (float64(ap*bs) + float64(bp*as)) / (bs + as)
	} else {
		s.Micro = (ap + bp) / 2
	}
	s.Ref = s.Micro
	if m.Fallback && math.IsNaN(s.Ref) {
		if s.Ref = bp; math.IsNaN(bp) {
			s.Ref = ap
		}
	}
	s.BidQty, s.AskQty = Total(&bid.Sz), Total(&ask.Sz)
	s.OBI0 = (bs - as) / (bs + as + Epsilon)
	s.OBI10 = (s.BidQty - s.AskQty) / (s.BidQty + s.AskQty + Epsilon)
	m.bands(b, s)
}

// bands sums sizes by their distance from the reference price.
func (m *Measure) bands(b *Book, s *State) {
	s.Below, s.Above = [Bands]float64{}, [Bands]float64{}
	for i := range Depth {
		if p := b.Bid.Px[i]; p > Epsilon {
			if k := m.Band(m.Distance(false, s.Ref, p)); k >= 0 {
				s.Below[k] += b.Bid.Sz[i]
			}
		}
		if p := b.Ask.Px[i]; p > Epsilon {
			if k := m.Band(m.Distance(true, s.Ref, p)); k >= 0 {
				s.Above[k] += b.Ask.Sz[i]
			}
		}
	}
	for k := range Bands {
		below, above := s.Below[k], s.Above[k]
		s.CDI[k] = (below - above) / (below + above + Epsilon)
		s.BelowFrac[k] = below / (s.BidQty + Epsilon)
		s.AboveFrac[k] = above / (s.AskQty + Epsilon)
	}
}

// Total sums levels, best first.
func Total(v *[Depth]float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x
	}
	return sum
}

// QuantityAt sums the sizes of the levels at a price.
func (s *Side) QuantityAt(price float64) float64 {
	sum := 0.0
	for i := range Depth {
		if math.Abs(s.Px[i]-price) < Epsilon {
			sum += s.Sz[i]
		}
	}
	return sum
}

// Gaps returns the largest and the mean distance between neighbouring levels of
// a side, in points; NaN without two neighbours that have prices.
func (m *Measure) Gaps(s *Side, ask bool) (widest, mean float64) {
	n, sum := 0, 0.0
	widest = math.NaN()
	for i := range Depth - 1 {
		if !(s.Px[i] > Epsilon && s.Px[i+1] > Epsilon) {
			continue
		}
		gap := m.Distance(ask, s.Px[i], s.Px[i+1])
		if n == 0 || gap > widest {
			widest = gap
		}
		sum += gap
		n++
	}
	if n == 0 {
		return math.NaN(), math.NaN()
	}
	return widest, sum / float64(n)
}

// Fractions divides each level by the sum of all.
func Fractions(v *[Depth]float64) (out [Depth]float64) {
	total := Total(v)
	for i, x := range v {
		out[i] = x / (total + Epsilon)
	}
	return out
}

// Wall is the largest level of a side, and the nearest strong one.
type Wall struct {
	MaxZ        float64
	MaxIndex    float64
	StrongDist  float64 // points from the reference price; NaN without one
	StrongIndex float64 // -1 without one
}

// Wall finds the walls of a side; distances start at ref. Empty levels count as
// size 0, so no z exceeds 3.
func (m *Measure) Wall(s *Side, ref float64, ask bool) Wall {
	var q [Depth]float64
	for i, x := range s.Sz {
		q[i] = math.Log1p(x)
	}
	mean := Total(&q) / Depth
	squares := 0.0
	for _, x := range q {
		d := x - mean
		squares += float64(d * d)
	}
	sigma := math.Sqrt(squares / Depth)
	if m.FlatIsZero && sigma < Epsilon {
		return Wall{StrongDist: math.NaN(), StrongIndex: -1}
	}
	w := Wall{MaxZ: math.Inf(-1), StrongDist: math.NaN(), StrongIndex: -1}
	for i, x := range q {
		z := (x - mean) / math.Max(sigma, Epsilon)
		if z > w.MaxZ {
			w.MaxZ, w.MaxIndex = z, float64(i)
		}
		if z >= StrongZ && w.StrongIndex < 0 {
			w.StrongIndex = float64(i)
			w.StrongDist = m.Distance(ask, ref, s.Px[i])
		}
	}
	return w
}
