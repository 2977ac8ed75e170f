package setupindex

import (
	"cmp"
	"math"
	"slices"
)

// Moments are count, mean and sum of squared differences from the mean of every
// column of a set of vectors; NaN is missing and not counted. They merge without
// the cancellation that plain sums of squares suffer where a mean is far from 0.
type Moments struct {
	N        []int64
	Mean, M2 []float64
}

// NewMoments returns the moments of no vectors.
func NewMoments(dimension int) *Moments {
	return &Moments{make([]int64, dimension), make([]float64, dimension), make([]float64, dimension)}
}

// Add takes in one vector (Welford).
func (m *Moments) Add(v []float64) {
	for j, x := range v {
		if math.IsNaN(x) {
			continue
		}
		m.N[j]++
		d := x - m.Mean[j]
		m.Mean[j] += d / float64(m.N[j])
		m.M2[j] += d * (x - m.Mean[j])
	}
}

// Merge takes in other vectors (Chan, Golub and LeVeque). The result depends on
// the order of merges in its last bits: merge by date.
func (m *Moments) Merge(o *Moments) {
	for j, n := range o.N {
		if n == 0 {
			continue
		}
		all := float64(m.N[j] + n)
		d := o.Mean[j] - m.Mean[j]
		m.Mean[j] += d * float64(n) / all
		m.M2[j] += o.M2[j] + d*d*float64(m.N[j])*float64(n)/all
		m.N[j] += n
	}
}

// Moments returns those of a date.
func (d *Date) Moments() *Moments {
	m := &Moments{N: make([]int64, len(d.Mean)), Mean: d.Mean, M2: d.M2}
	for j := range m.N {
		m.N[j] = d.Count
	}
	return m
}

// Std is the sample standard deviation of every column; 1 where it is at most
// 1e-9 or undefined (spec 09 §3.3).
func (m *Moments) Std() []float64 {
	std := make([]float64, len(m.N))
	for j, n := range m.N {
		std[j] = 1
		if n < 2 {
			continue
		}
		if s := math.Sqrt(m.M2[j] / float64(n-1)); s > 1e-9 {
			std[j] = s
		}
	}
	return std
}

// Scale normalises vectors: (v-mean)/(std+1e-9), cut off at ±10, missing as 0;
// columns without any value are only cut off (spec 09 §3.3).
type Scale struct {
	mean, divisor []float64
}

// clip is where normalised values are cut off.
const clip = 10

// Scale fits a normalisation.
func (m *Moments) Scale() *Scale {
	s := &Scale{mean: make([]float64, len(m.N)), divisor: m.Std()}
	for j, n := range m.N {
		if n == 0 {
			s.divisor[j] = 1
			continue
		}
		s.mean[j] = m.Mean[j]
		s.divisor[j] += 1e-9
	}
	return s
}

// Apply writes the normalised v to dst, which is as long.
func (s *Scale) Apply(dst []float32, v []float64) {
	for j, x := range v {
		if math.IsNaN(x) {
			dst[j] = 0
			continue
		}
		dst[j] = float32(min(max((x-s.mean[j])/s.divisor[j], -clip), clip))
	}
}

// Fit is the normalisation over all dates, which are grouped by level and
// direction: one for each group, or with shared = true one for both directions
// of a level. Moments are merged in the order of dates.
func Fit(dates []Date, shared bool) []Normalisation {
	dates = slices.Clone(dates)
	slices.SortStableFunc(dates, func(a, b Date) int {
		by := cmp.Compare(a.Level, b.Level)
		if !shared {
			by = cmp.Or(by, cmp.Compare(a.Direction, b.Direction))
		}
		return cmp.Or(by, cmp.Compare(a.Date, b.Date), cmp.Compare(a.Direction, b.Direction))
	})
	var out []Normalisation
	var all *Moments
	for _, d := range dates {
		if shared {
			d.Direction = 0
		}
		n := len(out)
		if n == 0 || out[n-1].Level != d.Level || out[n-1].Direction != d.Direction {
			all = NewMoments(len(d.Mean))
			out = append(out, Normalisation{Level: d.Level, Direction: d.Direction, First: d.Date})
			n++
		}
		all.Merge(d.Moments())
		fit := &out[n-1]
		fit.Last, fit.Mean, fit.Std = d.Date, all.Mean, all.Std()
		fit.Count += d.Count
	}
	return out
}

// Clone returns moments that change on their own.
func (m *Moments) Clone() *Moments {
	return &Moments{slices.Clone(m.N), slices.Clone(m.Mean), slices.Clone(m.M2)}
}

// rounding is the relative difference of moments that another processor's order
// of rounding may make.
const rounding = 1e-9

// differs returns the first feature whose moments are not those of a date, -1 if
// there is none.
func (m *Moments) differs(d *Date) int {
	for j := range m.Mean {
		size := math.Sqrt(d.M2[j]) + math.Abs(d.Mean[j])
		if !(math.Abs(m.Mean[j]-d.Mean[j]) <= rounding*size && math.Abs(m.M2[j]-d.M2[j]) <= rounding*size*size*float64(d.Count)) {
			return j
		}
	}
	return -1
}
