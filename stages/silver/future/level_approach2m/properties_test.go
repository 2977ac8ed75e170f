package levelapproach2m

import (
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"pgregory.net/rapid"

	"dag/engine/stage"
	"dag/stages/internal/mbp10"
)

// someApproach draws a part of the vector's bars, a level and the semantics.
func someApproach(t *rapid.T, all arrow.Record) (stage.Params, float64, arrow.Record) {
	from := rapid.Int64Range(0, all.NumRows()/2).Draw(t, "from")
	to := rapid.Int64Range(from, all.NumRows()).Draw(t, "to")
	params := stage.Params{
		"level":     rapid.SampledFrom(mbp10.LevelNames[:]).Draw(t, "level"),
		"semantics": rapid.SampledFrom([]string{mbp10.Corrected, mbp10.Reference}).Draw(t, "semantics"),
	}
	price := float64(rapid.IntRange(5997*8, 6003*8).Draw(t, "eighths")) / 8
	return params, price, all.NewSlice(from, to)
}

// TestBatchSizes cuts the bars into batches of any size.
func TestBatchSizes(t *testing.T) {
	all := readCSV(t, "testdata/approach2m_in.csv", barSchema())
	rapid.Check(t, func(rt *rapid.T) {
		params, price, bars := someApproach(rt, all)
		whole := approach(t, "2025-06-05", params, price, 0, bars)
		cut := approach(t, "2025-06-05", params, price, rapid.IntRange(1, 100).Draw(rt, "batch"), bars)
		if !array.RecordEqual(whole, cut) {
			rt.Errorf("%d rows and %d, not the same", whole.NumRows(), cut.NumRows())
		}
	})
}

// TestOrderOfBars gives the bars in any order.
func TestOrderOfBars(t *testing.T) {
	all := readCSV(t, "testdata/approach2m_in.csv", barSchema())
	rapid.Check(t, func(rt *rapid.T) {
		params, price, bars := someApproach(rt, all)
		var mixed []arrow.Record
		for _, i := range rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 1)).Perm(int(bars.NumRows())) {
			mixed = append(mixed, bars.NewSlice(int64(i), int64(i)+1))
		}
		if !array.RecordEqual(approach(t, "2025-06-05", params, price, 0, bars), approach(t, "2025-06-05", params, price, 0, mixed...)) {
			rt.Error("another order of the bars gives other rows")
		}
	})
}

// TestEpisodes holds every row to what spec 04 §2 and §4 say of all of them.
func TestEpisodes(t *testing.T) {
	all := readCSV(t, "testdata/approach2m_in.csv", barSchema())
	rapid.Check(t, func(rt *rapid.T) {
		params, price, bars := someApproach(rt, all)
		got := approach(t, "2025-06-05", params, price, 0, bars)
		long := func(name string) []int64 {
			return got.Column(got.Schema().FieldIndices(name)[0]).(*array.Int64).Int64Values()
		}
		flag := func(name string) *array.Boolean {
			return got.Column(got.Schema().FieldIndices(name)[0]).(*array.Boolean)
		}
		ts, trigger, offset := long("bar_ts"), long("trigger_candle_ts"), long("bars_to_trigger")
		touched, closed := flag("bar2m_touched_in_zone"), flag("bar2m_close_in_zone")
		for i := range ts {
			if offset[i] < -4 || offset[i] > 6 || ts[i]-trigger[i] != offset[i]*candleNS {
				rt.Errorf("row %d: %d candles from a trigger that is %d ns away", i, offset[i], ts[i]-trigger[i])
			}
			if offset[i] == 0 && !(touched.Value(i) && closed.Value(i)) {
				rt.Errorf("row %d: the trigger candle is not near the level", i)
			}
			if i > 0 && trigger[i] != trigger[i-1] && trigger[i] < trigger[i-1]+4*candleNS {
				rt.Errorf("row %d: a trigger %d ns after another", i, trigger[i]-trigger[i-1])
			}
		}
	})
}

// TestParams looks for parameters that cannot be and are not refused.
func TestParams(t *testing.T) {
	wrong := map[string]any{
		"tick": 0.0, "touch_zone_ticks": -1.0, "close_zone_ticks": -1.0, "move_ticks": 0.0,
		"horizon_candles": int64(-1), "pre_candles": int64(721), "cooldown_candles": int64(-1),
	}
	for _, p := range New().Spec().Params {
		if v, ok := wrong[p.Name]; ok && p.Check(v) == nil {
			t.Errorf("%s = %v is allowed", p.Name, v)
		}
		delete(wrong, p.Name)
	}
	if len(wrong) > 0 {
		t.Errorf("no such parameters: %v", wrong)
	}
}
