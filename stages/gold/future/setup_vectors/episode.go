package setupvectors

import (
	"fmt"
	"math"
	"slices"

	"dag/engine/stage"
	"dag/stages/internal/mbp10"
	format "dag/stages/internal/setupindex"
	"dag/stages/internal/setupvector"
)

// gathering puts the candles of the approach tables together to episodes.
type gathering struct {
	byID map[string]*episode
}

// episode is one approach: its metadata, those of the trigger candle, and the
// candles that have been seen.
type episode struct {
	format.Episode
	window setupvector.Window
	seen   [setupvector.Candles]bool
}

// read adds the approaches to one level.
func (g *gathering) read(t stage.Task, level string) error {
	ny, err := mbp10.NewNewYork()
	if err != nil {
		return err
	}
	columns := candleColumns()
	var rows []candle
	for rec, err := range t.Read(level, format.Names(columns)...) {
		if err == nil {
			rows, err = format.Decode(rows[:0], columns, rec)
		}
		if err != nil {
			return err
		}
		for i := range rows {
			if rows[i].Level != level {
				return fmt.Errorf("episode %s has level_type %q: the port wants the approaches to %s", rows[i].EpisodeID, rows[i].Level, level)
			}
			if err := g.add(&rows[i], ny); err != nil {
				return fmt.Errorf("episode %s %w", rows[i].EpisodeID, err)
			}
		}
	}
	return nil
}

// add puts a candle into its episode's window; those after the trigger stay out.
func (g *gathering) add(c *candle, ny *mbp10.NewYork) error {
	if c.isTrigger != (c.toTrigger == 0) {
		return fmt.Errorf("has a row with bars_to_trigger %d whose is_trigger_candle is %t", c.toTrigger, c.isTrigger)
	}
	e := g.byID[c.EpisodeID]
	if e == nil {
		e = &episode{}
		e.EpisodeID = c.EpisodeID
		g.byID[c.EpisodeID] = e
	}
	at := c.toTrigger + setupvector.Candles - 1
	if at < 0 || at >= setupvector.Candles {
		return nil
	}
	if e.seen[at] {
		return fmt.Errorf("has two rows with bars_to_trigger %d", c.toTrigger)
	}
	e.seen[at] = true
	e.window.Candles[at] = c.columns()
	if c.isTrigger {
		e.trigger(c, ny)
	}
	return nil
}

// Columns of the trigger candle that are metadata too.
var (
	velocityAt = slices.Index(candleNames[:], "bar2m_sig_u_slope")
	obi0At     = slices.Index(candleNames[:], "bar2m_comp_obi0_lin_mean")
	wallAt     = slices.Index(candleNames[:], "bar2m_comp_wall_support_mean")
)

// trigger takes the metadata from the trigger candle.
func (e *episode) trigger(c *candle, ny *mbp10.NewYork) {
	e.Episode = c.Episode
	e.Velocity, e.Obi0, e.Wall = defined(c.values[velocityAt]), defined(c.values[obi0At]), defined(c.values[wallAt])
	_, e.window.Clock = ny.Local(c.Trigger)
	e.window.Level, e.window.Direction = c.Level, c.Direction
}

// defined turns infinity into NaN, which is stored as null.
func defined(x float64) float64 {
	if math.IsInf(x, 0) {
		return math.NaN()
	}
	return x
}

// check sees that from the first candle on none is missing.
func (e *episode) check() error {
	started := false
	for i, seen := range e.seen {
		if !seen && (started || i == setupvector.Candles-1) {
			return fmt.Errorf("episode %s has no row with bars_to_trigger %d", e.EpisodeID, i-setupvector.Candles+1)
		}
		started = started || seen
	}
	return nil
}
