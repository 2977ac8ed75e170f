package mbp10

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow/array"

	"dag/engine/stage"
	"dag/engine/stage/stagetest"
	"dag/stages/internal/dbn"
)

// mapping is a symbol-mapping record of a live capture.
func mapping(id uint32, symbol string) []byte {
	rec := make([]byte, 176)
	rec[0], rec[1] = 176/4, dbn.RTypeSymbolMapping
	binary.LittleEndian.PutUint32(rec[4:], id)
	copy(rec[89:160], symbol)
	binary.LittleEndian.PutUint64(rec[160:], dbn.UndefTimestamp)
	binary.LittleEndian.PutUint64(rec[168:], dbn.UndefTimestamp)
	return rec
}

func of(id uint32) func(m *dbn.MBP10) { return func(m *dbn.MBP10) { m.InstrumentID = id } }

// TestDropRules sends one record through each rule beside one that stays.
func TestDropRules(t *testing.T) {
	const undef = dbn.UndefPrice
	trade := dbn.Trade{Header: dbn.Header{RType: dbn.RTypeTrade, InstrumentID: idU5, TsEvent: noon}, TsRecv: noon}
	for _, c := range []struct {
		name   string
		record []byte
		metric string // "" if the record stays
	}{
		{"other record type", trade.Append(nil), "dropped_not_mbp10"},
		{"no mapping", event(7, of(idUnknown)), "dropped_unmapped"},
		{"spread", event(7, of(idSpread)), "dropped_not_outright"},
		{"option without a dash", event(7, of(idOption)), "dropped_not_outright"},
		{"locked", event(7, best(100, 100)), "dropped_crossed"},
		{"crossed", event(7, best(101, 100)), "dropped_crossed"},
		{"crossed at negative prices", event(7, best(-100, -101)), "dropped_crossed"},
		{"no bid", event(7, best(undef, 100)), ""},
		{"no ask", event(7, best(100, undef)), ""},
		{"empty book", event(7, best(undef, undef)), ""},
		{"bad book, snapshot", event(7, func(m *dbn.MBP10) { m.Flags = 0xFF }), ""},
		{"no price", event(7, func(m *dbn.MBP10) { m.Price = undef }), ""},
		{"received the day before", event(7, func(m *dbn.MBP10) { m.TsRecv = noon - 12*3600e9 - 1 }), "dropped_other_day"},
		{"received at midnight", event(7, func(m *dbn.MBP10) { m.TsRecv = noon - 12*3600e9 }), ""},
		{"received the last ns", event(7, func(m *dbn.MBP10) { m.TsRecv = noon + 12*3600e9 - 1 }), ""},
		{"received the day after", event(7, func(m *dbn.MBP10) { m.TsRecv = noon + 12*3600e9 }), "dropped_other_day"},
		{"no receive time", event(7, func(m *dbn.MBP10) { m.TsRecv = dbn.UndefTimestamp }), "dropped_other_day"},
		{"event of the day before", event(7, func(m *dbn.MBP10) { m.TsEvent = noon - 24*3600e9 }), ""},
		{"no event time", event(7, func(m *dbn.MBP10) { m.TsEvent = dbn.UndefTimestamp }), "dropped_no_ts_event"},
	} {
		t.Run(c.name, func(t *testing.T) {
			task := run(t, stage.Params{"max_unmapped_fraction": 0.5}, file(t, metadata(dbn.SchemaMBP10, usual()), event(6, nil), c.record))
			if got := task.FanOuts("events"); !slices.Equal(got, []string{"ESU5"}) {
				t.Fatalf("contracts %v, want ESU5", got)
			}
			want := int64(1)
			if c.metric == "" {
				want = 2
			}
			metrics := task.Metrics()
			if rows := int64(len(longs(task, "ESU5", "sequence"))); rows != want || metrics["records_kept"] != want {
				t.Errorf("%d rows, %v; want %d", rows, metrics, want)
			}
			if c.metric != "" && metrics[c.metric] != 1 {
				t.Errorf("%s is not 1: %v", c.metric, metrics)
			}
			checkSum(t, metrics, 2)
		})
	}
}

// checkSum holds kept and dropped records to those read.
func checkSum(t *testing.T, metrics map[string]int64, read int64) {
	t.Helper()
	sum := -metrics["dropped_crossed_trades"] // a part of dropped_crossed
	for name, n := range metrics {
		if name != "records_read" {
			sum += n
		}
	}
	if sum != read || metrics["records_read"] != read {
		t.Errorf("the metrics do not add up to %d records: %v", read, metrics)
	}
}

func TestCrossedTradesAreCounted(t *testing.T) {
	crossed := event(7, func(m *dbn.MBP10) { best(100, 100)(m); m.Action = 'T' })
	m := run(t, nil, file(t, metadata(dbn.SchemaMBP10, usual()), event(6, nil), crossed, event(8, best(2, 1)))).Metrics()
	if m["dropped_crossed"] != 2 || m["dropped_crossed_trades"] != 1 {
		t.Errorf("got %v", m)
	}
}

func TestOutright(t *testing.T) {
	for symbol, want := range map[string]bool{
		"ESU5": true, "ESU25": true, "ESF0": true, "ESZ99": true,
		"": false, "ES": false, "ESU": false, "ESU255": false, "ESA5": false, "ESUU": false, "ESU5-ESZ5": false, "ESU5 C6000": false,
		"MESU5": false, "esu5": false, "ESU5\n": false, "../x": false, "ES/U5": false, "ESU٥": false, "ESU5\x00": false,
		"ESU5" + strings.Repeat("5", 996): false,
	} {
		if got := outright("ES", symbol); got != want {
			t.Errorf("%q: %v", symbol, got)
		}
	}
	if outright("E.", "ESU5") || !outright("6E", "6EU5") {
		t.Error("the root is taken as a pattern")
	}
}

// TestHostileSymbols are dropped and counted like any other that is no outright.
func TestHostileSymbols(t *testing.T) {
	for _, symbol := range []string{"../x", "ES/U5", "ESU5/..", ".", strings.Repeat("E", 71)} {
		m := metadata(dbn.SchemaMBP10, map[string]string{"ESU5": "1", symbol: "5"})
		task := run(t, nil, file(t, m, event(1, nil), event(2, of(5))))
		if got := task.FanOuts("events"); !slices.Equal(got, []string{"ESU5"}) || task.Metrics()["dropped_not_outright"] != 1 {
			t.Errorf("%q: contracts %v, %v", symbol, got, task.Metrics())
		}
	}
	m := metadata(dbn.SchemaMBP10, map[string]string{"ESU5": "1", "": "5"})
	task := run(t, stage.Params{"max_unmapped_fraction": 0.5}, file(t, m, event(1, nil), event(2, of(5))))
	if task.Metrics()["dropped_unmapped"] != 1 {
		t.Errorf("an empty symbol is a mapping: %v", task.Metrics())
	}
	live := file(t, metadata(dbn.SchemaMixed, nil), mapping(idU5, "ESU5"), mapping(5, ""), event(1, nil), event(2, of(5)))
	if got := run(t, stage.Params{"max_unmapped_fraction": 0.5}, live).Metrics(); got["dropped_unmapped"] != 1 {
		t.Errorf("an empty symbol of a live capture is a mapping: %v", got)
	}
}

// TestErrors gives what cannot be bronze.
func TestErrors(t *testing.T) {
	good := func(records ...[]byte) []byte { return file(t, metadata(dbn.SchemaMBP10, usual()), records...) }
	short, long := event(1, nil)[:364], append(event(1, nil), make([]byte, 32)...)
	short[0], long[0] = 364/4, 400/4
	for _, c := range []struct {
		name   string
		params stage.Params
		data   []byte
		want   string
	}{
		{"other schema", nil, file(t, metadata(dbn.SchemaTrades, usual()), event(1, nil)), "a.dbn: the file holds records of schema trades"},
		{"truncated", nil, good(event(1, nil), event(2, nil))[:len(good(event(1, nil), event(2, nil)))-100], "a.dbn: at byte"},
		{"no DBN", nil, []byte("PAR1 and more"), "a.dbn: at byte 0: "},
		{"short record", nil, good(short), "a.dbn: record 0, before byte"},
		{"long record", nil, good(long), "mbp-10 record has 400 bytes instead of 368, or 376 with ts_out"},
		{"action is no letter", nil, good(event(1, func(m *dbn.MBP10) { m.Action = 0xFF })), `action 'ÿ' and side 'B' must be letters`},
		{"unmapped", nil, good(event(1, nil), event(2, of(idUnknown))), "2025-08-04: 1 of 2 records have no symbol in the files' mappings, more than max_unmapped_fraction = 0.01"},
		{"all unmapped", stage.Params{"max_unmapped_fraction": 1.0}, good(event(1, of(idUnknown))), "2025-08-04: nothing is left of 1 records in 1 files: 0 are not mbp-10, 0 were received on another UTC day, 1 have no symbol"},
		{"all crossed", nil, good(event(1, best(2, 1))), "1 have a locked or crossed book"},
		{"no records", nil, good(), "2025-08-04: nothing is left of 0 records"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := New().Run(t.Context(), newTask(t, c.params, c.data))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v\nwant %s", err, c.want)
			}
		})
	}
	err := New().Run(t.Context(), newTask(t, nil, good(event(1, nil))[:1000]))
	var format *dbn.FormatError
	if !errors.As(err, &format) || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a file that is cut off gives %v", err)
	}
	if err := New().Run(t.Context(), newTask(t, nil)); err == nil || !strings.Contains(err.Error(), "in 0 files") {
		t.Errorf("no file gives %v", err)
	}
}

func TestUnmappedFractionIsOfTheDay(t *testing.T) {
	records := [][]byte{event(1, of(idUnknown))}
	for i := range uint32(99) {
		records = append(records, event(2+i, nil))
	}
	task := run(t, nil, file(t, metadata(dbn.SchemaMBP10, usual()), records...))
	if m := task.Metrics(); m["dropped_unmapped"] != 1 || m["records_kept"] != 99 {
		t.Errorf("one in a hundred is not let through: %v", m)
	}
	// Records of another day do not thin the unmapped ones out.
	records[1] = event(2, func(m *dbn.MBP10) { m.TsRecv -= 24 * 3600e9 })
	if err := New().Run(t.Context(), newTask(t, nil, file(t, metadata(dbn.SchemaMBP10, usual()), records...))); err == nil {
		t.Error("one in 99 is let through")
	}
}

func TestParameters(t *testing.T) {
	for _, p := range New().Spec().Params {
		if p.Check == nil {
			continue
		}
		bad := map[string][]any{"max_unmapped_fraction": {-0.1, 1.1, math.NaN()}, "sort_memory": {int64(0), int64(-1), int64(minSortMemory - 1)}}[p.Name]
		if len(bad) == 0 {
			t.Errorf("%s is not tested", p.Name)
		}
		for _, v := range bad {
			if p.Check(v) == nil {
				t.Errorf("%s takes %v", p.Name, v)
			}
		}
		if err := p.Check(p.Default); err != nil {
			t.Error(err)
		}
	}
}

// opened is a task that remembers in which order contracts are written.
type opened struct {
	*stagetest.Task
	symbols []string
}

func (o *opened) Output(port string, fanOut ...string) (stage.Writer, error) {
	o.symbols = append(o.symbols, fanOut...)
	return o.Task.Output(port, fanOut...)
}

// TestContractsAreKeptApart looks for each contract's symbol and instrument on
// every row of its own, written in the order of symbols.
func TestContractsAreKeptApart(t *testing.T) {
	m := metadata(dbn.SchemaMBP10, map[string]string{"ESZ25": "1", "ESU5": "2", "ESH6": "3"})
	want := map[string]int64{"ESH6": 3, "ESU5": 2, "ESZ25": 1}
	for range 20 { // the router keeps contracts in a map
		task := &opened{Task: newTask(t, nil, file(t, m, event(1, of(1)), event(2, of(2)), event(3, of(3)), event(4, of(1))))}
		if err := New().Run(t.Context(), task); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(task.symbols, []string{"ESH6", "ESU5", "ESZ25"}) {
			t.Fatalf("contracts are written in the order %v", task.symbols)
		}
		for symbol, id := range want {
			rec := task.Table("events", symbol)
			texts := rec.Column(rec.Schema().FieldIndices("symbol")[0]).(*array.String)
			for i, got := range longs(task.Task, symbol, "instrument_id") {
				if got != id || texts.Value(i) != symbol {
					t.Errorf("row %d of %s is of instrument %d and symbol %s", i+1, symbol, got, texts.Value(i))
				}
			}
			if rec.NumRows() == 0 {
				t.Errorf("%s has no rows", symbol)
			}
		}
	}
}

// TestLiveCapture takes mappings out of the stream, also ones that change.
func TestLiveCapture(t *testing.T) {
	data := file(t, metadata(dbn.SchemaMixed, nil),
		mapping(idU5, "ESU5"), mapping(idZ5, "ESU5-ESZ5"), event(1, nil), event(2, of(idZ5)),
		mapping(idZ5, "ESZ5"), event(3, of(idZ5)), event(4, nil))
	task := run(t, nil, data)
	if got := task.FanOuts("events"); !slices.Equal(got, []string{"ESU5", "ESZ5"}) {
		t.Fatalf("contracts %v", got)
	}
	if u, z := longs(task, "ESU5", "sequence"), longs(task, "ESZ5", "sequence"); !slices.Equal(u, []int64{1, 4}) || !slices.Equal(z, []int64{3}) {
		t.Errorf("ESU5 has %v, ESZ5 %v", u, z)
	}
	if m := task.Metrics(); m["dropped_not_mbp10"] != 3 || m["dropped_not_outright"] != 1 {
		t.Errorf("metrics %v", m)
	}
}

// TestTsOut reads records that carry the time they were sent.
func TestTsOut(t *testing.T) {
	m := metadata(dbn.SchemaMBP10, usual())
	m.TsOut = true
	rec := append(event(5, nil), make([]byte, 8)...)
	rec[0] = byte(len(rec) / 4)
	if got := longs(run(t, nil, file(t, m, rec, rec)), "ESU5", "sequence"); !slices.Equal(got, []int64{5, 5}) {
		t.Errorf("sequences %v", got)
	}
}

// TestDaysOfOneFile feeds each day from a file of two.
func TestDaysOfOneFile(t *testing.T) {
	m := metadata(dbn.SchemaMBP10, nil)
	m.Mappings = []dbn.Mapping{
		{RawSymbol: "ESU5", Intervals: []dbn.Interval{{Start: 20250804, End: nextDay, Symbol: "1"}}},
		{RawSymbol: "ESZ5", Intervals: []dbn.Interval{{Start: nextDay, End: 20250806, Symbol: "1"}}},
	}
	tomorrow := func(m *dbn.MBP10) { m.TsRecv += 24 * 3600e9; m.TsEvent += 24 * 3600e9 }
	data := file(t, m, event(1, nil), event(2, tomorrow), event(3, nil))
	for dt, want := range map[string]struct {
		symbol string
		seq    []int64
	}{testDay: {"ESU5", []int64{1, 3}}, "2025-08-05": {"ESZ5", []int64{2}}} {
		task := newTaskOf(t, dt, nil, data)
		if err := New().Run(t.Context(), task); err != nil {
			t.Fatal(err)
		}
		if got := task.FanOuts("events"); !slices.Equal(got, []string{want.symbol}) {
			t.Fatalf("%s: contracts %v, want %s", dt, got, want.symbol)
		}
		if got := longs(task, want.symbol, "sequence"); !slices.Equal(got, want.seq) {
			t.Errorf("%s: sequences %v, want %v", dt, got, want.seq)
		}
	}
}

func TestCancelledRunEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var records [][]byte
	for i := range uint32(dbn.RecordsPerCheck) {
		records = append(records, event(i, nil))
	}
	if err := New().Run(ctx, newTask(t, nil, file(t, metadata(dbn.SchemaMBP10, usual()), records...))); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
