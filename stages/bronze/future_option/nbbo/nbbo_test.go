package nbbo

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"

	"dag/engine/stage"
	"dag/engine/stage/stagetest"
	"dag/stages/internal/dbn"
	"dag/stages/internal/option/optiontest"
)

func quotesFile(t testing.TB, schema dbn.Schema, records ...[]byte) []byte {
	t.Helper()
	return optiontest.File(t, optiontest.Metadata(schema), records...)
}

func newTask(t testing.TB, params stage.Params, quotes ...[]byte) *stagetest.Task {
	t.Helper()
	return optiontest.Task(t, New(), params, map[string][][]byte{"quotes": quotes, "definitions": {optiontest.Definitions(t)}})
}

func run(t testing.TB, params stage.Params, quotes ...[]byte) *stagetest.Task {
	t.Helper()
	task := newTask(t, params, quotes...)
	if err := New().Run(t.Context(), task); err != nil {
		t.Fatal(err)
	}
	return task
}

func column(task *stagetest.Task, name string) []string {
	rec := task.Table("nbbo")
	col := rec.Column(rec.Schema().FieldIndices(name)[0])
	out := make([]string, col.Len())
	for i := range out {
		out[i] = col.ValueStr(i)
	}
	return out
}

// TestDropRules sends one record through each rule beside one that stays.
func TestDropRules(t *testing.T) {
	book := func(bid, ask int64) []byte {
		return optiontest.Quote(optiontest.Call, 0, 7, func(r *dbn.MBP1) { r.Level.BidPx, r.Level.AskPx = bid, ask })
	}
	const undef = dbn.UndefPrice
	drops := append(optiontest.CommonDrops(func(id uint32, tsEvent, tsRecv uint64) []byte {
		return optiontest.Quote(id, 0, 7, func(r *dbn.MBP1) { r.TsEvent, r.TsRecv = tsEvent, tsRecv })
	}), []optiontest.Drop{
		{Name: "no definition", Record: optiontest.Quote(optiontest.Undefined, 0, 7, nil), Metric: "dropped_no_definition"},
		{Name: "other record", Record: optiontest.Trade(optiontest.Call, 0, 7, nil), Metric: "dropped_other_record_type"},
		{Name: "empty book", Record: book(undef, undef), Metric: "dropped_no_quote"},
		{Name: "no bid", Record: book(undef, 1)},
		{Name: "no ask", Record: book(1, undef)},
		{Name: "crossed", Record: book(2, 1)},
	}...)
	for _, c := range drops {
		task := run(t, nil, quotesFile(t, dbn.SchemaMBP1, optiontest.Quote(optiontest.Put, 0, 1, nil), c.Record))
		rows := int64(2)
		if c.Metric != "" {
			rows = 1
			if n := task.Metrics()[c.Metric]; n != 1 {
				t.Errorf("%s: %s is %d, want 1", c.Name, c.Metric, n)
			}
		}
		if got := task.Table("nbbo").NumRows(); got != rows {
			t.Errorf("%s: %d rows, want %d", c.Name, got, rows)
		}
		optiontest.CheckSums(t, task, "", "no_quote")
	}
}

// TestSchemas reads quotes of every kind: times, sequences and prices.
func TestSchemas(t *testing.T) {
	const event, recv = 5, 9
	for _, c := range []struct {
		schema dbn.Schema
		rtype  byte
		ts     uint64
		seq    string
	}{
		{dbn.SchemaMBP1, dbn.RTypeMBP1, event, "7"},
		{dbn.SchemaBBO1s, dbn.RTypeBBO1s, recv, "7"},
		{dbn.SchemaBBO1m, dbn.RTypeBBO1m, recv, "7"},
		{dbn.SchemaCMBP1, dbn.RTypeCMBP1, event, "0"},
		{dbn.SchemaCBBO1s, dbn.RTypeCBBO1s, recv, "0"},
		{dbn.SchemaCBBO1m, dbn.RTypeCBBO1m, recv, "0"},
	} {
		rec := optiontest.Quote(optiontest.Call, event, 7, func(r *dbn.MBP1) {
			r.RType, r.TsRecv, r.Level.AskPx = c.rtype, optiontest.Noon+recv, dbn.UndefPrice
		})
		task := run(t, nil, quotesFile(t, c.schema, rec))
		var got []string
		for _, name := range []string{"seq", "bid_px", "ask_px", "bid_sz", "ask_sz"} {
			got = append(got, column(task, name)...)
		}
		if want := []string{c.seq, "12", "(null)", "7", "9"}; !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", c.schema, got, want)
		}
		if ts := task.Table("nbbo").Column(0).ValueStr(0); ts != fmt.Sprint(optiontest.Noon+c.ts) {
			t.Errorf("%s: ts_event_ns is %s, want %d", c.schema, ts, optiontest.Noon+c.ts)
		}
	}
}

// TestQuotesOfTrades: tbbo and tcbbo have the quote before a trade at the time of the
// trade, and are refused; within a capture the latter are dropped.
func TestQuotesOfTrades(t *testing.T) {
	rec := optiontest.Quote(optiontest.Call, 0, 7, func(r *dbn.MBP1) { r.RType = dbn.RTypeTCBBO })
	for _, schema := range []dbn.Schema{dbn.SchemaTBBO, dbn.SchemaTCBBO} {
		err := New().Run(t.Context(), newTask(t, nil, quotesFile(t, schema, rec)))
		if want := fmt.Sprintf("a.dbn: the file holds records of schema %s; for quotes this stage reads [mbp-1 bbo-1s bbo-1m cmbp-1 cbbo-1s cbbo-1m mixed]", schema); err == nil || err.Error() != want {
			t.Errorf("%s: error %v, want %s", schema, err, want)
		}
	}
	task := run(t, nil, quotesFile(t, dbn.SchemaMixed, optiontest.Quote(optiontest.Call, 0, 7, nil), rec))
	if n := task.Metrics()["dropped_other_record_type"]; n != 1 || task.Table("nbbo").NumRows() != 1 {
		t.Errorf("%d rows, metrics %v", task.Table("nbbo").NumRows(), task.Metrics())
	}
}

// TestIntervalWithoutTrade has an undefined ts_event, and is a quote nonetheless.
func TestIntervalWithoutTrade(t *testing.T) {
	rec := optiontest.Quote(optiontest.Call, 0, 7, func(r *dbn.MBP1) { r.RType, r.TsEvent = dbn.RTypeBBO1s, dbn.UndefTimestamp })
	if n := run(t, nil, quotesFile(t, dbn.SchemaBBO1s, rec)).Table("nbbo").NumRows(); n != 1 {
		t.Errorf("%d rows, want 1", n)
	}
}

// market is quotes of some options, a few of them out of order.
func market(t testing.TB, records int) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := dbn.NewWriter(&out, optiontest.Metadata(dbn.SchemaMBP1))
	if err != nil {
		t.Fatal(err)
	}
	for i := range uint32(records) {
		late := uint64(0)
		if i%50 == 0 {
			late = 700
		}
		id := []uint32{optiontest.Call, optiontest.Put, optiontest.Weekly}[i%3]
		rec := optiontest.Quote(id, uint64(i/2)*100+1000-late, i%2, func(r *dbn.MBP1) { r.Level.BidSz = i })
		if err := w.Write(rec); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestMemoryDoesNotMatter runs within little memory, which spills, and in two
// files.
func TestMemoryDoesNotMatter(t *testing.T) {
	data := market(t, 20_000)
	want := optiontest.Dump(run(t, nil, data), "nbbo")
	if optiontest.Dump(run(t, stage.Params{"sort_memory": int64(64 << 10)}, data), "nbbo") != want {
		t.Error("the rows depend on the memory")
	}
	half := len(data) - 10_000*dbn.MBP1Size
	head := len(data) - 20_000*dbn.MBP1Size
	second := slices.Concat(data[:head], data[half:])
	if optiontest.Dump(run(t, nil, data[:half], second), "nbbo") != want {
		t.Error("the rows depend on where the files are cut")
	}
}

// discard is a task that forgets what is written.
type discard struct{ *stagetest.Task }

func (discard) Output(string, ...string) (stage.Writer, error) { return discardWriter{}, nil }

type discardWriter struct{}

func (discardWriter) Write(arrow.Record) error { return nil }
func (discardWriter) Close() error             { return nil }

// TestRecordsAllocateNothing compares runs of few records with runs of many, in
// memory that both fill.
func TestRecordsAllocateNothing(t *testing.T) {
	allocations := func(records int) float64 {
		task := discard{newTask(t, stage.Params{"sort_memory": int64(64 << 10)}, market(t, records))}
		return testing.AllocsPerRun(3, func() {
			if err := New().Run(t.Context(), task); err != nil {
				t.Fatal(err)
			}
		})
	}
	// What grows is by run and by batch of rows: a run is some 600 records.
	few, many := allocations(5_000), allocations(25_000)
	if perRecord := (many - few) / 20_000; perRecord > 0.05 {
		t.Errorf("%v allocations a record", perRecord)
	}
}

// BenchmarkNBBO is the whole transform but for the writing, beside decoding alone.
func BenchmarkNBBO(b *testing.B) {
	const n = 300_000
	data := market(b, n)
	rate := func(b *testing.B) {
		b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds()/1e6, "Mrecords/s")
	}
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			r, err := dbn.NewReader(bytes.NewReader(data), "quotes")
			if err != nil {
				b.Fatal(err)
			}
			var m dbn.MBP1
			for {
				rec, err := r.Next()
				if errors.Is(err, io.EOF) {
					break
				}
				if err == nil {
					err = m.Decode(rec)
				}
				if err != nil {
					b.Fatal(err)
				}
			}
			r.Close()
		}
		rate(b)
	})
	b.Run("run", func(b *testing.B) {
		task := discard{newTask(b, nil, data)}
		b.ReportAllocs()
		for b.Loop() {
			if err := New().Run(b.Context(), task); err != nil {
				b.Fatal(err)
			}
		}
		rate(b)
	})
}
