package retrieval

import (
	"cmp"
	"math"
	"slices"
)

// mean of values without NaN among them; NaN if there are none.
func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

// calibrationBins are of equal count, by confidence.
const calibrationBins = 10

// calibrationError is the mean over bins, weighted by their size, of the
// difference between accuracy and confidence.
func calibrationError(confidence, accuracy []float64) float64 {
	n := len(confidence)
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(confidence[a], confidence[b]) })
	sum := 0.0
	for b := range calibrationBins {
		gap := 0.0
		for _, i := range order[b*n/calibrationBins : (b+1)*n/calibrationBins] {
			gap += accuracy[i] - confidence[i]
		}
		sum += math.Abs(gap)
	}
	return sum / float64(n)
}

// pearson is the correlation of two series; NaN if one is constant.
func pearson(x, y []float64) float64 {
	mx, my := mean(x), mean(y)
	var xx, yy, xy float64
	for i := range x {
		xx += (x[i] - mx) * (x[i] - mx)
		yy += (y[i] - my) * (y[i] - my)
		xy += (x[i] - mx) * (y[i] - my)
	}
	if xx == 0 || yy == 0 {
		return math.NaN()
	}
	return xy / math.Sqrt(xx*yy)
}

// spearman is the correlation of ranks.
func spearman(x, y []float64) float64 { return pearson(ranks(x), ranks(y)) }

// ranks counts from 1; equal values share the mean of theirs.
func ranks(x []float64) []float64 {
	order := make([]int, len(x))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(x[a], x[b]) })
	out := make([]float64, len(x))
	for i := 0; i < len(order); {
		j := i
		for j < len(order) && x[order[j]] == x[order[i]] {
			j++
		}
		for _, at := range order[i:j] {
			out[at] = float64(i+j+1) / 2
		}
		i = j
	}
	return out
}

// signAgreement is the share of pairs of equal sign among those in which
// neither is 0.
func signAgreement(x, y []float64) float64 {
	same, n := 0.0, 0.0
	for i := range x {
		if p := x[i] * y[i]; p != 0 {
			n++
			if p > 0 {
				same++
			}
		}
	}
	return same / n
}

// Interval is an estimate with its 95 % interval, whose ends are NaN where it is
// undefined.
type Interval struct{ Value, Low, High float64 }

// newInterval takes the middle 95 % of draws. Those that are undefined count as the
// lowest: an interval that reaches them has no lower end and is undefined.
func newInterval(value float64, draws []float64) Interval {
	slices.Sort(draws)
	i := Interval{value, quantile(draws, 0.025), quantile(draws, 0.975)}
	if math.IsNaN(i.Low) {
		i.High = math.NaN()
	}
	return i
}

// quantile of sorted values, between neighbours linearly; NaN of none.
func quantile(sorted []float64, p float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	at := p * float64(len(sorted)-1)
	i := int(at)
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}
