// Package levelapproach2m follows the price to one session level on candles of
// two minutes: it finds the triggers, labels what happened after each, and
// writes a row for every candle around it (spec 04).
//
// A trigger is a candle from 09:30 to 12:30 New York with a trade in the zone
// around the level and its last trade there too, not within the cooldown of
// another. Its direction is +1 if the price comes from below the level, else -1;
// u is the distance from the level in ticks, above 0 beyond it in that
// direction. The outcome is BREAK if u reaches +8 first in the next six candles,
// REJECT if it reaches -8, else CHOP; its score is the largest u of the horizon,
// the least, or 0. Seventeen operators describe u and the pressure of the book
// over the five-second bars of each candle. Without a level, bars or triggers
// there are no rows.
//
// Kept from the reference on purpose: a trigger is a candle whose last trade is
// near the level, seen at the last trade of each five-second bar;
// the cooldown is shorter than the horizon, so episodes may overlap and
// (episode_id, bar_ts) is the key; the score is the extreme over the whole
// horizon; pressure blends oriented and unoriented terms; no strong
// wall scores as a far one; a one-sided ladder scores 0;
// late_over_early may be huge; slope divides by n and std is that of the
// population; is_premarket_context_truncated means that fewer than four
// candles come before; the pre-window of five includes the trigger
// missing components count as 0; trade_activity is the tanh of a
// log count.
//
// With semantics = "corrected" the direction is that of each trigger,
// opening-range levels trigger from 09:45, incomplete outcomes are null
// undefined prices do not spoil a score, and indices count within
// the episode.
package levelapproach2m

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"dag/engine/stage"
	"dag/stages/internal/mbp10"
)

// New returns the transform.
func New() stage.Transform { return transform{} }

type transform struct{}

func (transform) Spec() stage.Spec {
	return stage.Spec{
		Name:    "silver.future.level_approach2m",
		Version: 1,
		Summary: "Two-minute candles around each approach to a session level, with what followed",
		Inputs: []stage.Input{
			{Name: "bars", Doc: "Five-second bars of one contract", Columns: barSchema()},
			{Name: "levels", Doc: "Rows that carry the session levels; the first is read", Columns: levelSchema()},
		},
		Outputs: []stage.Output{{Name: "approach", Doc: "One row for each candle of an episode", Schema: outputSchema()}},
		Params: []stage.Param{
			{Name: "level", Type: stage.String, Enum: mbp10.LevelNames[:], Doc: "which session level"},
			mbp10.SemanticsParam("direction, opening-range triggers, incomplete outcomes, indices (A-1, A-2, A-5, A-6, A-8, A-15)"),
			{Name: "tick", Type: stage.Float, Default: 0.25, Doc: "price units of one tick", Check: positive},
			{Name: "touch_zone_ticks", Type: stage.Float, Default: 4.0, Doc: "a trade this near touches the level", Check: notNegative},
			{Name: "close_zone_ticks", Type: stage.Float, Default: 4.0, Doc: "a candle that closes this near triggers", Check: notNegative},
			{Name: "move_ticks", Type: stage.Float, Default: 8.0, Doc: "a move this far decides the outcome", Check: positive},
			{Name: "horizon_candles", Type: stage.Int, Default: int64(6), Doc: "candles after the trigger that decide the outcome", Check: count},
			{Name: "pre_candles", Type: stage.Int, Default: int64(4), Doc: "candles before the trigger that an episode shows", Check: count},
			{Name: "cooldown_candles", Type: stage.Int, Default: int64(3), Doc: "candles after a trigger in which no other can be", Check: count},
		},
		Memory: 48 << 20,
	}
}

func positive(v any) error {
	if f := v.(float64); !(f > 0) || math.IsInf(f, 0) {
		return fmt.Errorf("%v is not a finite number above 0", f)
	}
	return nil
}

func notNegative(v any) error {
	if f := v.(float64); !(f >= 0) || math.IsInf(f, 0) {
		return fmt.Errorf("%v is not a finite number from 0", f)
	}
	return nil
}

// count allows at most the candles of a day.
func count(v any) error {
	if n := v.(int64); n < 0 || n > 720 {
		return fmt.Errorf("%d is not from 0 to 720", n)
	}
	return nil
}

// settings are the parameters and what follows from them.
type settings struct {
	level                  string
	corrected              bool
	tick, touch, near      float64 // price units
	move                   float64 // ticks
	horizon, pre, cooldown int
	opens, closes          int64 // ns: triggers in [opens,closes)
	date                   string
}

func readSettings(t stage.Task) (settings, error) {
	p := t.Params()
	s := settings{
		level: p.String("level"), corrected: p.String("semantics") == mbp10.Corrected,
		tick: p.Float("tick"), move: p.Float("move_ticks"),
		horizon: int(p.Int("horizon_candles")), pre: int(p.Int("pre_candles")), cooldown: int(p.Int("cooldown_candles")),
		date: t.Key("dt"),
	}
	s.touch, s.near = p.Float("touch_zone_ticks")*s.tick, p.Float("close_zone_ticks")*s.tick
	ny, err := time.LoadLocation("America/New_York")
	if err != nil {
		return s, err
	}
	day, err := time.ParseInLocation(time.DateOnly, s.date, ny)
	if err != nil {
		return s, fmt.Errorf("the key dt is %q, not a date", s.date)
	}
	clock := func(hour, minute int) int64 {
		return time.Date(day.Year(), day.Month(), day.Day(), hour, minute, 0, 0, ny).UnixNano()
	}
	s.opens, s.closes = clock(9, 30), clock(12, 30)
	if s.corrected && strings.HasPrefix(s.level, "or_") {
		s.opens = clock(9, 45)
	}
	return s, nil
}

// Run reads the bars of a session, a few thousand rows, as a whole.
func (transform) Run(_ context.Context, t stage.Task) error {
	s, err := readSettings(t)
	if err != nil {
		return err
	}
	price, err := readLevel(t, s.level)
	if err != nil {
		return err
	}
	day, err := readDay(t)
	if err != nil {
		return err
	}
	out, err := t.Output("approach")
	if err != nil {
		return err
	}
	w := newWriter(out)
	if !math.IsNaN(price) && len(day.bars) > 0 {
		a := analysis{settings: s, price: price, day: day}
		for _, trigger := range a.triggers() {
			w.episode(&a, trigger)
		}
	}
	return w.close()
}

// readLevel returns the level of the first row; NaN where there is none.
func readLevel(t stage.Task, level string) (float64, error) {
	for rec, err := range t.Read("levels", level) {
		if err != nil {
			return 0, err
		}
		if rec.NumRows() == 0 {
			continue
		}
		col, ok := rec.Column(0).(*array.Float64)
		if !ok {
			return 0, fmt.Errorf("column %s is %s, not float64", level, rec.Column(0).DataType())
		}
		if col.IsNull(0) {
			break
		}
		return col.Value(0), nil
	}
	return math.NaN(), nil
}

func levelSchema() *arrow.Schema {
	var fields []arrow.Field
	for _, l := range mbp10.LevelNames {
		fields = append(fields, arrow.Field{Name: l, Type: arrow.PrimitiveTypes.Float64, Nullable: true})
	}
	return arrow.NewSchema(fields, nil)
}
