package book

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

var nan = math.NaN()

func measure() *Measure {
	return &Measure{Point: 1, Edges: [Bands]float64{1, 2, 3, 5, 10}}
}

// bookOf makes a book of the given levels, price before size; the others are
// empty.
func bookOf(bid, ask [][2]float64) *Book {
	b := &Book{}
	for i := range Depth {
		b.Bid.Px[i], b.Ask.Px[i] = nan, nan
	}
	for i, l := range bid {
		b.Bid.Px[i], b.Bid.Sz[i] = l[0], l[1]
	}
	for i, l := range ask {
		b.Ask.Px[i], b.Ask.Sz[i] = l[0], l[1]
	}
	return b
}

func same(a, b float64) bool {
	return math.IsNaN(a) && math.IsNaN(b) || math.Abs(a-b) <= 1e-9*(1+math.Abs(b))
}

// TestState goes through the kinds of books of spec 03 §4.8.
func TestState(t *testing.T) {
	bid, ask := [][2]float64{{100, 30}, {98.5, 10}}, [][2]float64{{100.25, 10}, {103, 10}}
	for _, c := range []struct {
		name                 string
		book                 *Book
		fallback             bool
		micro, spread, ref   float64
		obi0, obi10          float64
		below0, below1, cdi0 float64
	}{
		{"two sides", bookOf(bid, ask), false, 100.1875, 0.25, 100.1875, 0.5, 1.0 / 3, 30, 10, 0.5},
		{"no sizes", bookOf([][2]float64{{100, 0}}, [][2]float64{{101, 0}}), false, 100.5, 1, 100.5, 0, 0, 0, 0, 0},
		{"bids only", bookOf(bid, nil), false, nan, nan, nan, 1, 1, 0, 0, 0},
		{"bids only, with fallback", bookOf(bid, nil), true, nan, nan, 100, 1, 1, 30, 10, 1},
		{"asks only, with fallback", bookOf(nil, ask), true, nan, nan, 100.25, -1, -1, 0, 0, -1},
		{"empty", bookOf(nil, nil), true, nan, nan, nan, 0, 0, 0, 0, 0},
		{"an ask of 0 is no level", bookOf(bid, [][2]float64{{100.25, 10}, {0, 90}}), false, 100.1875, 0.25, 100.1875, 0.5, -3.0 / 7, 30, 10, 0.5},
		{"a bid of 0 is no level", bookOf([][2]float64{{0, 30}}, ask), false, 75.1875, 100.25, 75.1875, 0.5, 0.2, 0, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := measure()
			m.Fallback = c.fallback
			var s State
			m.Eval(c.book, &s)
			for _, v := range []struct {
				name      string
				got, want float64
			}{
				{"micro", s.Micro, c.micro}, {"spread", s.Spread, c.spread}, {"ref", s.Ref, c.ref},
				{"obi0", s.OBI0, c.obi0}, {"obi10", s.OBI10, c.obi10},
				{"below p0_1", s.Below[0], c.below0}, {"below p1_2", s.Below[1], c.below1}, {"cdi p0_1", s.CDI[0], c.cdi0},
			} {
				if !same(v.got, v.want) {
					t.Errorf("%s is %v, want %v", v.name, v.got, v.want)
				}
			}
		})
	}
}

func TestBand(t *testing.T) {
	m := measure()
	for d, want := range map[float64]int{-7: 0, 0: 0, 1: 0, 1.01: 1, 2: 1, 3: 2, 3.5: 3, 5: 3, 10: 4, 10.01: noBand, math.Inf(1): noBand} {
		if k := m.Band(d); k != want {
			t.Errorf("%v lies in band %d, want %d", d, k, want)
		}
	}
	if k := m.Band(nan); k != noBand {
		t.Errorf("an undefined distance lies in band %d", k)
	}
}

func TestPointScalesDistances(t *testing.T) {
	m := measure()
	m.Point = 0.5
	if d := m.Distance(false, 100, 99); d != 2 {
		t.Errorf("a bid 1 below is %v points of 0.5 away", d)
	}
	if d := m.Distance(true, 100, 99); d != -2 {
		t.Errorf("an ask 1 below is %v points of 0.5 away", d)
	}
}

func TestGaps(t *testing.T) {
	m := measure()
	b := bookOf([][2]float64{{100, 1}, {99.75, 1}, {98.75, 1}, {nan, 0}, {90, 1}}, [][2]float64{{100.25, 1}})
	if widest, mean := m.Gaps(&b.Bid, false); widest != 1 || mean != 0.625 {
		t.Errorf("bid gaps: widest %v, mean %v", widest, mean)
	}
	if widest, mean := m.Gaps(&b.Ask, true); !math.IsNaN(widest) || !math.IsNaN(mean) {
		t.Errorf("one ask level has gaps of %v, %v", widest, mean)
	}
}

func TestQuantityAt(t *testing.T) {
	b := bookOf([][2]float64{{100, 3}, {99.75, 4}, {99.75, 5}}, nil)
	for price, want := range map[float64]float64{100: 3, 99.75: 9, 99.5: 0} {
		if q := b.Bid.QuantityAt(price); q != want {
			t.Errorf("%v contracts at %v, want %v", q, price, want)
		}
	}
}

func TestWall(t *testing.T) {
	m := measure()
	var s Side
	for i := range Depth {
		s.Px[i], s.Sz[i] = 100-float64(i)/4, 10
	}
	s.Sz[6] = 500
	w := m.Wall(&s, 100.125, false)
	if !same(w.MaxZ, 3) || w.MaxIndex != 6 || w.StrongIndex != 6 || w.StrongDist != 1.625 {
		t.Errorf("one large level of ten: %+v", w)
	}
}

// TestFlatSides has ten equal levels: their z-scores are rounding noise over
// epsilon.
func TestFlatSides(t *testing.T) {
	m, noise := measure(), 0
	for size := range 100 {
		var s Side
		for i := range Depth {
			s.Px[i], s.Sz[i] = 100-float64(i)/4, float64(size)
		}
		for _, m.FlatIsZero = range []bool{false, true} {
			w := m.Wall(&s, 100.125, false)
			if math.Abs(w.MaxZ) > 1e-5 || m.FlatIsZero && w.MaxZ != 0 || w.MaxIndex != 0 || w.StrongIndex != -1 || !math.IsNaN(w.StrongDist) {
				t.Errorf("ten levels of %d, flat is zero %v: %+v", size, m.FlatIsZero, w)
			}
			if w.MaxZ != 0 {
				noise++
			}
		}
	}
	if noise == 0 {
		t.Error("no noise to be seen in the reference's walls")
	}
}

// TestMirror swaps the sides of a book and turns its prices around: what
// measures one side then measures the other.
func TestMirror(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var b, mirrored Book
		for i := range Depth {
			for _, s := range []struct {
				from, to *Side
				price    float64
			}{{&b.Bid, &mirrored.Ask, float64(1000 - i)}, {&b.Ask, &mirrored.Bid, float64(1001 + i)}} {
				s.from.Px[i] = s.price
				s.from.Sz[i] = float64(rapid.IntRange(0, 100).Draw(t, "size"))
				s.to.Px[i], s.to.Sz[i] = 2001-s.price, s.from.Sz[i]
			}
		}
		m := measure()
		var s, o State
		m.Eval(&b, &s)
		m.Eval(&mirrored, &o)
		if !same(s.Micro+o.Micro, 2001) || !same(s.Spread, o.Spread) || !same(s.OBI10, -o.OBI10) {
			t.Errorf("%+v\nmirrored is\n%+v", s, o)
		}
		wall, other := m.Wall(&b.Bid, 1000.5, false), m.Wall(&mirrored.Ask, 1000.5, true)
		if wall.MaxZ != other.MaxZ || !same(wall.StrongDist, other.StrongDist) {
			t.Errorf("walls %+v and %+v", wall, other)
		}
	})
}
