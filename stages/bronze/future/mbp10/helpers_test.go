package mbp10

import (
	"bytes"
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"dag/engine/stage"
	"dag/engine/stage/stagetest"
	"dag/stages/internal/dbn"
)

const (
	testDay = "2025-08-04"
	nextDay = 20250805

	idU5, idZ5, idSpread, idOption, idUnknown = 1, 2, 3, 4, 99
)

// noon is 12:00 UTC of testDay.
var noon = uint64(time.Date(2025, 8, 4, 12, 0, 0, 0, time.UTC).UnixNano())

// mappings name the instruments of testDay.
func mappings(names map[string]string) []dbn.Mapping {
	var out []dbn.Mapping
	for symbol, id := range names {
		out = append(out, dbn.Mapping{RawSymbol: symbol, Intervals: []dbn.Interval{{Start: 20250804, End: nextDay, Symbol: id}}})
	}
	return out
}

func usual() map[string]string {
	return map[string]string{"ESU5": "1", "ESZ5": "2", "ESU5-ESZ5": "3", "ESU5 C6000": "4"}
}

func metadata(schema dbn.Schema, names map[string]string) dbn.Metadata {
	return dbn.Metadata{Version: 2, Dataset: "GLBX.MDP3", Schema: schema, Start: noon, End: dbn.UndefTimestamp,
		STypeIn: dbn.STypeRawSymbol, STypeOut: dbn.STypeInstrumentID, Mappings: mappings(names)}
}

// file encodes records as a DBN file.
func file(t testing.TB, m dbn.Metadata, records ...[]byte) []byte {
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

// event is an ordinary record of ESU5 that edit may change. seq tells it apart.
func event(seq uint32, edit func(m *dbn.MBP10)) []byte {
	m := dbn.MBP10{Trade: dbn.Trade{
		Header: dbn.Header{RType: dbn.RTypeMBP10, PublisherID: 1, InstrumentID: idU5, TsEvent: noon},
		Price:  6300_250_000_000, Size: 1, Action: 'A', Side: 'B', TsRecv: noon + 1000, Sequence: seq,
	}}
	for i := range m.Levels {
		step := int64(i) * 250_000_000
		m.Levels[i] = dbn.Level{BidPx: 6300_000_000_000 - step, AskPx: 6300_250_000_000 + step, BidSz: 10, AskSz: 11, BidCt: 2, AskCt: 3}
	}
	if edit != nil {
		edit(&m)
	}
	return m.Append(nil)
}

// best sets the best prices.
func best(bid, ask int64) func(m *dbn.MBP10) {
	return func(m *dbn.MBP10) { m.Levels[0].BidPx, m.Levels[0].AskPx = bid, ask }
}

func newTask(t testing.TB, params stage.Params, files ...[]byte) *stagetest.Task {
	t.Helper()
	return newTaskOf(t, testDay, params, files...)
}

func newTaskOf(t testing.TB, dt string, params stage.Params, files ...[]byte) *stagetest.Task {
	t.Helper()
	task := stagetest.NewTask(t, New().Spec(), map[string]string{"root": "ES", "dt": dt}, params, nil)
	for i, data := range files {
		task.AddFile("dbn", string(rune('a'+i))+".dbn", data)
	}
	return task
}

func run(t testing.TB, params stage.Params, files ...[]byte) *stagetest.Task {
	t.Helper()
	task := newTask(t, params, files...)
	if err := New().Run(t.Context(), task); err != nil {
		t.Fatal(err)
	}
	return task
}

// longs returns an int64 column of a contract.
func longs(task *stagetest.Task, symbol, column string) []int64 {
	rec := task.Table("events", symbol)
	return rec.Column(rec.Schema().FieldIndices(column)[0]).(*array.Int64).Int64Values()
}

// batchSizes are the rows of the batches a contract was written in.
func batchSizes(records []arrow.Record) []int64 {
	var out []int64
	for _, rec := range records {
		out = append(out, rec.NumRows())
	}
	return out
}
