package setupvector

import (
	"fmt"
	"math"
	"slices"
	"time"

	"dag/stages/internal/mbp10"
)

// Window is what a vector is made of.
type Window struct {
	// Candles hold the columns of CandleColumns, oldest candle first and the
	// trigger last. A candle that is missing is zero, as is a value that is.
	Candles   [Candles][PerCandle]float64
	Level     string // one of Levels
	Direction int64  // +1 from below the level, -1 from above
	Clock     int64  // ns of New York wall-clock time at which the trigger starts
}

// The time of day is counted in candles of two minutes from 09:30 to 12:30.
const (
	opens     = 9*int64(time.Hour) + 30*int64(time.Minute)
	candle    = 2 * int64(time.Minute)
	lastStart = 89
)

// lateOverEarlyLimit bounds a ratio whose divisor may be next to 0.
const lateOverEarlyLimit = 1e3

// Vector lays the window out. Values that are missing or infinite become 0
// first; clip then bounds every late_over_early to ±1e3.
func (w *Window) Vector(clip bool) ([]float64, error) {
	level := slices.Index(mbp10.LevelNames[:], w.Level)
	if level < 0 {
		return nil, fmt.Errorf("level %q is none of %q", w.Level, mbp10.LevelNames)
	}
	v := make([]float64, 0, Dimension)
	for i := range w.Candles {
		for _, x := range w.Candles[i] {
			v = append(v, finite(x))
		}
		if clip {
			own := v[i*PerCandle:]
			for _, at := range [...]int{atULateOverEarly, atPressureLateOverEarly} {
				own[at] = min(max(own[at], -lateOverEarlyLimit), lateOverEarlyLimit)
			}
		}
	}
	v = appendDeltas(v, atUMean)
	v = appendDeltas(v, atPressureMean)
	var hot [len(mbp10.LevelNames)]float64
	hot[level] = 1
	v = append(v, hot[:]...)
	trigger := v[(Candles-1)*PerCandle:]
	slot := min(max((w.Clock-opens)/candle, 0), lastStart)
	return append(v, float64(w.Direction), float64(slot)/lastStart, trigger[atTimeInZone], trigger[atTimeFarSide]), nil
}

// appendDeltas appends how a column, which stands at the given place of every
// candle, changed per candle over each span, as sign(d)·ln(1+|d|).
func appendDeltas(v []float64, at int) []float64 {
	value := func(candle int) float64 { return v[candle*PerCandle+at] }
	for _, span := range deltaSpans {
		from := max(Candles-1-span, 0)
		d := (value(Candles-1) - value(from)) / float64(span)
		v = append(v, finite(math.Copysign(math.Log1p(math.Abs(d)), d)))
	}
	return v
}

// finite turns what is missing or infinite into 0.
func finite(x float64) float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return 0
	}
	return x
}
