package trades

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow/array"
	"pgregory.net/rapid"

	"dag/engine/stage"
	"dag/engine/stage/stagetest"
	"dag/stages/internal/dbn"
	"dag/stages/internal/option/optiontest"
)

type files = map[string][][]byte

func tradesFile(t testing.TB, records ...[]byte) [][]byte {
	t.Helper()
	return [][]byte{optiontest.File(t, optiontest.Metadata(dbn.SchemaTrades), records...)}
}

func quotesFile(t testing.TB, records ...[]byte) [][]byte {
	t.Helper()
	return [][]byte{optiontest.File(t, optiontest.Metadata(dbn.SchemaMBP1), records...)}
}

func run(t testing.TB, params stage.Params, trades, quotes [][]byte) (*stagetest.Task, error) {
	t.Helper()
	task := optiontest.Task(t, New(), params, files{"trades": trades, "quotes": quotes, "definitions": {optiontest.Definitions(t)}})
	return task, New().Run(t.Context(), task)
}

func mustRun(t testing.TB, params stage.Params, trades, quotes [][]byte) *stagetest.Task {
	t.Helper()
	task, err := run(t, params, trades, quotes)
	if err != nil {
		t.Fatal(err)
	}
	return task
}

// cells prints columns of the output, row by row.
func cells(task *stagetest.Task, columns ...string) []string {
	rec := task.Table("trades")
	var out []string
	for row := range int(rec.NumRows()) {
		var line []string
		for _, c := range columns {
			line = append(line, rec.Column(rec.Schema().FieldIndices(c)[0]).ValueStr(row))
		}
		out = append(out, strings.Join(line, " "))
	}
	return out
}

// TestRow shows every column.
func TestRow(t *testing.T) {
	task := mustRun(t, nil,
		tradesFile(t, optiontest.Trade(optiontest.Weekly, 10, 5, func(r *dbn.Trade) { r.TsRecv += 7 })),
		quotesFile(t, optiontest.Quote(optiontest.Weekly, 9, 9, nil)))
	ns := func(plus uint64) string { return fmt.Sprint(optiontest.Noon + plus) }
	want := ns(10) + " " + ns(17) + " DATABENTO_CME ES EW1Q5 C6000.5 2025-09-19 6000.5 C 12.25 3 12 12.5 5 1"
	rec := task.Table("trades")
	var names []string
	for _, f := range rec.Schema().Fields() {
		names = append(names, f.Name)
	}
	if got := cells(task, names...); !slices.Equal(got, []string{want}) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// TestDropRules sends one record through each rule beside one that stays.
func TestDropRules(t *testing.T) {
	trade := func(edit func(r *dbn.Trade)) []byte { return optiontest.Trade(optiontest.Call, 0, 7, edit) }
	drops := append(optiontest.CommonDrops(func(id uint32, tsEvent, tsRecv uint64) []byte {
		return optiontest.Trade(id, 0, 7, func(r *dbn.Trade) { r.TsEvent, r.TsRecv = tsEvent, tsRecv })
	}), []optiontest.Drop{
		{Name: "no definition", Record: optiontest.Trade(optiontest.Undefined, 0, 7, nil), Metric: "dropped_no_definition"},
		{Name: "other record", Record: optiontest.Quote(optiontest.Call, 0, 7, nil), Metric: "dropped_other_record_type"},
		{Name: "no trade", Record: trade(func(r *dbn.Trade) { r.Action = 'F' }), Metric: "dropped_not_trade"},
		{Name: "no size", Record: trade(func(r *dbn.Trade) { r.Size = 0 }), Metric: "dropped_no_size"},
		{Name: "no price", Record: trade(func(r *dbn.Trade) { r.Price = dbn.UndefPrice }), Metric: "dropped_no_price"},
		{Name: "price 0", Record: trade(func(r *dbn.Trade) { r.Price = 0 })},
	}...)
	for _, c := range drops {
		task := mustRun(t, nil, tradesFile(t, optiontest.Trade(optiontest.Put, 0, 1, nil), c.Record), nil)
		rows := int64(2)
		if c.Metric != "" {
			rows = 1
			if n := task.Metrics()[c.Metric]; n != 1 {
				t.Errorf("%s: %s is %d, want 1", c.Name, c.Metric, n)
			}
		}
		if got := task.Table("trades").NumRows(); got != rows || task.Metrics()["records_kept"] != rows {
			t.Errorf("%s: %d rows, want %d: %v", c.Name, got, rows, task.Metrics())
		}
		optiontest.CheckSums(t, task, "", "not_trade", "no_size", "no_price")
	}
}

func TestAggressor(t *testing.T) {
	var records [][]byte
	for i, side := range []byte("BAN?") {
		records = append(records, optiontest.Trade(optiontest.Call, uint64(i), 0, func(r *dbn.Trade) { r.Side = side }))
	}
	if got, want := cells(mustRun(t, nil, tradesFile(t, records...), nil), "aggressor"), []string{"1", "-1", "0", "0"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestOrder is that of O-12: time, sequence, symbol, files and records.
func TestOrder(t *testing.T) {
	trade := func(id uint32, ts uint64, seq, size uint32) []byte {
		return optiontest.Trade(id, ts, seq, func(r *dbn.Trade) { r.Size = size })
	}
	first := tradesFile(t, trade(optiontest.Weekly, 5, 1, 10), trade(optiontest.Put, 5, 1, 11), trade(optiontest.Call, 5, 1, 12), trade(optiontest.Call, 5, 0, 13), trade(optiontest.Put, 3, 9, 14))
	second := tradesFile(t, trade(optiontest.Call, 5, 1, 20), trade(optiontest.Call, 1, 9, 21), trade(optiontest.Put, 5, 1, 22))
	task := mustRun(t, nil, append(first, second...), nil)
	if got, want := cells(task, "size"), []string{"21", "14", "13", "12", "20", "11", "22", "10"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestQuoteInForce puts quotes around a trade at time 10 with sequence 5.
func TestQuoteInForce(t *testing.T) {
	quote := func(ts uint64, seq uint32, edit func(r *dbn.MBP1)) []byte {
		return optiontest.Quote(optiontest.Call, ts, seq, edit)
	}
	bid := func(px int64) func(r *dbn.MBP1) { return func(r *dbn.MBP1) { r.Level.BidPx = px } }
	for _, c := range []struct {
		name   string
		quotes [][]byte
		want   string
	}{
		{"none", nil, "(null) (null)"},
		{"of another option", [][]byte{optiontest.Quote(optiontest.Put, 1, 1, nil)}, "(null) (null)"},
		{"before", [][]byte{quote(9, 99, nil)}, "12 12.5"},
		{"at the time, before by sequence", [][]byte{quote(10, 4, nil)}, "12 12.5"},
		{"at the time and sequence", [][]byte{quote(10, 5, nil)}, "(null) (null)"},
		{"after", [][]byte{quote(10, 6, nil)}, "(null) (null)"},
		{"the last before", [][]byte{quote(10, 4, bid(3e9)), quote(8, 1, bid(1e9)), quote(10, 3, bid(2e9))}, "3 12.5"},
		{"of equal time and sequence the later record", [][]byte{quote(8, 1, bid(1e9)), quote(8, 1, bid(2e9))}, "2 12.5"},
		{"one side", [][]byte{quote(7, 1, nil), quote(8, 1, bid(dbn.UndefPrice))}, "(null) 12.5"},
		{"an empty book is no quote", [][]byte{quote(7, 1, nil), quote(8, 1, func(r *dbn.MBP1) { r.Level.BidPx, r.Level.AskPx = dbn.UndefPrice, dbn.UndefPrice })}, "12 12.5"},
		{"interval that ended before", [][]byte{quote(0, 99, interval(dbn.RTypeBBO1s, 9))}, "12 12.5"},
		{"interval that ended with the trade", [][]byte{quote(0, 99, interval(dbn.RTypeCBBO1s, 10))}, "(null) (null)"},
		{"consolidated, before", [][]byte{quote(9, 99, consolidated)}, "12 12.5"},
		{"consolidated, at the time", [][]byte{quote(9, 1, bid(1e9)), quote(10, 0, consolidated)}, "1 12.5"},
		{"interval that ended after, with a trade before", [][]byte{quote(0, 99, interval(dbn.RTypeBBO1m, 11))}, "(null) (null)"},
	} {
		task := mustRun(t, nil, tradesFile(t, optiontest.Trade(optiontest.Call, 10, 5, nil)), quotesFile(t, c.quotes...))
		if got := cells(task, "opt_bid", "opt_ask"); !slices.Equal(got, []string{c.want}) {
			t.Errorf("%s: got %v, want %s", c.name, got, c.want)
		}
		optiontest.CheckSums(t, task, "quotes_", "no_quote", "not_traded")
	}
}

// consolidated makes a quote one of all venues, which has no sequence.
func consolidated(r *dbn.MBP1) { r.RType = dbn.RTypeCMBP1 }

// interval makes a quote one of an interval that ends at a time after noon.
func interval(rtype byte, end uint64) func(r *dbn.MBP1) {
	return func(r *dbn.MBP1) { r.RType, r.Action, r.TsRecv = rtype, 0, optiontest.Noon+end }
}

// drawn is a trade or a quote of a drawn market.
type drawn struct {
	id, seq uint32
	ts      uint64
	bid     int64
	// consolidated quotes have no sequence.
	consolidated bool
}

func draw(rt *rapid.T, what string) []drawn {
	return rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) drawn {
		return drawn{
			id: rapid.SampledFrom([]uint32{optiontest.Call, optiontest.Put, optiontest.Weekly}).Draw(rt, "option"), seq: rapid.Uint32Range(0, 3).Draw(rt, "sequence"),
			ts: rapid.Uint64Range(0, 8).Draw(rt, "time"), bid: rapid.Int64Range(0, 50).Draw(rt, "bid"),
			consolidated: rapid.Bool().Draw(rt, "consolidated"),
		}
	}), 0, 60).Draw(rt, what)
}

// place is the order of a quote among others of its time.
func (d drawn) place() uint32 {
	if d.consolidated {
		return math.MaxUint32
	}
	return d.seq
}

// before is the order of (ts_event_ns, seq).
func (d drawn) before(o drawn) bool { return d.ts < o.ts || d.ts == o.ts && d.place() < o.place() }

// TestJoinAgainstSearch looks for the quote of every trade among all quotes.
func TestJoinAgainstSearch(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		trades, quotes := draw(rt, "trades"), draw(rt, "quotes")
		var tradeRecords, quoteRecords [][]byte
		want := map[string]int{}
		for i, d := range trades {
			d.consolidated = false
			tradeRecords = append(tradeRecords, optiontest.Trade(d.id, d.ts, d.seq, func(r *dbn.Trade) { r.Size = uint32(i + 1) }))
			bid, last := "(null)", drawn{}
			for _, q := range quotes {
				if q.id == d.id && q.before(d) && (bid == "(null)" || !q.before(last)) {
					bid, last = fmt.Sprint(q.bid), q
				}
			}
			want[fmt.Sprintf("%d %s", i+1, bid)]++
		}
		for _, q := range quotes {
			quoteRecords = append(quoteRecords, optiontest.Quote(q.id, q.ts, q.seq, func(r *dbn.MBP1) {
				if r.Level.BidPx = q.bid * 1e9; q.consolidated {
					consolidated(r)
				}
			}))
		}
		task := mustRun(t, nil, tradesFile(t, tradeRecords...), quotesFile(t, quoteRecords...))
		for _, row := range cells(task, "size", "opt_bid") {
			want[row]--
		}
		for row, n := range want {
			if n != 0 {
				rt.Fatalf("size and opt_bid %q: %d rows too few", row, n)
			}
		}
	})
}

func TestErrors(t *testing.T) {
	good := optiontest.Trade(optiontest.Call, 0, 0, nil)
	limits := stage.Params{"max_unmapped_fraction": 0.1, "max_undefined_fraction": 0.1}
	defs := func(records ...[]byte) []byte {
		return optiontest.File(t, optiontest.Metadata(dbn.SchemaDefinition), records...)
	}
	for _, c := range []struct {
		name  string
		files files
		want  []string
	}{
		{"unmapped", files{"trades": tradesFile(t, good, optiontest.Trade(optiontest.NoSymbol, 0, 0, nil))},
			[]string{"1 of 2 records of trades have no symbol", "max_unmapped_fraction = 0.1", "raise the parameter"}},
		{"undefined", files{"trades": tradesFile(t, good, optiontest.Trade(optiontest.Undefined, 0, 0, nil), optiontest.Trade(optiontest.Odd, 0, 0, nil))},
			[]string{"2 of 3 records of trades", "max_undefined_fraction = 0.1", `"ESU5 C7000" (instrument 7)`, "define 6 instruments", "fetch the definitions"}},
		{"no definitions at all", files{"trades": tradesFile(t, good), "definitions": {defs()}},
			[]string{"1 of 1 records", `"ESU5 C6000"`, "define 0 instruments"}},
		{"definitions of another day", files{"trades": tradesFile(t, good), "definitions": {defs(optiontest.Definition(t, optiontest.Call, func(d *dbn.Definition) { d.TsRecv -= 24 * 3600e9 }))}},
			[]string{"1 of 1 records", "define 0 instruments"}},
		{"undefined quotes", files{"trades": tradesFile(t, good), "quotes": quotesFile(t, optiontest.Quote(optiontest.Undefined, 0, 0, nil))},
			[]string{"1 of 1 records of quotes", `"ESU5 C7000"`}},
		{"strike 0", files{"trades": tradesFile(t, good), "definitions": {defs(
			optiontest.Definition(t, optiontest.Call, func(d *dbn.Definition) { d.StrikePrice = 0 }), optiontest.Definition(t, optiontest.Put, nil))}},
			[]string{"a.dbn: record 0", "strike 0 and right C", `"ESU5 C6000"`, "strike 6000 and right C"}},
		{"put and call", files{"trades": tradesFile(t, good), "definitions": {defs(optiontest.Definition(t, optiontest.Call, func(d *dbn.Definition) { d.InstrumentClass = 'P' }))}},
			[]string{"a.dbn: record 0", "strike 6000 and right P", `"ESU5 C6000"`, "strike 6000 and right C"}},
		{"nothing of the root", files{"trades": tradesFile(t, optiontest.Trade(optiontest.Future, 0, 0, nil))},
			[]string{"none of 1 records of trades is of an option of ES", "1 are of no option"}},
		{"another schema", files{"trades": quotesFile(t)}, []string{"a.dbn", "schema mbp-1", "[trades mixed]"}},
		{"no DBN", files{"trades": {[]byte("PAR1 and more")}}, []string{"a.dbn", "not a DBN file"}},
		{"cut off", files{"trades": {tradesFile(t, good)[0][:len(tradesFile(t, good)[0])-3]}}, []string{"a.dbn", "cut off"}},
	} {
		if c.files["definitions"] == nil {
			c.files["definitions"] = [][]byte{optiontest.Definitions(t)}
		}
		err := New().Run(t.Context(), optiontest.Task(t, New(), limits, c.files))
		if err == nil {
			t.Errorf("%s: no error", c.name)
			continue
		}
		for _, part := range c.want {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s: error %q does not say %q", c.name, err, part)
			}
		}
	}
}

// TestOnlySpreads is a day that has nothing but user-defined spreads, and one
// trade without a time.
func TestOnlySpreads(t *testing.T) {
	timeless := optiontest.Trade(optiontest.Call, 0, 0, func(r *dbn.Trade) { r.TsEvent = dbn.UndefTimestamp })
	task := mustRun(t, nil, tradesFile(t, optiontest.Trade(optiontest.Spread, 0, 0, nil), timeless), nil)
	m := task.Metrics()
	if n := task.Table("trades").NumRows(); n != 0 || m["dropped_multi_leg"] != 1 || m["dropped_no_ts_event"] != 1 {
		t.Errorf("%d rows, metrics %v", n, m)
	}
}

// TestFilesThatOverlap: a copy of a file of trades, or of quotes, is no day; a quote
// of a snapshot may come again.
func TestFilesThatOverlap(t *testing.T) {
	trades := tradesFile(t, optiontest.Trade(optiontest.Call, 10, 0, nil))
	quote := func(flags byte) []byte {
		return quotesFile(t, optiontest.Quote(optiontest.Call, 0, 0, func(r *dbn.MBP1) { r.Flags = flags }))[0]
	}
	run := func(trades, quotes [][]byte) error {
		return New().Run(t.Context(), optiontest.Task(t, New(), nil, files{"trades": trades, "quotes": quotes, "definitions": {optiontest.Definitions(t)}}))
	}
	for name, err := range map[string]error{
		"trades": run([][]byte{trades[0], trades[0]}, [][]byte{quote(0)}),
		"quotes": run(trades, [][]byte{quote(0), quote(0)}),
	} {
		if err == nil || !strings.Contains(err.Error(), "both hold events of ESU5 C6000 received from ") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := run(trades, [][]byte{quote(dbn.FlagSnapshot), quote(dbn.FlagSnapshot)}); err != nil {
		t.Error(err)
	}
}

// TestCancelled stops before rows are written, however few there are.
func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	task := optiontest.Task(t, New(), nil, files{"trades": tradesFile(t, optiontest.Trade(optiontest.Call, 0, 0, nil)), "quotes": quotesFile(t), "definitions": {optiontest.Definitions(t)}})
	if err := New().Run(ctx, task); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// TestNoRecords is a day without trades.
func TestNoRecords(t *testing.T) {
	task := mustRun(t, nil, tradesFile(t), quotesFile(t, optiontest.Quote(optiontest.Call, 0, 0, nil)))
	if n := task.Table("trades").NumRows(); n != 0 || task.Metrics()["quotes_dropped_not_traded"] != 1 {
		t.Errorf("%d rows, metrics %v", n, task.Metrics())
	}
}

// TestLiveCapture maps symbols within the stream.
func TestLiveCapture(t *testing.T) {
	m := optiontest.Metadata(dbn.SchemaMixed)
	m.Mappings = nil
	mapping := dbn.SymbolMapping{
		Header: dbn.Header{RType: dbn.RTypeSymbolMapping, InstrumentID: optiontest.Call}, STypeOut: dbn.STypeRawSymbol, STypeOutSymbol: "ESU5 C6000",
		Start: dbn.UndefTimestamp, End: dbn.UndefTimestamp,
	}
	rec, err := mapping.Append(nil, 3)
	if err != nil {
		t.Fatal(err)
	}
	trade := optiontest.Trade(optiontest.Call, 0, 0, nil)
	task := mustRun(t, nil, [][]byte{optiontest.File(t, m, trade, rec, trade)}, nil)
	got := task.Metrics()
	if got["records_kept"] != 1 || got["dropped_unmapped"] != 1 || got["dropped_other_record_type"] != 1 {
		t.Errorf("metrics %v", got)
	}
	if s := task.Table("trades").Column(4).(*array.String).Value(0); s != "ESU5 C6000" {
		t.Errorf("symbol %q", s)
	}
}
