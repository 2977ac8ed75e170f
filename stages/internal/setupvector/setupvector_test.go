package setupvector

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// candleColumns are written out in the order of spec 09 §7.
const candleColumns = `
bar2m_sig_u_start bar2m_sig_u_end bar2m_sig_u_min bar2m_sig_u_max bar2m_sig_u_mean bar2m_sig_u_std bar2m_sig_u_slope bar2m_sig_u_energy
bar2m_sig_u_sign_flip_cnt bar2m_sig_u_burst_frac bar2m_sig_u_mean_early bar2m_sig_u_mean_mid bar2m_sig_u_mean_late
bar2m_sig_u_energy_early bar2m_sig_u_energy_late bar2m_sig_u_late_minus_early bar2m_sig_u_late_over_early
bar2m_sig_pressure_start bar2m_sig_pressure_end bar2m_sig_pressure_min bar2m_sig_pressure_max bar2m_sig_pressure_mean bar2m_sig_pressure_std
bar2m_sig_pressure_slope bar2m_sig_pressure_energy bar2m_sig_pressure_sign_flip_cnt bar2m_sig_pressure_burst_frac
bar2m_sig_pressure_mean_early bar2m_sig_pressure_mean_mid bar2m_sig_pressure_mean_late bar2m_sig_pressure_energy_early
bar2m_sig_pressure_energy_late bar2m_sig_pressure_late_minus_early bar2m_sig_pressure_late_over_early
bar2m_time_in_zone_frac bar2m_time_far_side_frac bar2m_late_time_far_side_frac bar2m_close_in_zone bar2m_close_side
bar2m_comp_obi0_lin_mean bar2m_comp_obi10_lin_mean bar2m_comp_cdi_lin_mean bar2m_comp_flow_norm_mean bar2m_comp_trade_imbal_mean
bar2m_comp_wall_support_mean bar2m_comp_wall_dist_support_mean bar2m_comp_gap_spread_mean bar2m_comp_trade_activity_mean`

const lastNames = `
sig_u_mean_delta_1 sig_u_mean_delta_2 sig_u_mean_delta_3 sig_u_mean_delta_5
sig_pressure_mean_delta_1 sig_pressure_mean_delta_2 sig_pressure_mean_delta_3 sig_pressure_mean_delta_5
level_is_pm_high level_is_pm_low level_is_or_high level_is_or_low
approach_direction trigger_time_of_session trigger_time_in_zone_frac trigger_time_far_side_frac`

func TestFeatures(t *testing.T) {
	var want []string
	for _, at := range []string{"[-4]", "[-3]", "[-2]", "[-1]", "[0]"} {
		for _, name := range strings.Fields(candleColumns) {
			want = append(want, name+at)
		}
	}
	want = append(want, strings.Fields(lastNames)...)
	got := Features()
	if len(got) != 256 || Dimension != 256 || !slices.Equal(got, want) {
		t.Errorf("%d features of %d:\n got %q\nwant %q", len(got), Dimension, got, want)
	}
	if n := len(slices.Compact(slices.Sorted(slices.Values(got)))); n != 256 {
		t.Errorf("%d names for 256 features", n)
	}
}

// TestNoRawPricesOrSizes looks for what may not be a feature, by name and by the
// unit that the contract gives.
func TestNoRawPricesOrSizes(t *testing.T) {
	for _, name := range Features() {
		for _, forbidden := range []string{"price", "_px", "size", "_sz", "qty", "vol", "pts", "_ts"} {
			if strings.Contains(name, forbidden) {
				t.Errorf("feature %s has %q in its name", name, forbidden)
			}
		}
	}
	data, err := os.ReadFile("../../../contracts/silver/future/market_by_price_10_level_approach2m.avsc")
	if err != nil {
		t.Fatal(err)
	}
	var avro struct{ Fields []struct{ Name, Doc string } }
	if err := json.Unmarshal(data, &avro); err != nil {
		t.Fatal(err)
	}
	units := map[string]string{}
	for _, f := range avro.Fields {
		units[f.Name], _, _ = strings.Cut(f.Doc, ":")
	}
	scaleFree := []string{"ticks", "ticks/bar", "log1p(ticks)", "log1p(count)", "score", "score/bar", "log1p(score)", "fraction", "ratio", "bool", "sign"}
	for _, name := range CandleColumns() {
		if !slices.Contains(scaleFree, units[name]) {
			t.Errorf("column %s has unit %q, none of %q", name, units[name], scaleFree)
		}
	}
}

// numbered is a window in which column i of candle c is 100·c + i + 0.5.
func numbered() Window {
	w := Window{Level: "or_high", Direction: -1, Clock: (9*60 + 45) * 60e9}
	for c := range w.Candles {
		for i := range w.Candles[c] {
			w.Candles[c][i] = float64(100*c+i) + 0.5
		}
	}
	return w
}

func vector(t *testing.T, w Window, clip bool) []float64 {
	t.Helper()
	v, err := w.Vector(clip)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// near compares with the tolerance of spec 00.
func near(t *testing.T, what string, got, want []float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d values, want %d", what, len(got), len(want))
		return
	}
	for i := range want {
		if !(math.Abs(got[i]-want[i]) <= 1e-9*(1+math.Abs(want[i]))) {
			t.Errorf("%s: value %d is %v, want %v", what, i, got[i], want[i])
		}
	}
}

func TestLayout(t *testing.T) {
	got := vector(t, numbered(), true)
	for c := range 5 {
		for i := range 48 {
			if v := got[48*c+i]; v != float64(100*c+i)+0.5 {
				t.Errorf("column %d of candle %d is %v", i, c, v)
			}
		}
	}
	// The means of both series grow by 100 a candle: by (400-0)/5 over the last span.
	up, last := math.Log(101), math.Log(81)
	near(t, "deltas", got[240:248], []float64{up, up, up, last, up, up, up, last})
	// 09:45 is in the eighth candle from 09:30; columns 34 and 35 are the shares of time.
	near(t, "context", got[248:], []float64{0, 0, 1, 0, -1, 7.0 / 89, 434.5, 435.5})
}

// TestDeltas by hand: u means 1, -2, 0, 7, 3; pressure means 0, 0, 0.5, 0.25, -1.
func TestDeltas(t *testing.T) {
	w := Window{Level: "pm_low"}
	for c, u := range []float64{1, -2, 0, 7, 3} {
		w.Candles[c][4] = u
	}
	for c, p := range []float64{0, 0, 0.5, 0.25, -1} {
		w.Candles[c][21] = p
	}
	near(t, "deltas", vector(t, w, true)[240:248], []float64{
		-math.Log(5), math.Log(2.5), math.Log(1 + 5.0/3), math.Log(1.4), // -4, 3/2, 5/3, 2/5
		-math.Log(2.25), -math.Log(1.75), -math.Log(1 + 1.0/3), -math.Log(1.2), // -5/4, -3/4, -1/3, -1/5
	})
}

func TestLevels(t *testing.T) {
	for i, level := range Levels() {
		want := make([]float64, 4)
		want[i] = 1
		near(t, level, vector(t, Window{Level: level}, true)[248:252], want)
	}
	if !slices.Equal(Levels(), []string{"pm_high", "pm_low", "or_high", "or_low"}) {
		t.Errorf("the levels are %q", Levels())
	}
	w := Window{Level: "PM_HIGH"}
	if _, err := w.Vector(true); err == nil || !strings.Contains(err.Error(), `level "PM_HIGH" is none of ["pm_high"`) {
		t.Errorf("another level: %v", err)
	}
}

func TestTimeOfSession(t *testing.T) {
	for _, c := range []struct {
		hour, minute, second int64
		slot                 float64
	}{
		{0, 0, 0, 0}, {9, 28, 0, 0}, {9, 29, 59, 0}, {9, 30, 0, 0}, {9, 31, 59, 0}, {9, 32, 0, 1}, {12, 26, 0, 88}, {12, 28, 0, 89}, {12, 30, 0, 89}, {16, 0, 0, 89},
	} {
		w := Window{Level: "pm_high", Clock: ((c.hour*60+c.minute)*60 + c.second) * 1e9}
		near(t, fmt.Sprintf("%02d:%02d:%02d", c.hour, c.minute, c.second), vector(t, w, true)[253:254], []float64{c.slot / 89})
	}
}

// TestClip bounds the two ratios of every candle, and only those.
func TestClip(t *testing.T) {
	w := Window{Level: "pm_high"}
	for c := range w.Candles {
		for i := range w.Candles[c] {
			w.Candles[c][i] = 2000
			if c == 1 {
				w.Candles[c][i] = -2000
			}
		}
		w.Candles[c][4], w.Candles[c][21] = 0, 0 // no deltas
	}
	clipped, plain := vector(t, w, true), vector(t, w, false)
	for i, name := range Features() {
		want := plain[i]
		if strings.Contains(name, "late_over_early") {
			want /= 2
		}
		if clipped[i] != want {
			t.Errorf("%s is %v, want %v", name, clipped[i], want)
		}
	}
}

// TestAlwaysFinite draws windows with values that are missing, infinite or huge:
// the vector is that of the window in which the former are 0.
func TestAlwaysFinite(t *testing.T) {
	odd := rapid.OneOf(rapid.SampledFrom([]float64{math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, -math.MaxFloat64}), rapid.Float64())
	rapid.Check(t, func(rt *rapid.T) {
		w := numbered()
		for range rapid.IntRange(1, 20).Draw(rt, "n") {
			w.Candles[rapid.IntRange(0, 4).Draw(rt, "candle")][rapid.IntRange(0, 47).Draw(rt, "column")] = odd.Draw(rt, "value")
		}
		clip := rapid.Bool().Draw(rt, "clip")
		got := vector(t, w, clip)
		for c := range w.Candles {
			for i, x := range w.Candles[c] {
				if math.IsNaN(x) || math.IsInf(x, 0) {
					w.Candles[c][i] = 0
				}
			}
		}
		if want := vector(t, w, clip); !slices.Equal(got, want) {
			rt.Errorf("got %v, want %v", got, want)
		}
		for i, x := range got {
			if math.IsNaN(x) || math.IsInf(x, 0) {
				rt.Errorf("value %d is %v", i, x)
			}
		}
	})
}
