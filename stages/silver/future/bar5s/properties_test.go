package bar5s

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"pgregory.net/rapid"

	"dag/engine/stage/stagetest"
	"dag/stages/internal/mbp10"
)

// differences lists where two tables do not hold the same bits.
func differences(a, b arrow.Record) []string {
	if a.NumRows() != b.NumRows() {
		return []string{fmt.Sprintf("%d rows and %d", a.NumRows(), b.NumRows())}
	}
	var out []string
	for c := range int(a.NumCols()) {
		x, y := a.Column(c), b.Column(c)
		for i := range x.Len() {
			same := x.IsNull(i) == y.IsNull(i)
			if d, ok := x.(*array.Float64); ok {
				same = same && (x.IsNull(i) || math.Float64bits(d.Value(i)) == math.Float64bits(y.(*array.Float64).Value(i)))
			} else {
				same = same && x.ValueStr(i) == y.ValueStr(i)
			}
			if !same {
				out = append(out, fmt.Sprintf("%s of bar %d: %s and %s", a.ColumnName(c), i, x.ValueStr(i), y.ValueStr(i)))
			}
		}
	}
	return out
}

func semantics(t *rapid.T) string {
	return rapid.SampledFrom([]string{mbp10.Corrected, mbp10.Reference}).Draw(t, "semantics")
}

// TestBatchSizes cuts the same events into batches of any size: the bits are
// the same.
func TestBatchSizes(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := semantics(rt)
		rec := recordOf(newGenerator(rapid.Uint64().Draw(rt, "seed"), false).events(rapid.IntRange(1, 80).Draw(rt, "events")))
		whole, cut := bars(t, s, 0, rec), bars(t, s, rapid.IntRange(1, 30).Draw(rt, "batch"), rec)
		for _, d := range differences(whole, cut) {
			rt.Error(d)
		}
	})
}

// TestSequenceOrdersTies turns the events of each moment around: their
// sequence puts them back.
func TestSequenceOrdersTies(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := semantics(rt)
		events := newGenerator(rapid.Uint64().Draw(rt, "seed"), false).events(60)
		want := bars(t, s, 0, recordOf(events))
		for from := 0; from < len(events); {
			to := from
			for to < len(events) && events[to].ts == events[from].ts {
				to++
			}
			slices.Reverse(events[from:to])
			from = to
		}
		for _, d := range differences(want, bars(t, s, 0, recordOf(events))) {
			rt.Error(d)
		}
	})
}

// TestShiftInTime moves a session by whole bars: nothing but its times moves.
func TestShiftInTime(t *testing.T) {
	times := []int{0, posLastTs - 1}
	rapid.Check(t, func(rt *rapid.T) {
		s := semantics(rt)
		events := newGenerator(rapid.Uint64().Draw(rt, "seed"), false).events(60)
		before := bars(t, s, 0, recordOf(events))
		by := rapid.Int64Range(-1000, 1000).Draw(rt, "bars") * barNS
		for i := range events {
			events[i].ts += by
		}
		after := bars(t, s, 0, recordOf(events))
		for _, c := range times {
			for i, ts := range after.Column(c).(*array.Int64).Int64Values() {
				if was := before.Column(c).(*array.Int64).Value(i); ts != was+by && !(ts == -1 && was == -1) {
					rt.Errorf("bar %d: %s went from %d to %d", i, after.ColumnName(c), was, ts)
				}
			}
		}
		for _, d := range differences(before, after) {
			if !strings.HasPrefix(d, "bar_ts ") && !strings.HasPrefix(d, "bar5s_trade_last_ts ") {
				rt.Error(d)
			}
		}
	})
}

// TestEventsThatChangeNothing puts records without effect between the others:
// they cut the time into more pieces, of which averages must not depend.
func TestEventsThatChangeNothing(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		events := newGenerator(rapid.Uint64().Draw(rt, "seed"), true).events(60)
		want := bars(t, mbp10.Corrected, 0, recordOf(events))
		at := rapid.IntRange(0, len(events)-2).Draw(rt, "after")
		idle := events[at]
		idle.action, idle.price = "N", 0
		idle.ts += (events[at+1].ts - idle.ts) / 2
		got := bars(t, mbp10.Corrected, 0, recordOf(slices.Insert(events, at+1, idle)))
		for _, d := range stagetest.Differences(got, want) {
			rt.Error(d)
		}
	})
}

// TestRanges holds what is a share or an imbalance to its range.
func TestRanges(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		got := bars(t, semantics(rt), 0, recordOf(newGenerator(rapid.Uint64().Draw(rt, "seed"), false).events(60)))
		for c, f := range got.Schema().Fields() {
			var least float64
			switch {
			case strings.Contains(f.Name, "_frac_"):
				least = 0
			case strings.Contains(f.Name, "_cdi_"), strings.Contains(f.Name, "_obi"):
				least = -1
			default:
				continue
			}
			for i, v := range got.Column(c).(*array.Float64).Float64Values() {
				if !(v >= least-1e-12 && v <= 1+1e-12) {
					rt.Errorf("bar %d: %s is %v", i, f.Name, v)
				}
			}
		}
	})
}
