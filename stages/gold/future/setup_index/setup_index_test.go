package setupindex

import (
	"fmt"
	"maps"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"dag/engine/contract"
	"dag/engine/stage"
	"dag/engine/stage/stagetest"
	format "dag/stages/internal/setupindex"
)

func TestFixtures(t *testing.T) { stagetest.Run(t, New()) }

// TestContracts holds the schemas of the code to the contracts.
func TestContracts(t *testing.T) {
	out := New().Spec().Outputs[0]
	schemas := map[string]*arrow.Schema{"setup_index": out.Schema}
	for _, x := range out.Tables {
		schemas["setup_index_"+x.Name] = x.Schema
	}
	for name, schema := range schemas {
		path := "contracts/gold/future/" + name + ".avsc"
		data, err := os.ReadFile("../../../../" + path)
		if err != nil {
			t.Fatal(err)
		}
		c, mistakes := contract.Parse(path, data)
		if len(mistakes) > 0 {
			t.Fatal(mistakes)
		}
		for _, d := range contract.Compare(c.Schema, schema) {
			t.Errorf("%s: %s", name, d)
		}
	}
}

// setup is a record of set-ups whose columns of text and lists are given.
func setups(t *testing.T, n int, change func(i int, s *format.Setup)) arrow.Record {
	t.Helper()
	w := &collector{}
	rows := make([]format.Setup, n)
	for i := range rows {
		s := &rows[i]
		s.EpisodeID, s.Date, s.Symbol, s.Level = fmt.Sprintf("e%03d", i), "2025-08-04", "ESU5", "pm_high"
		s.Direction, s.Outcome, s.Front, s.Trigger = 1, "BREAK", true, int64(i)
		s.Vector = make([]float64, 256)
		change(i, s)
	}
	if err := format.Write(w, format.SetupColumns(), rows); err != nil {
		t.Fatal(err)
	}
	table := array.NewTableFromRecords(format.Schema(format.SetupColumns()), w.records)
	defer table.Release()
	cols := make([]arrow.Array, table.NumCols())
	for i := range cols {
		var err error
		if cols[i], err = array.Concatenate(table.Column(i).Data().Chunks(), memory.DefaultAllocator); err != nil {
			t.Fatal(err)
		}
	}
	return array.NewRecord(table.Schema(), cols, table.NumRows())
}

type collector struct{ records []arrow.Record }

func (c *collector) Write(rec arrow.Record) error {
	rec.Retain()
	c.records = append(c.records, rec)
	return nil
}
func (c *collector) Close() error { return nil }

func run(t *testing.T, params stage.Params, rec arrow.Record) error {
	t.Helper()
	task := stagetest.NewTask(t, New().Spec(), map[string]string{"root": "ES"}, params, map[string][]arrow.Record{"vectors": {rec}})
	return New().Run(t.Context(), task)
}

// TestValuesThatAreNone: infinite values and NaN are refused with the episode and
// the feature (G-11).
func TestValuesThatAreNone(t *testing.T) {
	for text, v := range map[string]float64{"+Inf": math.Inf(1), "-Inf": math.Inf(-1), "NaN": math.NaN()} {
		err := run(t, nil, setups(t, 1, func(_ int, s *format.Setup) { s.Vector[47] = v }))
		if want := "the vector of episode e000 has " + text + " at 47 ("; err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %q", v, err, want)
		}
	}
}

// TestOneClass: an index of nearly one class is not published, unless that may be
// chance.
func TestOneClass(t *testing.T) {
	most := func(n, breaks int) arrow.Record {
		return setups(t, n, func(i int, s *format.Setup) {
			if i >= breaks {
				s.Outcome = "REJECT"
			}
		})
	}
	twoLevels := setups(t, 150, func(i int, s *format.Setup) {
		if s.Outcome = []string{"BREAK", "REJECT"}[i%2]; i >= 100 {
			s.Level, s.Outcome = "pm_low", "CHOP"
		}
	})
	for want, rec := range map[string]arrow.Record{
		"36 of 50 outcomes at pm_high are BREAK":    most(50, 36), // lower end 60.6 %
		"50 of 50 outcomes at pm_low are CHOP":      twoLevels,
		"626 of 1000 outcomes at pm_high are BREAK": most(1000, 626), // 60.05 %
	} {
		if err := run(t, nil, rec); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "raise max_class_share") {
			t.Errorf("%v, want %q", err, want)
		}
	}
	for _, c := range []struct {
		name   string
		params stage.Params
		rec    arrow.Record
		above  int64
	}{
		{"60 %", nil, most(50, 30), 0},
		{"62 %", nil, most(50, 31), 1},
		{"70 %, lower end 58.5 %", nil, most(50, 35), 1},
		{"more than 60 % of many, lower end 59.95 %", nil, most(1000, 625), 1},
		{"too few to say", nil, most(49, 49), 1},
		{"allowed", stage.Params{"max_class_share": 1.0}, most(50, 50), 0},
	} {
		task := stagetest.NewTask(t, New().Spec(), map[string]string{"root": "ES"}, c.params, map[string][]arrow.Record{"vectors": {c.rec}})
		if err := New().Run(t.Context(), task); err != nil || task.Metrics()["shares_above_max_class_share"] != c.above {
			t.Errorf("%s: %v, metrics %v", c.name, err, task.Metrics())
		}
	}
}

// TestChains: triggers less than 22 minutes apart belong together, directly or
// through others, on both sides of a level; contracts and days are apart.
func TestChains(t *testing.T) {
	g := gathering{}
	for _, e := range []struct {
		id, symbol, date string
		minute           int64
		direction        int64
	}{
		{"a", "ESU5", "2025-08-04", 0, 1}, {"b", "ESU5", "2025-08-04", 10, -1}, {"c", "ESU5", "2025-08-04", 31, 1},
		{"d", "ESU5", "2025-08-04", 53, 1}, // exactly 22 minutes later
		{"e", "ESZ5", "2025-08-04", 11, 1}, {"f", "ESU5", "2025-08-05", 54, 1},
	} {
		g.episodes = append(g.episodes, format.Episode{EpisodeID: e.id, Symbol: e.symbol, Date: e.date, Level: "pm_high", Trigger: e.minute * int64(time.Minute), Direction: e.direction})
	}
	if err := g.order(22); err != nil {
		t.Fatal(err)
	}
	chains := map[string]int64{}
	for _, e := range g.episodes {
		chains[e.EpisodeID] = e.Chain
	}
	if want := map[string]int64{"a": 0, "b": 0, "c": 0, "d": 1, "f": 2, "e": 3}; !maps.Equal(chains, want) {
		t.Errorf("chains %v, want %v", chains, want)
	}
}
