package mbp10

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"pgregory.net/rapid"

	"dag/stages/internal/dbn"
)

// avroType prints a column's type as a contract has it.
func avroType(f arrow.Field) string {
	t := map[arrow.Type]string{
		arrow.INT64: `"long"`, arrow.INT32: `"int"`, arrow.FLOAT64: `"double"`, arrow.STRING: `"string"`, arrow.BOOL: `"boolean"`,
	}[f.Type.ID()]
	if f.Nullable {
		return `["null",` + t + `]`
	}
	return t
}

func TestSchemasEqualContracts(t *testing.T) {
	for _, c := range []struct {
		path, name string
		schema     *arrow.Schema
		fields     int
	}{
		{"bronze/future/market_by_price_10", "com.marketdata.bronze.MarketByPrice10", BronzeSchema(), 77},
		{"silver/future/market_by_price_10", "com.marketdata.silver.MarketByPrice10Clean", SilverSchema(), 78},
		{"silver/future/market_by_price_10_session_levels", "com.marketdata.silver.MarketByPrice10SessionLevels", LevelsSchema(), 82},
	} {
		data, err := os.ReadFile(filepath.Join("../../../contracts", c.path+".avsc"))
		if err != nil {
			t.Fatal(err)
		}
		var avro struct {
			Name, Namespace string
			Fields          []struct {
				Name, Doc string
				Type      any
			}
		}
		if err := json.Unmarshal(data, &avro); err != nil {
			t.Fatal(err)
		}
		if name := avro.Namespace + "." + avro.Name; name != c.name {
			t.Errorf("%s is named %s", c.path, name)
		}
		if len(avro.Fields) != c.fields || c.schema.NumFields() != c.fields {
			t.Fatalf("%s has %d fields and its schema %d; want %d", c.path, len(avro.Fields), c.schema.NumFields(), c.fields)
		}
		for i, f := range c.schema.Fields() {
			got := avro.Fields[i]
			kind, err := json.Marshal(got.Type)
			if err != nil {
				t.Fatal(err)
			}
			if got.Name != f.Name || string(kind) != avroType(f) {
				t.Errorf("%s: field %d is %s %s, the schema has %s %s", c.path, i+1, got.Name, kind, f.Name, avroType(f))
			}
			if got.Doc == "" {
				t.Errorf("%s: %s has no documentation", c.path, got.Name)
			}
		}
	}
}

func newYork(t *testing.T) *NewYork {
	t.Helper()
	ny, err := NewNewYork()
	if err != nil {
		t.Fatal(err)
	}
	return ny
}

func TestStamp(t *testing.T) {
	ny := newYork(t)
	for _, c := range []struct {
		ns   int64
		want string
	}{
		{1749126600000000500, "2025-06-05T08:30:00.000000-04:00"}, // the example of spec 03 §1
		{1749126599999999999, "2025-06-05T08:29:59.999999-04:00"},
		{-1, "1969-12-31T18:59:59.999999-05:00"},
		{1741503599999999999, "2025-03-09T01:59:59.999999-05:00"}, // the last moment before spring forward
		{1741503600000000000, "2025-03-09T03:00:00.000000-04:00"},
		{1762061400000000000, "2025-11-02T01:30:00.000000-04:00"},
		{1762065000000000000, "2025-11-02T01:30:00.000000-05:00"},
		{math.MaxInt64, "2262-04-11T19:47:16.854775-04:00"},
	} {
		got := make([]byte, StampSize)
		ny.Stamp(got, c.ns)
		if string(got) != c.want {
			t.Errorf("%d: got %s, want %s", c.ns, got, c.want)
		}
	}
}

// TestNewYorkAgreesWithTime holds times in any order to those of the library.
func TestNewYorkAgreesWithTime(t *testing.T) {
	ny := newYork(t)
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	from := time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC).UnixNano()
	rapid.Check(t, func(rt *rapid.T) {
		base := rapid.Int64Range(from, math.MaxInt64-int64(100*time.Hour)).Draw(rt, "base")
		for range 4 {
			ns := base + rapid.Int64Range(0, int64(100*time.Hour)).Draw(rt, "later")
			at := time.Unix(0, ns).In(zone)
			got := make([]byte, StampSize)
			ny.Stamp(got, ns)
			if want := at.Format("2006-01-02T15:04:05.000000-07:00"); string(got) != want {
				rt.Fatalf("%d: got %s, want %s", ns, got, want)
			}
			day, clock := ny.Local(ns)
			wantDay, err := Day(at.Format(time.DateOnly))
			if err != nil {
				rt.Fatal(err)
			}
			h, m, s := at.Clock()
			wantClock := int64(h*3600+m*60+s)*int64(time.Second) + int64(at.Nanosecond())
			if day != wantDay || clock != wantClock {
				rt.Fatalf("%d: day %d and clock %d, want %d and %d", ns, day, clock, wantDay, wantClock)
			}
		}
	})
}

func TestDayRefusesOtherText(t *testing.T) {
	for _, s := range []string{"", "20250804", "2025-8-4", "2025-02-30", "2025-08-04T00"} {
		if _, err := Day(s); err == nil {
			t.Errorf("%q is taken for a date", s)
		}
	}
}

// randomRecord draws a record in which each price may be undefined.
func randomRecord(rt *rapid.T) dbn.MBP10 {
	price := rapid.OneOf(rapid.Just(dbn.UndefPrice), rapid.Int64Range(math.MinInt64, math.MaxInt64-1))
	m := dbn.MBP10{Trade: dbn.Trade{
		Header: dbn.Header{RType: dbn.RTypeMBP10, PublisherID: rapid.Uint16().Draw(rt, "publisher"), InstrumentID: rapid.Uint32().Draw(rt, "instrument"), TsEvent: uint64(rapid.Int64Min(0).Draw(rt, "event"))},
		Price:  price.Draw(rt, "price"), Size: rapid.Uint32().Draw(rt, "size"),
		Action: rapid.SampledFrom([]byte("ACMRTFN")).Draw(rt, "action"), Side: rapid.SampledFrom([]byte("ABN")).Draw(rt, "side"),
		Flags: rapid.Byte().Draw(rt, "flags"), Depth: rapid.Byte().Draw(rt, "depth"),
		TsRecv: uint64(rapid.Int64Min(0).Draw(rt, "recv")), Sequence: rapid.Uint32().Draw(rt, "sequence"),
	}}
	shared := dbn.Level{
		BidPx: price.Draw(rt, "bid"), AskPx: price.Draw(rt, "ask"), BidSz: rapid.Uint32().Draw(rt, "bidsz"),
		AskSz: rapid.Uint32().Draw(rt, "asksz"), BidCt: rapid.Uint32().Draw(rt, "bidct"), AskCt: rapid.Uint32().Draw(rt, "askct"),
	}
	for i := range m.Levels {
		m.Levels[i] = shared
		m.Levels[i].BidSz += uint32(i)
		m.Levels[i].AskCt -= uint32(i)
		if i%3 == 1 {
			m.Levels[i].AskPx = dbn.UndefPrice
		}
	}
	return m
}

// row prints a record as cells in the order of BronzeSchema, null as "".
func row(m dbn.MBP10, symbol string) []string {
	px := func(v int64) string {
		if v == dbn.UndefPrice {
			return ""
		}
		return fmt.Sprint(v)
	}
	out := []string{
		fmt.Sprint(m.TsRecv), fmt.Sprint(m.Flags), fmt.Sprint(m.TsEvent), "10", fmt.Sprint(m.Sequence), fmt.Sprint(m.PublisherID),
		fmt.Sprint(m.InstrumentID), string(rune(m.Action)), string(rune(m.Side)), fmt.Sprint(m.Depth), px(m.Price), fmt.Sprint(m.Size),
	}
	for _, l := range m.Levels {
		out = append(out, px(l.BidPx), px(l.AskPx), fmt.Sprint(l.BidSz), fmt.Sprint(l.AskSz), fmt.Sprint(l.BidCt), fmt.Sprint(l.AskCt))
	}
	flag := func(bit byte) string { return fmt.Sprint(m.Flags&bit != 0) }
	return append(out, symbol, flag(dbn.FlagLast), flag(dbn.FlagSnapshot), flag(dbn.FlagBadTS), flag(dbn.FlagBadBook))
}

// TestBuilder appends random records in blocks of any size to batches of any
// size, and finds each of them in its row.
func TestBuilder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		size := rapid.IntRange(1, 70).Draw(rt, "rows of a batch")
		b := NewBuilder(size)
		b.SetSymbol("ESU5")
		records := rapid.SliceOfN(rapid.Custom(randomRecord), 1, 8).Draw(rt, "records")
		total := rapid.IntRange(1, 150).Draw(rt, "total")
		done := 0
		check := func() {
			rec := b.Take()
			defer rec.Release()
			for i := range int(rec.NumRows()) {
				want := row(records[done%len(records)], "ESU5")
				for c, cell := range want {
					col := rec.Column(c)
					if got := col.ValueStr(i); col.IsNull(i) != (cell == "") || cell != "" && got != cell {
						rt.Fatalf("row %d, column %s: got %s, want %q", done, rec.ColumnName(c), got, cell)
					}
				}
				done++
			}
		}
		var raw []byte
		for i := range total {
			raw = records[i%len(records)].Append(raw)
		}
		for len(raw) > 0 {
			block := raw[:min(len(raw), rapid.IntRange(1, 90).Draw(rt, "block")*RecordSize)]
			raw = raw[len(block):]
			for len(block) > 0 {
				if block = b.Append(block); b.Rows() == size {
					check()
				}
			}
		}
		check()
		if done != total {
			rt.Fatalf("%d rows for %d records", done, total)
		}
	})
}

func TestBuilderCountsNulls(t *testing.T) {
	b := NewBuilder(16)
	b.SetSymbol("ESU5")
	m := dbn.MBP10{Trade: dbn.Trade{Header: dbn.Header{RType: dbn.RTypeMBP10}, Price: dbn.UndefPrice, Action: 'R', Side: 'N'}}
	for _, c := range []struct {
		price       int64
		rows, nulls int
	}{{dbn.UndefPrice, 3, 3}, {1, 5, 0}, {dbn.UndefPrice, 2, 2}} { // no batch sees the nulls of the one before
		m.Price = c.price
		var raw []byte
		for range c.rows {
			raw = m.Append(raw)
		}
		b.Append(raw)
		rec := b.Take()
		price := rec.Column(colPrice).(*array.Int64)
		if price.NullN() != c.nulls || price.Len() != c.rows {
			t.Errorf("%d nulls in %d rows, want %d in %d", price.NullN(), price.Len(), c.nulls, c.rows)
		}
		if c.nulls > 0 && price.Value(0) != 0 {
			t.Errorf("%d lies below a null instead of 0", price.Value(0))
		}
		rec.Release()
	}
}

func TestAppendAllocatesNothing(t *testing.T) {
	b := NewBuilder(1024)
	b.SetSymbol("ESU5")
	m := dbn.MBP10{Trade: dbn.Trade{Header: dbn.Header{RType: dbn.RTypeMBP10}, Price: dbn.UndefPrice, Action: 'A', Side: 'B'}}
	raw := m.Append(nil)
	if n := testing.AllocsPerRun(500, func() { b.Append(raw) }); n != 0 {
		t.Errorf("%v allocations for a record", n)
	}
}
