package levelapproach2m

import (
	"fmt"
	"math"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"dag/engine/stage"
)

func outputSchema() *arrow.Schema {
	long, double, flag, text := arrow.PrimitiveTypes.Int64, arrow.PrimitiveTypes.Float64, arrow.FixedWidthTypes.Boolean, arrow.BinaryTypes.String
	var fields []arrow.Field
	add := func(t arrow.DataType, nullable bool, names ...string) {
		for _, n := range names {
			fields = append(fields, arrow.Field{Name: n, Type: t, Nullable: nullable})
		}
	}
	add(long, false, "bar_ts")
	add(text, false, "symbol", "episode_id", "touch_id", "level_type")
	add(double, false, "level_price")
	add(long, false, "trigger_candle_ts", "bar_index_in_episode", "bar_index_in_touch", "bars_to_trigger")
	add(flag, false, "is_pre_trigger", "is_trigger_candle", "is_post_trigger")
	add(long, false, "approach_direction")
	add(flag, false, "is_standard_approach")
	add(text, true, "outcome")
	add(double, true, "outcome_score")
	add(flag, false, "is_premarket_context_truncated", "bar2m_touched_in_zone", "bar2m_close_in_zone")
	add(long, false, "bar2m_first_touch_offset")
	add(double, false, "bar2m_time_in_zone_frac", "bar2m_time_far_side_frac", "bar2m_late_time_far_side_frac")
	add(long, false, "bar2m_close_side")
	for _, series := range []string{"u", "pressure"} {
		for _, op := range operatorNames {
			add(double, false, "bar2m_sig_"+series+"_"+op)
		}
	}
	for _, c := range componentNames {
		add(double, false, "bar2m_comp_"+c+"_mean")
	}
	return arrow.NewSchema(fields, nil)
}

// writer collects the rows of a session and writes them as one batch: there
// are at most a few hundred.
type writer struct {
	out   stage.Writer
	build *array.RecordBuilder
	next  int // column
	rows  int
}

func newWriter(out stage.Writer) *writer {
	return &writer{out: out, build: array.NewRecordBuilder(memory.DefaultAllocator, outputSchema())}
}

// put appends a value to the next column: int64, float64, bool or string; nil
// is null.
func (w *writer) put(values ...any) {
	for _, v := range values {
		switch b := w.build.Field(w.next); v := v.(type) {
		case nil:
			b.AppendNull()
		case int64:
			b.(*array.Int64Builder).Append(v)
		case float64:
			b.(*array.Float64Builder).Append(v)
		case bool:
			b.(*array.BooleanBuilder).Append(v)
		case string:
			b.(*array.StringBuilder).Append(v)
		}
		w.next++
	}
}

// episode appends the rows of one trigger (spec 04 §4).
func (w *writer) episode(a *analysis, t trigger) {
	start := a.day.candles[t.at].start
	id := fmt.Sprintf("%s_%s_%s_%d", a.date, a.day.symbol, a.level, start)
	standard := strings.HasSuffix(a.level, "high") == (t.direction > 0)
	var outcome, score any
	if t.outcome != "" {
		outcome = t.outcome
	}
	if !math.IsNaN(t.score) {
		score = t.score
	}
	from, to := a.shown(t)
	for j := from; j < to; j++ {
		index := int64(j)
		if a.corrected {
			index = int64(j - from)
		}
		w.next = 0
		w.put(a.day.candles[j].start, a.day.symbol, id, id, a.level, a.price, start, index, index, int64(j-t.at))
		w.put(j < t.at, j == t.at, j > t.at, int64(t.direction), standard, outcome, score, t.at-from < a.pre)
		w.candle(a, &a.day.candles[j], t.direction)
		w.rows++
	}
}

// candle appends the columns of one candle.
func (w *writer) candle(a *analysis, c *candle, direction float64) {
	bars := a.day.bars[c.first:c.end]
	n := len(bars)
	u, press, far, zone := make([]float64, n), make([]float64, n), make([]float64, n), 0
	var sums [len(componentNames)]float64
	firstTouch := int64(-1)
	for i := range bars {
		b := &bars[i]
		d := a.distance(b, direction)
		if d > 0 {
			far[i] = 1
		}
		u[i] = finite(d)
		parts := components(b, direction, a.tick)
		press[i] = pressure(&parts)
		for k, x := range parts {
			sums[k] += x
		}
		if a.inZone(b) {
			if zone++; firstTouch < 0 {
				firstTouch = int64(i)
				if a.corrected {
					firstTouch = (b.ts - c.start) / barNS
				}
			}
		}
	}
	_, _, lateFar := thirds(far)
	closeSide := int64(0)
	if !math.IsNaN(c.close) {
		closeSide = int64(sign((c.close - a.price) * direction))
	}
	w.put(zone > 0, a.closesNear(c), firstTouch, float64(zone)/float64(n), mean(far), mean(lateFar), closeSide)
	for _, ops := range [...][len(operatorNames)]float64{operators(u, 0), operators(press, 0.5)} {
		for _, x := range ops {
			w.put(x)
		}
	}
	for _, s := range sums {
		w.put(s / float64(n))
	}
}

func (w *writer) close() error {
	defer w.build.Release()
	if w.rows > 0 {
		rec := w.build.NewRecord()
		defer rec.Release()
		if err := w.out.Write(rec); err != nil {
			return err
		}
	}
	return w.out.Close()
}
