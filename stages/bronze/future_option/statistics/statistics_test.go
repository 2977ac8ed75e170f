package statistics

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"dag/engine/stage"
	"dag/engine/stage/stagetest"
	"dag/stages/internal/dbn"
	"dag/stages/internal/option/optiontest"
)

type files = map[string][][]byte

func statisticsFile(t testing.TB, records ...[]byte) [][]byte {
	t.Helper()
	return [][]byte{optiontest.File(t, optiontest.Metadata(dbn.SchemaStatistics), records...)}
}

func mustRun(t testing.TB, params stage.Params, f files) *stagetest.Task {
	t.Helper()
	if f["definitions"] == nil {
		f["definitions"] = [][]byte{optiontest.Definitions(t)}
	}
	task := optiontest.Task(t, New(), params, f)
	if err := New().Run(t.Context(), task); err != nil {
		t.Fatal(err)
	}
	return task
}

// rows prints the output without its times, row by row.
func rows(task *stagetest.Task) []string {
	rec := task.Table("statistics")
	var out []string
	for row := range int(rec.NumRows()) {
		var line []string
		for _, c := range rec.Columns()[2:] {
			line = append(line, c.ValueStr(row))
		}
		out = append(out, strings.Join(line, " "))
	}
	return out
}

func TestRow(t *testing.T) {
	task := mustRun(t, nil, files{"statistics": statisticsFile(t, optiontest.Statistic(t, optiontest.Weekly, 10, 5, func(r *dbn.Statistics) { r.TsRecv += 7 }))})
	rec := task.Table("statistics")
	if event, recv := rec.Column(0).ValueStr(0), rec.Column(1).ValueStr(0); event != fmt.Sprint(optiontest.Noon+10) || recv != fmt.Sprint(optiontest.Noon+17) {
		t.Errorf("times %s and %s", event, recv)
	}
	if got, want := rows(task), []string{"DATABENTO_CME ES EW1Q5 C6000.5 2025-09-19 6000.5 C 1234"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestDropRules sends one record through each rule beside one that stays.
func TestDropRules(t *testing.T) {
	statistic := func(edit func(r *dbn.Statistics)) []byte {
		return optiontest.Statistic(t, optiontest.Call, 0, 7, edit)
	}
	drops := append(optiontest.CommonDrops(func(id uint32, tsEvent, tsRecv uint64) []byte {
		return optiontest.Statistic(t, id, 0, 7, func(r *dbn.Statistics) { r.TsEvent, r.TsRecv = tsEvent, tsRecv })
	}), []optiontest.Drop{
		{Name: "no definition", Record: optiontest.Statistic(t, optiontest.Undefined, 0, 7, nil)},
		{Name: "other record", Record: optiontest.Trade(optiontest.Call, 0, 7, nil), Metric: "dropped_other_record_type"},
		{Name: "settlement", Record: statistic(func(r *dbn.Statistics) { r.StatType = dbn.StatSettlement }), Metric: "dropped_not_open_interest"},
		{Name: "withdrawn", Record: statistic(func(r *dbn.Statistics) { r.UpdateAction = dbn.UpdateDelete }), Metric: "dropped_deleted"},
		{Name: "no quantity", Record: statistic(func(r *dbn.Statistics) { r.Quantity = dbn.UndefQuantity }), Metric: "dropped_no_quantity"},
		{Name: "none open", Record: statistic(func(r *dbn.Statistics) { r.Quantity = 0 })},
	}...)
	for _, c := range drops {
		task := mustRun(t, nil, files{"statistics": statisticsFile(t, optiontest.Statistic(t, optiontest.Put, 0, 1, nil), c.Record)})
		n := int64(2)
		if c.Metric != "" {
			n = 1
			if n := task.Metrics()[c.Metric]; n != 1 {
				t.Errorf("%s: %s is %d, want 1", c.Name, c.Metric, n)
			}
		}
		if got := task.Table("statistics").NumRows(); got != n {
			t.Errorf("%s: %d rows, want %d", c.Name, got, n)
		}
		optiontest.CheckSums(t, task, "", "not_open_interest", "deleted", "no_quantity")
	}
}

// TestWithoutDefinitions takes strike and right from symbols, and no expiry, if it
// is told to. EW1Q5 need not be of ES: nothing tells.
func TestWithoutDefinitions(t *testing.T) {
	none := optiontest.File(t, optiontest.Metadata(dbn.SchemaDefinition))
	var records [][]byte
	for i, id := range []uint32{optiontest.Weekly, optiontest.Put, optiontest.Odd, optiontest.Spread} {
		records = append(records, optiontest.Statistic(t, id, uint64(i), 0, nil))
	}
	f := files{"statistics": statisticsFile(t, records...), "definitions": {none}}
	err := New().Run(t.Context(), optiontest.Task(t, New(), nil, f))
	if err == nil || !strings.Contains(err.Error(), "define 0 instruments") || !strings.Contains(err.Error(), "without_definitions = true") {
		t.Errorf("error %v", err)
	}
	task := mustRun(t, stage.Params{"without_definitions": true}, f)
	want := []string{"DATABENTO_CME ES ESU5 P6000 (null) 6000 P 1234"}
	if got := rows(task); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	m := task.Metrics()
	if m["rows_without_exp_date"] != 1 || m["dropped_no_definition"] != 1 || m["dropped_unparseable_symbol"] != 1 || m["dropped_multi_leg"] != 1 || m["definitions_instruments"] != 0 {
		t.Errorf("metrics %v", m)
	}
}

// TestNothingOfTheDay has neither definitions nor statistics: no rows.
func TestNothingOfTheDay(t *testing.T) {
	none := optiontest.File(t, optiontest.Metadata(dbn.SchemaDefinition))
	task := mustRun(t, nil, files{"statistics": statisticsFile(t), "definitions": {none}})
	if n := task.Table("statistics").NumRows(); n != 0 {
		t.Errorf("%d rows", n)
	}
}

// TestSomeDefinitions takes from symbols what the definitions of others bear out:
// the scale of strikes, and that weekly options are on a future of the root.
func TestSomeDefinitions(t *testing.T) {
	hundredth := func(d *dbn.Definition) { d.StrikePrice /= 100 }
	define := func(id uint32, edit func(d *dbn.Definition)) []byte { return optiontest.Definition(t, id, edit) }
	otherWeekly := define(optiontest.Weekly, func(d *dbn.Definition) { d.InstrumentID, d.RawSymbol, d.StrikePrice = 99, "EW1Q5 C7000", 7000e9 })
	var records [][]byte
	for i, id := range []uint32{optiontest.Undefined, optiontest.Weekly, optiontest.Foreign} {
		records = append(records, optiontest.Statistic(t, id, uint64(i), 0, nil))
	}
	future, weekly := "DATABENTO_CME ES ESU5 C7000 (null) 7000 C 1234", "DATABENTO_CME ES EW1Q5 C6000.5 (null) 6000.5 C 1234"
	for _, c := range []struct {
		name        string
		definitions [][]byte
		want        []string
	}{
		{"price units", [][]byte{define(optiontest.Call, nil)}, []string{future}},
		{"price units, the series too", [][]byte{define(optiontest.Call, nil), otherWeekly}, []string{future, weekly}},
		{"hundredths", [][]byte{define(optiontest.Call, hundredth), define(optiontest.Weekly, func(d *dbn.Definition) { d.InstrumentID = 99; hundredth(d) })},
			[]string{"DATABENTO_CME ES ESU5 C7000 (null) 70 C 1234", "DATABENTO_CME ES EW1Q5 C6000.5 (null) 60.005 C 1234"}},
		{"hundredths of one strike alone", [][]byte{define(optiontest.Call, hundredth), define(optiontest.Put, hundredth)}, nil},
		{"no scale for all", [][]byte{define(optiontest.Call, hundredth), define(optiontest.Put, nil)}, nil},
		{"none to compare", [][]byte{define(optiontest.Future, nil)}, []string{future}},
	} {
		f := files{"statistics": statisticsFile(t, records...), "definitions": {optiontest.File(t, optiontest.Metadata(dbn.SchemaDefinition), c.definitions...)}}
		if c.want == nil {
			err := New().Run(t.Context(), optiontest.Task(t, New(), nil, f))
			if err == nil || !strings.Contains(err.Error(), "3 of options nothing defines") {
				t.Errorf("%s: error %v", c.name, err)
			}
			continue
		}
		task := mustRun(t, nil, f)
		if got := rows(task); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
		if n, want := task.Metrics()["dropped_no_definition"], int64(3-len(c.want)); n != want {
			t.Errorf("%s: %d without a definition, want %d", c.name, n, want)
		}
	}
}

// TestUnparseable names the first symbol that tells no strike.
func TestUnparseable(t *testing.T) {
	f := files{"statistics": statisticsFile(t, optiontest.Statistic(t, optiontest.Odd, 0, 0, nil)), "definitions": {optiontest.Definitions(t)}}
	task := optiontest.Task(t, New(), stage.Params{"max_undefined_fraction": 0.5}, f)
	err := New().Run(t.Context(), task)
	if err == nil || !strings.Contains(err.Error(), `"ESU5 6000C" (instrument 8)`) {
		t.Errorf("error %v", err)
	}
	if n := task.Metrics()["dropped_unparseable_symbol"]; n != 1 {
		t.Errorf("%d records are counted", n)
	}
}

// TestVersions reads the smaller quantities of versions 1 and 2.
func TestVersions(t *testing.T) {
	for _, version := range []uint8{1, 2} {
		m := optiontest.Metadata(dbn.SchemaStatistics)
		m.Version = version
		var records [][]byte
		for i, quantity := range []int64{77, dbn.UndefQuantity} {
			s := dbn.Statistics{
				Header: dbn.Header{RType: dbn.RTypeStatistics, InstrumentID: optiontest.Call, TsEvent: optiontest.Noon}, TsRecv: optiontest.Noon,
				Sequence: uint32(i), Quantity: quantity, StatType: dbn.StatOpenInterest, UpdateAction: dbn.UpdateNew,
			}
			rec, err := s.Append(nil, version)
			if err != nil {
				t.Fatal(err)
			}
			records = append(records, rec)
		}
		task := mustRun(t, nil, files{"statistics": {optiontest.File(t, m, records...)}})
		if got, want := rows(task), []string{"DATABENTO_CME ES ESU5 C6000 2025-09-19 6000 C 77"}; !slices.Equal(got, want) {
			t.Errorf("version %d: got %q, want %q", version, got, want)
		}
	}
}

// TestOrder is by time, sequence, symbol, and input, whatever the memory.
func TestOrder(t *testing.T) {
	var records [][]byte
	for i := range uint32(3000) {
		records = append(records, optiontest.Statistic(t, []uint32{optiontest.Weekly, optiontest.Put, optiontest.Call}[i%3], uint64(i*7919%50), i%2, func(r *dbn.Statistics) { r.Quantity = int64(i) }))
	}
	f := files{"statistics": statisticsFile(t, records...)}
	whole := mustRun(t, nil, f)
	if optiontest.Dump(mustRun(t, stage.Params{"sort_memory": int64(64 << 10)}, f), "statistics") != optiontest.Dump(whole, "statistics") {
		t.Error("the rows depend on the memory")
	}
	few := files{"statistics": statisticsFile(t,
		optiontest.Statistic(t, optiontest.Weekly, 5, 1, func(r *dbn.Statistics) { r.Quantity = 6 }),
		optiontest.Statistic(t, optiontest.Put, 5, 1, func(r *dbn.Statistics) { r.Quantity = 4 }),
		optiontest.Statistic(t, optiontest.Put, 5, 1, func(r *dbn.Statistics) { r.Quantity = 5 }),
		optiontest.Statistic(t, optiontest.Call, 5, 1, func(r *dbn.Statistics) { r.Quantity = 3 }),
		optiontest.Statistic(t, optiontest.Weekly, 5, 0, func(r *dbn.Statistics) { r.Quantity = 2 }),
		optiontest.Statistic(t, optiontest.Weekly, 4, 9, func(r *dbn.Statistics) { r.Quantity = 1 }),
	)}
	if got, want := rows(mustRun(t, nil, few)), []string{" 1", " 2", " 3", " 4", " 5", " 6"}; !slices.EqualFunc(got, want, strings.HasSuffix) {
		t.Errorf("got %q, want quantities %q", got, want)
	}
}
