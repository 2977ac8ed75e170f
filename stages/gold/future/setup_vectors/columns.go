package setupvectors

import (
	format "dag/stages/internal/setupindex"
	"dag/stages/internal/setupvector"
)

// candle is one row of an approach table, as far as it is read. Of the episode
// only what an approach says of all its rows is set.
type candle struct {
	format.Episode
	toTrigger   int64 // candles from the trigger, below 0 before it
	isTrigger   bool
	closeInZone bool
	closeSide   int64
	values      [setupvector.PerCandle]float64 // NaN where missing, 0 for the two fields above
}

const isTriggerColumn = "is_trigger_candle"

var candleNames = setupvector.CandleColumns()

// candleColumns are the columns read of an approach table. Every double may be
// missing there.
func candleColumns() []format.Column[candle] {
	columns := []format.Column[candle]{
		format.Text("episode_id", func(c *candle) *string { return &c.EpisodeID }),
		format.Text("level_type", func(c *candle) *string { return &c.Level }),
		format.Double("level_price", func(c *candle) *float64 { return &c.Price }),
		format.Long("trigger_candle_ts", func(c *candle) *int64 { return &c.Trigger }),
		format.Long("bars_to_trigger", func(c *candle) *int64 { return &c.toTrigger }),
		format.Flag(isTriggerColumn, func(c *candle) *bool { return &c.isTrigger }),
		format.Long("approach_direction", func(c *candle) *int64 { return &c.Direction }),
		format.MaybeText("outcome", func(c *candle) *string { return &c.Outcome }),
		format.Maybe("outcome_score", func(c *candle) *float64 { return &c.Score }),
	}
	for i, name := range candleNames {
		switch name {
		case setupvector.CloseInZone:
			columns = append(columns, format.Flag(name, func(c *candle) *bool { return &c.closeInZone }))
		case setupvector.CloseSide:
			columns = append(columns, format.Long(name, func(c *candle) *int64 { return &c.closeSide }))
		default:
			columns = append(columns, format.Maybe(name, func(c *candle) *float64 { return &c.values[i] }))
		}
	}
	return columns
}

// columns are the values of the candle in the order of the vector.
func (c *candle) columns() [setupvector.PerCandle]float64 {
	out := c.values
	for i, name := range candleNames {
		switch {
		case name == setupvector.CloseInZone && c.closeInZone:
			out[i] = 1
		case name == setupvector.CloseSide:
			out[i] = float64(c.closeSide)
		}
	}
	return out
}

// frontMonth is the decision of a date.
type frontMonth struct {
	symbol        string
	share         float64
	contaminated  bool
	runnerUp      string // empty if no other contract traded
	runnerUpShare float64
}

// frontMonthColumns are the columns read of the front month.
func frontMonthColumns() []format.Column[frontMonth] {
	return []format.Column[frontMonth]{
		format.Text("front_month_symbol", func(f *frontMonth) *string { return &f.symbol }),
		format.Double("dominance_ratio", func(f *frontMonth) *float64 { return &f.share }),
		format.Flag("roll_contaminated", func(f *frontMonth) *bool { return &f.contaminated }),
		format.MaybeText("runner_up_symbol", func(f *frontMonth) *string { return &f.runnerUp }),
		format.Double("runner_up_ratio", func(f *frontMonth) *float64 { return &f.runnerUpShare }),
	}
}

// vector is one row of the output.
type vector struct {
	format.Setup
	frontMonth
}

// vectorColumns are the 20 columns of the contract.
func vectorColumns() []format.Column[vector] {
	return []format.Column[vector]{
		format.Long("vector_id", func(v *vector) *int64 { return &v.ID }),
		format.Text("episode_id", func(v *vector) *string { return &v.EpisodeID }),
		format.Text("dt", func(v *vector) *string { return &v.Date }),
		format.Text("symbol", func(v *vector) *string { return &v.Symbol }),
		format.Text("level_type", func(v *vector) *string { return &v.Level }),
		format.Double("level_price", func(v *vector) *float64 { return &v.Price }),
		format.Long("trigger_candle_ts", func(v *vector) *int64 { return &v.Trigger }),
		format.Long("approach_direction", func(v *vector) *int64 { return &v.Direction }),
		format.MaybeText("outcome", func(v *vector) *string { return &v.Outcome }),
		format.Maybe("outcome_score", func(v *vector) *float64 { return &v.Score }),
		format.Maybe("velocity_at_trigger", func(v *vector) *float64 { return &v.Velocity }),
		format.Maybe("obi0_at_trigger", func(v *vector) *float64 { return &v.Obi0 }),
		format.Maybe("wall_imbal_at_trigger", func(v *vector) *float64 { return &v.Wall }),
		format.Text("front_month_symbol", func(v *vector) *string { return &v.frontMonth.symbol }),
		format.Double("dominance_ratio", func(v *vector) *float64 { return &v.share }),
		format.Flag("roll_contaminated", func(v *vector) *bool { return &v.contaminated }),
		format.MaybeText("runner_up_symbol", func(v *vector) *string { return &v.runnerUp }),
		format.Double("runner_up_ratio", func(v *vector) *float64 { return &v.runnerUpShare }),
		format.Flag("is_front_month", func(v *vector) *bool { return &v.Front }),
		format.Doubles("vector", func(v *vector) *[]float64 { return &v.Vector }),
	}
}
