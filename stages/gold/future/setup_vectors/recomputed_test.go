package setupvectors

import (
	"encoding/csv"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"pgregory.net/rapid"

	"dag/engine/stage"
	"dag/engine/stage/stagetest"
	"dag/stages/internal/mbp10"
	"dag/stages/internal/setupvector"
)

// row is a row of a vector of spec 04, cells by name.
type row map[string]string

func readRows(t *testing.T, name string) []row {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	rows := make([]row, len(lines)-1)
	for i, line := range lines[1:] {
		rows[i] = row{}
		for c, cell := range line {
			rows[i][lines[0][c]] = cell
		}
	}
	return rows
}

func (r row) number(t *testing.T, name string) float64 {
	t.Helper()
	switch r[name] {
	case "True":
		return 1
	case "False":
		return 0
	}
	v, err := strconv.ParseFloat(r[name], 64)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return v
}

// recomputed is the vector of an episode as spec 09 §7 has it, from the rows that
// are not after the trigger, oldest first.
func recomputed(t *testing.T, rows []row, clip bool) []float64 {
	var v []float64
	for range 5 - len(rows) {
		v = append(v, make([]float64, 48)...)
	}
	for _, r := range rows {
		for _, series := range []string{"u", "pressure"} {
			for _, op := range strings.Fields("start end min max mean std slope energy sign_flip_cnt burst_frac mean_early mean_mid mean_late energy_early energy_late late_minus_early late_over_early") {
				x := r.number(t, "bar2m_sig_"+series+"_"+op)
				if clip && op == "late_over_early" {
					x = math.Max(-1e3, math.Min(1e3, x))
				}
				v = append(v, x)
			}
		}
		for _, name := range strings.Fields("time_in_zone_frac time_far_side_frac late_time_far_side_frac close_in_zone close_side") {
			v = append(v, r.number(t, "bar2m_"+name))
		}
		for _, name := range strings.Fields("obi0_lin obi10_lin cdi_lin flow_norm trade_imbal wall_support wall_dist_support gap_spread trade_activity") {
			v = append(v, r.number(t, "bar2m_comp_"+name+"_mean"))
		}
	}
	v = append(v, trends(t, rows)...)
	trigger := rows[len(rows)-1]
	for _, level := range []string{"pm_high", "pm_low", "or_high", "or_low"} {
		if trigger["level_type"] == level {
			v = append(v, 1)
		} else {
			v = append(v, 0)
		}
	}
	open := time.Date(2025, 6, 5, 13, 30, 0, 0, time.UTC).UnixNano() // 09:30 in New York
	ns, err := strconv.ParseInt(trigger["trigger_candle_ts"], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	slot := math.Floor(float64(ns-open) / 60e9 / 2)
	return append(v, trigger.number(t, "approach_direction"), math.Min(89, math.Max(0, slot))/89,
		trigger.number(t, "bar2m_time_in_zone_frac"), trigger.number(t, "bar2m_time_far_side_frac"))
}

// trends are the changes of the means of u and pressure over 1, 2, 3 and 5
// candles, as signed logarithms.
func trends(t *testing.T, rows []row) []float64 {
	var v []float64
	for _, series := range []string{"u", "pressure"} {
		x := make([]float64, 6-len(rows)) // x[1] to x[5]
		for _, r := range rows {
			x = append(x, r.number(t, "bar2m_sig_"+series+"_mean"))
		}
		for _, d := range []float64{x[5] - x[4], (x[5] - x[3]) / 2, (x[5] - x[2]) / 3, (x[5] - x[1]) / 5} {
			if d < 0 {
				v = append(v, -math.Log(1-d))
			} else {
				v = append(v, math.Log(1+d))
			}
		}
	}
	return v
}

// table makes a batch of an approach port of rows.
func table(t *testing.T, rows []row) arrow.Record {
	t.Helper()
	schema := New().Spec().Inputs[0].Columns
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	for c, f := range schema.Fields() {
		for _, r := range rows {
			if cell := r[f.Name]; cell == "" {
				b.Field(c).AppendNull()
			} else if err := b.Field(c).AppendValueFromString(cell); err != nil {
				t.Fatalf("column %s: %v", f.Name, err)
			}
		}
	}
	return b.NewRecord()
}

// frontMonthTable is one row in which ESU5 is the front month.
func frontMonthTable(t *testing.T) arrow.Record {
	t.Helper()
	b := array.NewRecordBuilder(memory.DefaultAllocator, New().Spec().Inputs[4].Columns)
	defer b.Release()
	for c, cell := range []string{"ESU5", "0.9", "false", "ESZ5", "0.1"} {
		if err := b.Field(c).AppendValueFromString(cell); err != nil {
			t.Fatal(err)
		}
	}
	return b.NewRecord()
}

// vectorsOf runs the transform on rows in the order given, each level's to its
// port.
func vectorsOf(t *testing.T, semantics string, batchRows int, rows []row) arrow.Record {
	t.Helper()
	inputs := map[string][]arrow.Record{frontMonthPort: {frontMonthTable(t)}}
	for _, level := range setupvector.Levels() {
		own := slices.DeleteFunc(slices.Clone(rows), func(r row) bool { return r["level_type"] != level })
		inputs[level] = []arrow.Record{table(t, own)}
	}
	task := stagetest.NewTask(t, New().Spec(), map[string]string{"symbol": "ESU5", "dt": "2025-06-05"}, stage.Params{"semantics": semantics}, inputs)
	task.BatchRows = batchRows
	if err := New().Run(t.Context(), task); err != nil {
		t.Fatal(err)
	}
	return task.Table(outPort)
}

var semantics = map[string]string{mbp10.Reference: "testdata/approach2m_out.csv", mbp10.Corrected: "testdata/approach2m_out_corrected.csv"}

// TestRecomputed holds the vectors of the golden approaches to values computed
// in another way.
func TestRecomputed(t *testing.T) {
	for which, name := range semantics {
		t.Run(which, func(t *testing.T) {
			rows := readRows(t, name)
			got := vectorsOf(t, which, 0, rows)
			ids, lists := got.Column(1).(*array.String), got.Column(19).(*array.List)
			triggers := 0
			for _, r := range rows {
				if r["is_trigger_candle"] == "True" {
					triggers++
				}
			}
			if triggers == 0 || ids.Len() != triggers {
				t.Fatalf("%d vectors of %d triggers", ids.Len(), triggers)
			}
			for i := range ids.Len() {
				own := slices.DeleteFunc(slices.Clone(rows), func(r row) bool {
					return r["episode_id"] != ids.Value(i) || r["is_post_trigger"] == "True"
				})
				slices.SortFunc(own, func(a, b row) int { return strings.Compare(a["bar_ts"], b["bar_ts"]) })
				from, to := lists.ValueOffsets(i)
				values := lists.ListValues().(*array.Float64).Float64Values()[from:to]
				compare(t, ids.Value(i), values, recomputed(t, own, which == mbp10.Corrected))
			}
		})
	}
}

func compare(t *testing.T, id string, got, want []float64) {
	t.Helper()
	if len(got) != 256 || len(want) != 256 {
		t.Errorf("%s: %d values, recomputed %d; want 256", id, len(got), len(want))
		return
	}
	for j, name := range setupvector.Features() {
		if !(math.Abs(got[j]-want[j]) <= 1e-9*(1+math.Abs(want[j]))) {
			t.Errorf("%s: value %d (%s) is %v, want %v", id, j, name, got[j], want[j])
		}
	}
}

// TestOrderOfRows gives the rows in any order and cut into batches, and leaves
// some of the oldest candles out.
func TestOrderOfRows(t *testing.T) {
	all := map[string][]row{}
	for which, name := range semantics {
		all[which] = readRows(t, name)
	}
	rapid.Check(t, func(rt *rapid.T) {
		which := rapid.SampledFrom([]string{mbp10.Reference, mbp10.Corrected}).Draw(rt, "semantics")
		oldest := rapid.IntRange(-4, 0).Draw(rt, "oldest")
		rows := slices.DeleteFunc(slices.Clone(all[which]), func(r row) bool { return r.number(t, "bars_to_trigger") < float64(oldest) })
		want := vectorsOf(t, which, 0, rows)
		rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 1)).Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
		if got := vectorsOf(t, which, rapid.IntRange(1, 20).Draw(rt, "batch"), rows); !array.RecordEqual(got, want) {
			rt.Error("another order of the rows gives other vectors")
		}
		ids := want.Column(0).(*array.Int64).Int64Values()
		lists := want.Column(19).(*array.List)
		for i, id := range ids {
			if id != int64(i) {
				rt.Errorf("row %d has vector_id %d", i, id)
			}
			from, _ := lists.ValueOffsets(i)
			missing := lists.ListValues().(*array.Float64).Float64Values()[from : int(from)+48*(oldest+4)]
			if slices.ContainsFunc(missing, func(v float64) bool { return v != 0 }) {
				rt.Errorf("row %d: a candle that is missing is not 0", i)
			}
		}
	})
}

// TestLaterCandlesDoNotMatter changes everything after the trigger.
func TestLaterCandlesDoNotMatter(t *testing.T) {
	rows := readRows(t, semantics[mbp10.Corrected])
	want := vectorsOf(t, mbp10.Corrected, 0, rows)
	later := 0
	for _, r := range rows {
		if r["is_post_trigger"] != "True" {
			continue
		}
		later++
		for _, name := range setupvector.CandleColumns() {
			if name != setupvector.CloseInZone {
				r[name] = fmt.Sprint(later)
			}
		}
	}
	if got := vectorsOf(t, mbp10.Corrected, 0, rows); later == 0 || !array.RecordEqual(got, want) {
		t.Errorf("%d candles after triggers change the vectors", later)
	}
}
