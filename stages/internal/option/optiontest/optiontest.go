// Package optiontest writes raw files of a small option chain for tests. Only
// tests import it.
package optiontest

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"dag/engine/stage"
	"dag/engine/stage/stagetest"
	"dag/stages/internal/dbn"
)

// Day is the day of the files; Noon is 12:00 UTC of it.
const Day = "2025-08-04"

// Noon is 12:00 UTC of Day, 08:00 in New York.
var Noon = uint64(time.Date(2025, 8, 4, 12, 0, 0, 0, time.UTC).UnixNano())

// Instruments that the files map to symbols. NoSymbol is mapped to none; the
// definitions leave out Undefined and Odd.
const (
	Call      uint32 = 1 + iota // ESU5 C6000
	Put                         // ESU5 P6000
	Weekly                      // EW1Q5 C6000.5
	Spread                      // a user-defined spread
	Future                      // ESU5
	Foreign                     // an option on another future
	Undefined                   // ESU5 C7000
	Odd                         // a symbol without strike and right
	NoSymbol
)

var symbols = map[uint32]string{
	Call: "ESU5 C6000", Put: "ESU5 P6000", Weekly: "EW1Q5 C6000.5", Spread: "UD:1V: VT 2508041", Future: "ESU5",
	Foreign: "NQU5 C6000", Undefined: "ESU5 C7000", Odd: "ESU5 6000C",
}

// Metadata is the head of a file: the mappings of the instruments on Day.
func Metadata(schema dbn.Schema) dbn.Metadata {
	m := head(schema)
	for id := range NoSymbol {
		if s := symbols[id]; s != "" {
			m.Mappings = append(m.Mappings, mapping(id, s))
		}
	}
	return m
}

// head is that of a file without mappings.
func head(schema dbn.Schema) dbn.Metadata {
	return dbn.Metadata{Version: 3, Dataset: "GLBX.MDP3", Schema: schema, Start: Noon, End: dbn.UndefTimestamp,
		STypeIn: dbn.STypeRawSymbol, STypeOut: dbn.STypeInstrumentID}
}

func mapping(id uint32, symbol string) dbn.Mapping {
	return dbn.Mapping{RawSymbol: symbol, Intervals: []dbn.Interval{{Start: 20250804, End: 20250805, Symbol: strconv.Itoa(int(id))}}}
}

// Listed is an option of a test's own chain. One without a strike is mapped to
// its symbol, but not defined.
type Listed struct {
	Symbol string
	Strike float64
}

// Listing is a chain of a test's own: instruments 1, 2, … are its options, on
// ESU5.
type Listing []Listed

// Metadata is the head of a file with the mappings of the listing.
func (l Listing) Metadata(schema dbn.Schema) dbn.Metadata {
	m := head(schema)
	for i, o := range l {
		m.Mappings = append(m.Mappings, mapping(uint32(i+1), o.Symbol))
	}
	return m
}

// Definitions is the file of definitions of the listing.
func (l Listing) Definitions(t testing.TB) []byte {
	t.Helper()
	var records [][]byte
	for i, o := range l {
		if o.Strike != 0 {
			_, token, _ := strings.Cut(o.Symbol, " ")
			records = append(records, Definition(t, uint32(i+1), func(d *dbn.Definition) {
				d.RawSymbol, d.Underlying, d.UserDefined = o.Symbol, "ESU5", 'N'
				d.InstrumentClass, d.StrikePrice = token[0], int64(math.Round(o.Strike*1e9))
			}))
		}
	}
	return File(t, l.Metadata(dbn.SchemaDefinition), records...)
}

// File encodes records as a DBN file.
func File(t testing.TB, m dbn.Metadata, records ...[]byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := dbn.NewWriter(&out, m)
	if err != nil {
		t.Fatal(err)
	}
	for _, rec := range records {
		if err := w.Write(rec); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// Definition is the usual definition of an instrument, which edit may change.
func Definition(t testing.TB, id uint32, edit func(d *dbn.Definition)) []byte {
	t.Helper()
	d := dbn.Definition{
		Header: dbn.Header{RType: dbn.RTypeDefinition, InstrumentID: id, TsEvent: Noon - 1}, TsRecv: Noon,
		RawSymbol: symbols[id], Underlying: "ESU5", InstrumentClass: 'C', UserDefined: 'N', StrikePrice: 6000e9,
		Expiration: uint64(time.Date(2025, 9, 20, 1, 0, 0, 0, time.UTC).UnixNano()), // 2025-09-19 in New York
	}
	switch id {
	case Put:
		d.InstrumentClass = 'P'
	case Weekly:
		d.StrikePrice = 6000.5e9
	case Spread:
		d.InstrumentClass, d.UserDefined, d.StrikePrice = 'T', 'Y', dbn.UndefPrice
	case Future:
		d.InstrumentClass, d.StrikePrice = 'F', dbn.UndefPrice
	case Foreign:
		d.Underlying = "NQU5"
	}
	if edit != nil {
		edit(&d)
	}
	rec, err := d.Append(nil, 3)
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

// Definitions is the file of usual definitions.
func Definitions(t testing.TB) []byte {
	t.Helper()
	var records [][]byte
	for _, id := range []uint32{Call, Put, Weekly, Spread, Future, Foreign} {
		records = append(records, Definition(t, id, nil))
	}
	return File(t, Metadata(dbn.SchemaDefinition), records...)
}

// Trade is an ordinary trade, ts ns after Noon, which edit may change.
func Trade(id uint32, ts uint64, seq uint32, edit func(r *dbn.Trade)) []byte {
	r := dbn.Trade{
		Header: dbn.Header{RType: dbn.RTypeTrade, PublisherID: 1, InstrumentID: id, TsEvent: Noon + ts},
		Price:  12_250_000_000, Size: 3, Action: 'T', Side: 'B', TsRecv: Noon + ts, Sequence: seq,
	}
	if edit != nil {
		edit(&r)
	}
	return r.Append(nil)
}

// Quote is an ordinary quote, ts ns after Noon, which edit may change.
func Quote(id uint32, ts uint64, seq uint32, edit func(r *dbn.MBP1)) []byte {
	r := dbn.MBP1{
		Trade: dbn.Trade{
			Header: dbn.Header{RType: dbn.RTypeMBP1, PublisherID: 1, InstrumentID: id, TsEvent: Noon + ts},
			Price:  dbn.UndefPrice, Action: 'A', Side: 'B', TsRecv: Noon + ts, Sequence: seq,
		},
		Level: dbn.Level{BidPx: 12_000_000_000, AskPx: 12_500_000_000, BidSz: 7, AskSz: 9, BidCt: 1, AskCt: 2},
	}
	if edit != nil {
		edit(&r)
	}
	return r.Append(nil)
}

// Statistic is an ordinary open interest, ts ns after Noon, which edit may change.
func Statistic(t testing.TB, id uint32, ts uint64, seq uint32, edit func(r *dbn.Statistics)) []byte {
	t.Helper()
	r := dbn.Statistics{
		Header: dbn.Header{RType: dbn.RTypeStatistics, PublisherID: 1, InstrumentID: id, TsEvent: Noon + ts}, TsRecv: Noon + ts,
		TsRef: dbn.UndefTimestamp, Price: dbn.UndefPrice, Quantity: 1234, Sequence: seq, StatType: dbn.StatOpenInterest, UpdateAction: dbn.UpdateNew,
	}
	if edit != nil {
		edit(&r)
	}
	rec, err := r.Append(nil, 3)
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

// Task is a task of Day with the files of each port, named a.dbn, b.dbn, ...
// Params leave the limits of unmapped and undefined records at 1.
func Task(t testing.TB, transform stage.Transform, params stage.Params, files map[string][][]byte) *stagetest.Task {
	t.Helper()
	p := stage.Params{"max_unmapped_fraction": 1.0, "max_undefined_fraction": 1.0}
	for k, v := range params {
		p[k] = v
	}
	task := stagetest.NewTask(t, transform.Spec(), map[string]string{"root": "ES", "dt": Day}, p, nil)
	for port, list := range files {
		for i, data := range list {
			task.AddFile(port, string(rune('a'+i))+".dbn", data)
		}
	}
	return task
}

// Dump prints all rows and metrics of an output.
func Dump(task *stagetest.Task, port string) string {
	rec := task.Table(port)
	return fmt.Sprintln(task.Metrics(), rec.NumRows(), rec)
}

// CheckSums holds the metrics of a port, which begin with prefix: what is read is
// kept or dropped.
func CheckSums(t testing.TB, task *stagetest.Task, prefix string, own ...string) {
	t.Helper()
	metrics := task.Metrics()
	sum := metrics[prefix+"records_kept"]
	for _, name := range slices.Concat(own, []string{
		"other_record_type", "other_day", "unmapped", "multi_leg", "not_option", "other_underlying", "no_definition", "unparseable_symbol", "no_ts_event",
	}) {
		n, ok := metrics[prefix+"dropped_"+name]
		if !ok {
			t.Errorf("metric %sdropped_%s is missing", prefix, name)
		}
		sum += n
	}
	if read := metrics[prefix+"records_read"]; read != sum {
		t.Errorf("%d records are read, %d kept or dropped: %v", read, sum, metrics)
	}
}

// Drop is a record that a stage drops, and the metric that counts it; "" if the
// record is kept.
type Drop struct {
	Name   string
	Record []byte
	Metric string
}

// CommonDrops are the rules of instruments and days for records made by record.
func CommonDrops(record func(id uint32, tsEvent, tsRecv uint64) []byte) []Drop {
	const hour = 3600_000_000_000
	of := func(id uint32) []byte { return record(id, Noon, Noon) }
	at := func(tsRecv uint64) []byte { return record(Call, Noon, tsRecv) }
	return []Drop{
		{"call", of(Call), ""},
		{"weekly", of(Weekly), ""},
		{"no mapping", of(NoSymbol), "dropped_unmapped"},
		{"spread", of(Spread), "dropped_multi_leg"},
		{"future", of(Future), "dropped_not_option"},
		{"option on another future", of(Foreign), "dropped_other_underlying"},
		{"no definition, no parseable symbol", of(Odd), "dropped_unparseable_symbol"},
		{"received the day before", at(Noon - 12*hour - 1), "dropped_other_day"},
		{"received at midnight", at(Noon - 12*hour), ""},
		{"received the last ns", at(Noon + 12*hour - 1), ""},
		{"received the day after", at(Noon + 12*hour), "dropped_other_day"},
		{"no receive time", at(dbn.UndefTimestamp), "dropped_other_day"},
		{"event beyond int64", record(Call, math.MaxInt64+1, Noon), "dropped_no_ts_event"},
	}
}
