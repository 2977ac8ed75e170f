package retrieval

import (
	"fmt"
	"math"
	"slices"
)

// Flat is an exact flat index over float32 vectors with squared Euclidean
// distance, as the function Distance has it; what it finds is by (distance, row)
// the same as a full scan would find. It may be searched by several goroutines.
//
// The scan computes |x|²+|q|²-2x·q with float32 products, and only rows that
// this cannot rule out are measured exactly. In any order of summation, with or
// without fused operations, |fl(x·q) - x·q| ≤ γ·Σ|x_j·q_j| ≤ γ·(|x|²+|q|²)/2 with
// γ = d·u/(1-d·u), u = 2⁻²⁴ (Higham, Accuracy and Stability, §3.1), besides d
// underflows of at most 2⁻¹⁵⁰ each. So (|x|²+|q|²)(1-γ) - 2fl(x·q) is no larger
// than the distance; four times the bound of as many float64 operations pays
// for the rounding of everything else.
type Flat struct {
	dim   int
	x     []float32 // row by row
	floor []float64 // |x|²(1-γ) of each row
}

// NewFlat indexes vectors of dim values that lie one behind the other in x,
// which it keeps. All values must be finite.
func NewFlat(dim int, x []float32) (*Flat, error) {
	if dim < 1 || len(x)%dim != 0 {
		return nil, fmt.Errorf("%d values are no vectors of %d", len(x), dim)
	}
	f := &Flat{dim: dim, x: x, floor: make([]float64, len(x)/dim)}
	for i := range f.floor {
		n := squares(f.row(i))
		if math.IsNaN(n) || math.IsInf(n, 0) {
			return nil, fmt.Errorf("vector %d holds NaN or infinity", i)
		}
		f.floor[i] = f.shrink(n)
	}
	return f, nil
}

// Rows is the number of vectors.
func (f *Flat) Rows() int { return len(f.floor) }

func (f *Flat) row(i int) []float32 { return f.x[i*f.dim:][:f.dim] }

// shrink is n(1-γ), with what float64 may have rounded away.
func (f *Flat) shrink(n float64) float64 {
	d := float64(f.dim)
	single, double := d*0x1p-24, (d+8)*0x1p-53
	if single >= 1 {
		return math.Inf(-1) // no bound: everything is measured exactly
	}
	return n * (1 - single/(1-single) - 4*double/(1-double))
}

// squares is |v|².
func squares(v []float32) float64 {
	sum := 0.0
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	return sum
}

// Distance is the squared Euclidean distance of two vectors of one length: the
// float64 sums over every fourth column, added up in a fixed order.
func Distance(a, b []float32) float64 {
	b = b[:len(a)]
	var sums [4]float64
	n := len(a) &^ 3
	for j := 0; j < n; j += 4 {
		d0, d1 := float64(a[j])-float64(b[j]), float64(a[j+1])-float64(b[j+1])
		d2, d3 := float64(a[j+2])-float64(b[j+2]), float64(a[j+3])-float64(b[j+3])
		sums[0] += d0 * d0
		sums[1] += d1 * d1
		sums[2] += d2 * d2
		sums[3] += d3 * d3
	}
	for j := n; j < len(a); j++ {
		d := float64(a[j]) - float64(b[j])
		sums[j-n] += d * d
	}
	return (sums[0] + sums[1]) + (sums[2] + sums[3])
}

// Hit is a row that was found.
type Hit struct {
	Row      int
	Distance float64
}

// compareHits orders by distance, then row.
func compareHits(a, b Hit) int {
	switch {
	case a.Distance < b.Distance || a.Distance == b.Distance && a.Row < b.Row:
		return -1
	case a == b:
		return 0
	}
	return 1
}

// Rules say which rows may be found. The zero value admits all.
type Rules struct {
	// Day of each row; rows of one day lie together. Nil: all are of one day.
	Day []int32
	// PerDay is how many rows of a day are found at most, nearest first; 0: any number.
	PerDay int
	// Chain of each row, for rules with PerDay: of the rows of a day with one chain only
	// the nearest is found.
	Chain []int64
	// Skip leaves a row out for one of the queries; nil: none.
	Skip func(query, row int) bool
}

const (
	tileRows    = 16 // rows and
	tileQueries = 64 // queries that are compared while they are in the processor's cache
)

// Search returns the k nearest rows of each query, nearest first, fewer where
// the rules admit fewer. Queries lie one behind the other and are finite.
func (f *Flat) Search(queries []float32, k int, rules Rules) ([][]Hit, error) {
	if len(queries)%f.dim != 0 {
		return nil, fmt.Errorf("%d values are no queries of %d", len(queries), f.dim)
	}
	out := make([][]Hit, len(queries)/f.dim)
	if k <= 0 {
		return out, nil
	}
	for from := 0; from < len(out); from += tileQueries {
		searches := make([]search, min(tileQueries, len(out)-from))
		for i := range searches {
			s := &searches[i]
			*s = search{query: from + i, k: k, rules: &rules, limit: math.Inf(1)}
			s.q = queries[s.query*f.dim:][:f.dim]
			n := squares(s.q)
			if math.IsNaN(n) || math.IsInf(n, 0) {
				return nil, fmt.Errorf("query %d holds NaN or infinity", s.query)
			}
			s.floor = f.shrink(n) - float64(f.dim)*0x1p-148
		}
		f.scan(searches)
		for i := range searches {
			out[from+i] = searches[i].finish()
		}
	}
	return out, nil
}

// scan shows all rows to all searches, tile by tile.
func (f *Flat) scan(searches []search) {
	var dots [tileRows]float32
	for from := 0; from < len(f.floor); from += tileRows {
		to := min(from+tileRows, len(f.floor))
		for i := range searches {
			s := &searches[i]
			for r := from; r < to; r++ {
				dots[r-from] = dot(f.x[r*f.dim:r*f.dim+f.dim], s.q)
			}
			for r := from; r < to; r++ {
				if f.floor[r]+s.floor-2*float64(dots[r-from]) > s.limit {
					continue
				}
				if s.rules.Skip == nil || !s.rules.Skip(s.query, r) {
					s.offer(Hit{r, Distance(f.row(r), s.q)})
				}
			}
		}
	}
}

// search is one query under way.
type search struct {
	query int
	q     []float32
	floor float64
	k     int
	rules *Rules
	limit float64 // distance beyond which nothing can be found any more
	found []Hit   // a heap, the farthest first
	today []Hit   // of the day that is being read, if there is a rule for days
}

// offer takes in a row. Under a rule for days the rows of a day wait for its
// end: only then the nearest of them are known.
func (s *search) offer(h Hit) {
	if s.rules.PerDay == 0 {
		s.take(h)
		return
	}
	if n := len(s.today); n > 0 && s.rules.Day != nil && s.rules.Day[s.today[n-1].Row] != s.rules.Day[h.Row] {
		s.endDay()
	}
	s.today = append(s.today, h)
}

func (s *search) endDay() {
	slices.SortFunc(s.today, compareHits)
	for i, taken := 0, 0; i < len(s.today) && taken < s.rules.PerDay; i++ {
		if !s.overlaps(i) {
			s.take(s.today[i])
			taken++
		}
	}
	s.today = s.today[:0]
}

// overlaps tells whether a nearer row of the day is of the same chain.
func (s *search) overlaps(i int) bool {
	if s.rules.Chain == nil {
		return false
	}
	chain := s.rules.Chain[s.today[i].Row]
	return slices.ContainsFunc(s.today[:i], func(h Hit) bool { return s.rules.Chain[h.Row] == chain })
}

// take keeps a row if it is among the k nearest so far.
func (s *search) take(h Hit) {
	if len(s.found) == s.k {
		if compareHits(h, s.found[0]) > 0 {
			return
		}
		s.found[0] = h
		s.sink()
	} else {
		s.found = append(s.found, h)
		s.rise()
	}
	if len(s.found) == s.k {
		s.limit = s.found[0].Distance
	}
}

func (s *search) rise() {
	for i := len(s.found) - 1; i > 0; {
		parent := (i - 1) / 2
		if compareHits(s.found[i], s.found[parent]) <= 0 {
			return
		}
		s.found[i], s.found[parent] = s.found[parent], s.found[i]
		i = parent
	}
}

func (s *search) sink() {
	for i := 0; ; {
		child := 2*i + 1
		if child >= len(s.found) {
			return
		}
		if child+1 < len(s.found) && compareHits(s.found[child+1], s.found[child]) > 0 {
			child++
		}
		if compareHits(s.found[i], s.found[child]) >= 0 {
			return
		}
		s.found[i], s.found[child] = s.found[child], s.found[i]
		i = child
	}
}

func (s *search) finish() []Hit {
	s.endDay()
	slices.SortFunc(s.found, compareHits)
	return s.found
}
