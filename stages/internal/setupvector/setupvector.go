// Package setupvector is the layout of the set-up vectors of two-minute candles
// (spec 09 §7): which value stands where, and how it comes from the candles of an
// episode. The stage that makes the vectors, the index and the queries share it.
//
//	0–239    five candles of 48 columns each, from four before the trigger to the trigger itself
//	240–247  change of the mean of u over 1, 2, 3 and 5 candles, then that of pressure
//	248–255  level one-hot, direction, time of day, and two columns of the trigger candle again
//
// Raw prices, sizes and volumes are no features: they do not compare from one
// contract or year to the next.
package setupvector

import (
	"fmt"
	"slices"

	"dag/stages/internal/mbp10"
)

// The parts of a vector.
const (
	Candles   = 5  // of the window; the last is the trigger
	PerCandle = 48 // columns of each
	Dimension = Candles*PerCandle + numDeltas + numContext

	numDeltas  = 2 * len(deltaSpans)
	numContext = len(mbp10.LevelNames) + 4
)

// deltaSpans are over how many candles the deltas go. There are five candles:
// the last span starts at the first of them and still divides by 5.
var deltaSpans = [...]int{1, 2, 3, 5}

// operators are the statistics of a series within a candle (spec 04 §5).
var operators = [...]string{
	"start", "end", "min", "max", "mean", "std", "slope", "energy", "sign_flip_cnt", "burst_frac",
	"mean_early", "mean_mid", "mean_late", "energy_early", "energy_late", "late_minus_early", "late_over_early",
}

// Positions among the columns of a candle.
const (
	atUMean                 = 4
	atULateOverEarly        = len(operators) - 1
	atPressureMean          = len(operators) + atUMean
	atPressureLateOverEarly = 2*len(operators) - 1
	atTimeInZone            = 2 * len(operators)
	atTimeFarSide           = atTimeInZone + 1
)

// CandleColumns are the columns of an approach table that every candle of the
// window contributes, in order.
func CandleColumns() [PerCandle]string {
	var out []string
	for _, series := range []string{"u", "pressure"} {
		for _, op := range operators {
			out = append(out, "bar2m_sig_"+series+"_"+op)
		}
	}
	out = append(out, "bar2m_time_in_zone_frac", "bar2m_time_far_side_frac", "bar2m_late_time_far_side_frac", CloseInZone, CloseSide)
	for _, c := range []string{"obi0_lin", "obi10_lin", "cdi_lin", "flow_norm", "trade_imbal", "wall_support", "wall_dist_support", "gap_spread", "trade_activity"} {
		out = append(out, "bar2m_comp_"+c+"_mean")
	}
	return [PerCandle]string(out)
}

// The two candle columns that are not doubles: a boolean, which counts as 0 or
// 1, and an integer.
const (
	CloseInZone = "bar2m_close_in_zone"
	CloseSide   = "bar2m_close_side"
)

// Names of the features that say where an episode is: one for each level, which is
// 1 for that of the episode and 0 for others, and the direction, 1 or -1.
const (
	LevelFeature     = "level_is_" // and the level
	DirectionFeature = "approach_direction"
)

// Levels are the session levels in the order of their one-hot values.
func Levels() []string { return slices.Clone(mbp10.LevelNames[:]) }

// Features names the values of a vector in order; no name comes twice. A column
// of the window carries its candle's bars_to_trigger, from [-4] to [0].
func Features() []string {
	out := make([]string, 0, Dimension)
	for c := range Candles {
		for _, column := range CandleColumns() {
			out = append(out, fmt.Sprintf("%s[%d]", column, c-Candles+1))
		}
	}
	for _, series := range []string{"u", "pressure"} {
		for _, span := range deltaSpans {
			out = append(out, fmt.Sprintf("sig_%s_mean_delta_%d", series, span))
		}
	}
	for _, l := range Levels() {
		out = append(out, LevelFeature+l)
	}
	return append(out, DirectionFeature, "trigger_time_of_session", "trigger_time_in_zone_frac", "trigger_time_far_side_frac")
}
