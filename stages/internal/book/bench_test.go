package book

import "testing"

// full is a book of ten levels a side.
func full() *Book {
	b := bookOf(nil, nil)
	for i := range Depth {
		b.Bid.Px[i], b.Ask.Px[i] = 6300-float64(i)/4, 6300.25+float64(i)/4
		b.Bid.Sz[i], b.Ask.Sz[i] = float64(10+i), float64(20+3*i)
	}
	return b
}

// measures is everything that a bar takes of a book.
func measures(m *Measure, b *Book, s *State) (float64, Wall) {
	m.Eval(b, s)
	widest, _ := m.Gaps(&b.Ask, true)
	shares := Fractions(&b.Bid.Sz)
	return widest + shares[0] + b.Bid.QuantityAt(6299.5) + float64(m.Band(m.Distance(true, s.Ref, 6301))), m.Wall(&b.Bid, s.Ref, false)
}

func TestMeasuresAllocateNothing(t *testing.T) {
	m, b := measure(), full()
	var s State
	if n := testing.AllocsPerRun(100, func() { measures(m, b, &s) }); n != 0 {
		t.Errorf("%v allocations for a book", n)
	}
}

// BenchmarkEval is the state of one book with its bands; BenchmarkMeasures adds
// gaps, fractions and a wall.
func BenchmarkEval(b *testing.B) {
	m, book := measure(), full()
	var s State
	b.ReportAllocs()
	for b.Loop() {
		m.Eval(book, &s)
	}
}

// BenchmarkMeasures is what the end of a bar costs.
func BenchmarkMeasures(b *testing.B) {
	m, book := measure(), full()
	var s State
	b.ReportAllocs()
	for b.Loop() {
		measures(m, book, &s)
	}
}
