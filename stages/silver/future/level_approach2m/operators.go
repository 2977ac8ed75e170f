package levelapproach2m

import "math"

const epsilon = 1e-9

// operatorNames are the 17 operators in the order of the contract (spec 04 §5).
var operatorNames = [...]string{
	"start", "end", "min", "max", "mean", "std", "slope", "energy", "sign_flip_cnt", "burst_frac",
	"mean_early", "mean_mid", "mean_late", "energy_early", "energy_late", "late_minus_early", "late_over_early",
}

// operators applies them to a series whose missing values have become 0.
func operators(v []float64, threshold float64) (out [len(operatorNames)]float64) {
	n := len(v)
	if n == 0 {
		return out
	}
	lo, hi, flips, bursts := v[0], v[0], 0.0, 0.0
	for i, x := range v {
		lo, hi = min(lo, x), max(hi, x)
		if x > threshold {
			bursts++
		}
		if i > 0 && sign(x)*sign(v[i-1]) < 0 {
			flips++
		}
	}
	m := mean(v)
	squares := 0.0
	for _, x := range v {
		squares += float64((x - m) * (x - m))
	}
	early, mid, late := thirds(v)
	me, mm, ml := mean(early), mean(mid), mean(late)
	return [...]float64{
		v[0], v[n-1], lo, hi, m, math.Sqrt(squares / float64(n)), (v[n-1] - v[0]) / float64(n),
		energy(v), math.Log1p(flips), bursts / float64(n),
		me, mm, ml, energy(early), energy(late), ml - me, ml / (math.Abs(me) + epsilon),
	}
}

// thirds cuts a series into early, mid and late; short ones share their end.
func thirds(v []float64) (early, mid, late []float64) {
	n := len(v)
	t := max(1, n/3)
	if n > 2*t {
		return v[:t], v[t : 2*t], v[2*t:]
	}
	t = min(t, n)
	return v[:t], v[t:], v[t:]
}

func mean(v []float64) float64 {
	if len(v) == 0 {
		return 0
	}
	sum := 0.0
	for _, x := range v {
		sum += x
	}
	return sum / float64(len(v))
}

// energy is ln(1 + total variation).
func energy(v []float64) float64 {
	tv := 0.0
	for i := 1; i < len(v); i++ {
		tv += math.Abs(v[i] - v[i-1])
	}
	return math.Log1p(tv)
}

// finite turns what is missing or infinite into 0.
func finite(x float64) float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return 0
	}
	return x
}

// componentNames are the parts of pressure in the order of the contract.
var componentNames = [...]string{
	"obi0_lin", "obi10_lin", "cdi_lin", "flow_norm", "trade_imbal", "wall_support", "wall_dist_support", "gap_spread", "trade_activity",
}

const (
	wallCap  = 10 // ticks: a strong wall this far, or none, gives full support
	gapScale = 4  // of gap_spread
)

// components computes the parts of pressure of one bar (spec 04 §6).
func components(b *bar, direction, tick float64) (c [len(componentNames)]float64) {
	strong := b.strongBid
	if direction > 0 {
		strong = b.strongAsk
	}
	ticks := strong / tick
	if math.IsNaN(strong) {
		ticks = wallCap
	}
	gap := math.Max(b.gapAsk, b.gapBid) // NaN if either is
	x := math.Log1p(gap/tick) + math.Log1p(b.spread/tick)
	c = [...]float64{
		lin(direction * b.obi0), lin(direction * b.obi10), lin(direction * b.cdi),
		clip(direction*(b.flowBid-b.flowAsk), -1, 1),
		clip(direction*b.signed/(b.volume+epsilon), -1, 1),
		clip(direction*(b.wallBid-b.wallAsk)/4, -1, 1),
		2*clip(ticks/wallCap, 0, 1) - 1,
		2*clip(x/gapScale, 0, 1) - 1,
		math.Tanh(math.Log1p(b.trades) / 3),
	}
	for i := range c {
		c[i] = finite(c[i])
	}
	return c
}

// pressure blends the components.
func pressure(c *[len(componentNames)]float64) float64 {
	sum := (c[0] + c[1] + c[2]) / 3
	for _, x := range c[3:] {
		sum += x
	}
	return sum / 7
}

func lin(x float64) float64 { return clip(math.Atanh(clip(x, -1+1e-6, 1-1e-6))/2, -1, 1) }

// clip keeps NaN.
func clip(x, lo, hi float64) float64 {
	switch {
	case x < lo:
		return lo
	case x > hi:
		return hi
	}
	return x
}
