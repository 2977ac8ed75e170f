package levelapproach2m

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// near compares within the tolerance of spec 00.
func near(a, b float64) bool { return math.Abs(a-b) <= 1e-9*(1+math.Abs(b)) }

// byName gives operators their names.
func byName(v []float64, threshold float64) map[string]float64 {
	out := map[string]float64{}
	for i, x := range operators(v, threshold) {
		out[operatorNames[i]] = x
	}
	return out
}

func TestOperators(t *testing.T) {
	for _, c := range []struct {
		series    []float64
		threshold float64
		want      map[string]float64
	}{
		{nil, 0, map[string]float64{"start": 0, "mean": 0, "late_over_early": 0}},
		{[]float64{3}, 0, map[string]float64{"start": 3, "end": 3, "std": 0, "slope": 0, "energy": 0, "burst_frac": 1, "mean_early": 3, "mean_mid": 0, "mean_late": 0}},
		{[]float64{2, -4}, 0, map[string]float64{
			"min": -4, "max": 2, "mean": -1, "std": 3, "slope": -3, "energy": math.Log(7), "sign_flip_cnt": math.Log(2), "burst_frac": 0.5,
			"mean_early": 2, "mean_mid": -4, "mean_late": -4, "late_minus_early": -6, "late_over_early": -2,
		}},
		{[]float64{1, -1, 0, 2, 4}, 1, map[string]float64{
			"start": 1, "end": 4, "slope": 0.6, "energy": math.Log(8), "sign_flip_cnt": math.Log(2), "burst_frac": 0.4,
			"mean_early": 1, "mean_mid": -1, "mean_late": 2, "energy_early": 0, "energy_late": math.Log(5),
		}},
	} {
		got := byName(c.series, c.threshold)
		for name, want := range c.want {
			if !near(got[name], want) {
				t.Errorf("%s of %v is %v, want %v", name, c.series, got[name], want)
			}
		}
	}
}

func TestThirds(t *testing.T) {
	for n, want := range map[int][3]int{0: {}, 1: {1, 0, 0}, 2: {1, 1, 1}, 3: {1, 1, 1}, 4: {1, 1, 2}, 5: {1, 1, 3}, 24: {8, 8, 8}} {
		early, mid, late := thirds(make([]float64, n))
		if got := [3]int{len(early), len(mid), len(late)}; got != want {
			t.Errorf("%d values are cut into %v, want %v", n, got, want)
		}
	}
}

// TestMirroredSeries turns a series around 0.
func TestMirroredSeries(t *testing.T) {
	turned := []string{"start", "end", "mean", "slope", "mean_early", "mean_mid", "mean_late", "late_minus_early", "late_over_early"}
	kept := []string{"std", "energy", "sign_flip_cnt", "energy_early", "energy_late"}
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.SliceOfN(rapid.Float64Range(-100, 100), 1, 24).Draw(t, "series")
		minus := make([]float64, len(v))
		for i, x := range v {
			minus[i] = -x
		}
		a, b := byName(v, 0), byName(minus, 0)
		for _, n := range turned {
			if a[n] != -b[n] {
				t.Errorf("%s: %v and %v", n, a[n], b[n])
			}
		}
		for _, n := range kept {
			if a[n] != b[n] {
				t.Errorf("%s: %v and %v", n, a[n], b[n])
			}
		}
		if a["min"] != -b["max"] {
			t.Errorf("least %v, largest of the mirrored %v", a["min"], b["max"])
		}
	})
}

// barOf has the given values, and everything else 0 but the undefined.
func barOf(set func(*bar)) *bar {
	nan := math.NaN()
	b := &bar{lastTs: -1, lastPx: nan, strongBid: nan, strongAsk: nan, gapAsk: nan, gapBid: nan, spread: nan}
	set(b)
	return b
}

func TestComponents(t *testing.T) {
	for _, c := range []struct {
		name, component string
		bar             *bar
		direction, want float64
	}{
		{"half", "obi0_lin", barOf(func(b *bar) { b.obi0 = 0.5 }), 1, math.Atanh(0.5) / 2},
		{"saturated", "obi10_lin", barOf(func(b *bar) { b.obi10 = 0.97 }), -1, -1},
		{"missing", "cdi_lin", barOf(func(b *bar) { b.cdi = math.NaN() }), 1, 0},
		{"clipped", "flow_norm", barOf(func(b *bar) { b.flowBid, b.flowAsk = 1, -2 }), 1, 1},
		{"sold", "trade_imbal", barOf(func(b *bar) { b.signed, b.volume = -5, 10 }), -1, 0.5 * 10 / (10 + 1e-9)},
		{"z of 3 against 1", "wall_support", barOf(func(b *bar) { b.wallBid, b.wallAsk = 3, 1 }), 1, 0.5},
		{"no wall", "wall_dist_support", barOf(func(*bar) {}), 1, 1},
		{"opposing wall 1 tick away", "wall_dist_support", barOf(func(b *bar) { b.strongAsk = 0.25 }), 1, -0.8},
		{"wall of the own side", "wall_dist_support", barOf(func(b *bar) { b.strongAsk = 0.25 }), -1, 1},
		{"one-tick gap and spread", "gap_spread", barOf(func(b *bar) { b.gapAsk, b.gapBid, b.spread = 0.25, 0.25, 0.25 }), 1, math.Ln2 - 1},
		{"gap of one side", "gap_spread", barOf(func(b *bar) { b.gapAsk, b.spread = 0.25, 0.25 }), 1, 0},
		{"spread below minus one tick", "gap_spread", barOf(func(b *bar) { b.gapAsk, b.gapBid, b.spread = 0.25, 0.25, -0.5 }), 1, 0},
		{"seven trades", "trade_activity", barOf(func(b *bar) { b.trades = 7 }), 1, math.Tanh(math.Log(8) / 3)},
	} {
		got := components(c.bar, c.direction, 0.25)
		for i, n := range componentNames {
			if n == c.component && !near(got[i], c.want) {
				t.Errorf("%s: %s is %v, want %v", c.name, n, got[i], c.want)
			}
		}
	}
	if p := pressure(&[len(componentNames)]float64{1, 1, 1, 0.5, 0.5, 0, 1, -1, 0.5}); !near(p, 2.5/7) {
		t.Errorf("pressure is %v, want %v", p, 2.5/7)
	}
}
