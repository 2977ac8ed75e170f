package frontmonth

import (
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"pgregory.net/rapid"

	"dag/engine/addr"
	"dag/engine/contract"
	"dag/engine/stage"
	"dag/engine/stage/stagetest"
)

func TestFixtures(t *testing.T) { stagetest.Run(t, New()) }

// schemaOf reads a contract.
func schemaOf(t *testing.T, path string) *arrow.Schema {
	t.Helper()
	data, err := os.ReadFile("../../../../" + path)
	if err != nil {
		t.Fatal(err)
	}
	c, mistakes := contract.Parse(path, data)
	if len(mistakes) > 0 {
		t.Fatal(mistakes)
	}
	return c.Schema
}

// TestContract holds the schemas of the code to the contracts.
func TestContract(t *testing.T) {
	for _, d := range contract.Compare(schemaOf(t, "contracts/silver/future/front_month.avsc"), New().Spec().Outputs[0].Schema) {
		t.Error(d)
	}
	bronze := schemaOf(t, "contracts/bronze/future/market_by_price_10.avsc")
	for _, f := range New().Spec().Inputs[0].Columns.Fields() {
		if at := bronze.FieldIndices(f.Name); len(at) == 0 || !bronze.Field(at[0]).Equal(f) {
			t.Errorf("bronze has no column %s", f)
		}
	}
}

var keys = map[string]string{"root": "ES", "dt": "2025-08-04"}

// TestCollect: the contract is told by the key, which a port without collect
// over symbol lacks.
func TestCollect(t *testing.T) {
	b := array.NewRecordBuilder(memory.DefaultAllocator, inputSchema())
	defer b.Release()
	task := stagetest.NewTask(t, New().Spec(), keys, nil, map[string][]arrow.Record{"events": {b.NewRecord()}})
	const want = "port events: a partition has no key symbol, only [{root ES} {dt 2025-08-04}]: collect over symbol"
	if err := New().Run(t.Context(), task); err == nil || err.Error() != want {
		t.Errorf("%v, want %q", err, want)
	}
}

func TestThreshold(t *testing.T) {
	for _, v := range []float64{-0.1, 1.1} {
		if fraction(v) == nil {
			t.Errorf("%v is allowed", v)
		}
	}
}

// event is one row of bronze.
type event struct {
	symbol, action string
	ts, size       int64
}

var symbols = []string{"ESH6", "ESU5", "ESZ5"}

// frontMonth runs the transform on events in the order given, the contracts in
// the order of their first events.
func frontMonth(t *testing.T, params stage.Params, batchRows int, events []event) arrow.Record {
	t.Helper()
	task := stagetest.NewTask(t, New().Spec(), keys, params, nil)
	task.BatchRows = batchRows
	done := map[string]bool{}
	for _, first := range events {
		if done[first.symbol] {
			continue
		}
		done[first.symbol] = true
		b := array.NewRecordBuilder(memory.DefaultAllocator, inputSchema())
		for _, e := range events {
			if e.symbol == first.symbol {
				b.Field(0).(*array.Int64Builder).Append(e.ts)
				b.Field(1).(*array.StringBuilder).Append(e.action)
				b.Field(2).(*array.Int64Builder).Append(e.size)
			}
		}
		task.AddPartition("events", addr.MakeKeys(addr.KeyValue{Key: "symbol", Value: first.symbol}, addr.KeyValue{Key: "dt", Value: keys["dt"]}), b.NewRecord())
		b.Release()
	}
	if err := New().Run(t.Context(), task); err != nil {
		t.Fatal(err)
	}
	return task.Table("front_month")
}

// someEvents draws events around the window, few enough for ties.
func someEvents(t *rapid.T) []event {
	open := time.Date(2025, 8, 4, 13, 30, 0, 0, time.UTC)
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) event {
		return event{
			symbol: rapid.SampledFrom(symbols).Draw(t, "symbol"), action: rapid.SampledFrom([]string{"T", "T", "A"}).Draw(t, "action"),
			ts:   open.Add(time.Duration(rapid.IntRange(-1, 3).Draw(t, "hour")) * time.Hour).UnixNano(),
			size: rapid.Int64Range(1, 3).Draw(t, "size"),
		}
	}), 0, 12).Draw(t, "events")
}

// TestOrder gives the same events in another order and cut into batches.
func TestOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		events := someEvents(rt)
		params := stage.Params{"metric": rapid.SampledFrom([]string{byCount, byVolume}).Draw(rt, "metric")}
		want := frontMonth(t, params, 0, events)
		mixed := make([]event, len(events))
		for i, from := range rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 1)).Perm(len(events)) {
			mixed[i] = events[from]
		}
		if got := frontMonth(t, params, rapid.IntRange(1, 4).Draw(rt, "batch"), mixed); !array.RecordEqual(got, want) {
			rt.Errorf("got %v, want %v", got, want)
		}
	})
}

// TestNobodyIsAhead holds the row to what spec 09 §4 says of it.
func TestNobodyIsAhead(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		events := someEvents(rt)
		got := frontMonth(t, nil, 0, events)
		counts, total := map[string]float64{}, 0.0
		for _, e := range events {
			hour := time.Unix(0, e.ts).UTC().Hour()
			if e.action == "T" && hour != 12 && hour != 16 { // half past 13, 14 and 15 are in the window
				counts[e.symbol]++
				total++
			}
		}
		if total == 0 {
			if got.NumRows() != 0 {
				rt.Errorf("no trades, and %v", got)
			}
			return
		}
		front, ratio := got.Column(1).(*array.String).Value(0), got.Column(2).(*array.Float64).Value(0)
		if ratio != counts[front]/total || got.Column(5).(*array.Boolean).Value(0) != (ratio < 0.6) {
			rt.Errorf("%v of %s, counts %v", ratio, front, counts)
		}
		second := 0.0
		for symbol, n := range counts {
			if n > counts[front] {
				rt.Errorf("%s is the front month, counts %v", front, counts)
			}
			if symbol != front {
				second = max(second, n)
			}
		}
		if runnerUp := got.Column(4).(*array.Float64).Value(0); runnerUp != second/total || got.Column(3).IsNull(0) != (second == 0) {
			rt.Errorf("the runner-up has %v, counts %v", runnerUp, counts)
		}
	})
}
