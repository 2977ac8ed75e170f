package config

import (
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"dag/engine/calendar"
	"dag/engine/stage"
)

// shipped loads the pipelines of the product beside transforms and contracts
// that have its names only.
func shipped(t *testing.T, vars map[string]string) *Config {
	t.Helper()
	contracts := fstest.MapFS{}
	for _, name := range []string{
		"bronze/future/market_by_price_10", "silver/future/market_by_price_10", "silver/future/market_by_price_10_session_levels",
		"silver/future/market_by_price_10_bar5s", "silver/future/market_by_price_10_level_approach2m",
	} {
		contracts[name+".avsc"] = &fstest.MapFile{Data: []byte(`{"type":"record","name":"R","fields":[{"name":"ts_event","type":"long"},{"name":"bar_ts","type":"long"}]}`)}
	}
	semantics := stage.Param{Name: "semantics", Type: stage.String, Default: "corrected"}
	in := func(names ...string) (ports []stage.Input) {
		for _, n := range names {
			ports = append(ports, stage.Input{Name: n, Raw: n == "dbn"})
		}
		return ports
	}
	out := func(name string) []stage.Output { return []stage.Output{{Name: name, FanOut: false}} }
	return mustLoad(t, Options{
		Pipelines: os.DirFS("../../pipelines"), Contracts: contracts, Vars: vars,
		Transforms: []stage.Transform{
			declared{Name: "bronze.future.mbp10", Inputs: in("dbn"), Outputs: []stage.Output{{Name: "events", FanOut: true}}},
			declared{Name: "silver.future.mbp10", Inputs: in("events"), Outputs: out("events")},
			declared{Name: "silver.future.session_levels", Inputs: in("events"), Outputs: out("events"), Params: []stage.Param{semantics}},
			declared{Name: "silver.future.first4h", Inputs: in("events"), Outputs: out("events")},
			declared{Name: "silver.future.bar5s", Inputs: in("events"), Outputs: out("bars"), Params: []stage.Param{semantics}},
			declared{Name: "silver.future.level_approach2m", Inputs: in("bars", "levels"), Outputs: out("approach"), Params: []stage.Param{semantics, {Name: "level", Type: stage.String}}},
		},
	})
}

func TestShippedPipelines(t *testing.T) {
	c := shipped(t, map[string]string{"semantics": "reference"})
	if c.LakeRoot != "lake" {
		t.Errorf("lake root is %q", c.LakeRoot)
	}
	keys := map[string]string{"root": "ES", "symbol": "ESU5", "dt": "2025-06-05"}
	var got []string
	for _, d := range c.Datasets {
		folder, err := d.Folder(keys)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, folder)
	}
	silver := "silver/product_type=future/symbol=ESU5/table=market_by_price_10%s/dt=2025-06-05"
	want := []string{"bronze/source=databento/product_type=future/symbol=ESU5/table=market_by_price_10/dt=2025-06-05",
		"raw/source=databento/product_type=future/symbol=ES/table=market_by_price_10_dbn"}
	for _, table := range []string{"", "_bar5s", "_first4h", "_or_high_approach2m", "_or_low_approach2m", "_pm_high_approach2m", "_pm_low_approach2m", "_session_levels"} {
		want = append(want, fmt.Sprintf(silver, table))
	}
	if !slices.Equal(got, want) {
		t.Errorf("folders are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	approach := c.stage(t, `approach["or_low"]`)
	if got := approach.ParamsText(); got != `{"level":"or_low","semantics":"reference"}` {
		t.Errorf("params are %s", got)
	}
	if got := keyNames(c.stage(t, "ingest_mbp10").UnitKeys()); !slices.Equal(got, []string{"root", "dt"}) {
		t.Errorf("the units of ingest are %v", got)
	}
	for symbol, root := range map[string]string{"ESU5": "ES", "6EZ25": "6E", "MESH26": "MES", "GCG6": "GC"} {
		if got := approach.Outputs[0].To.Values(map[string]string{"symbol": symbol})["root"]; got != root {
			t.Errorf("the root of %s is %q, want %q", symbol, got, root)
		}
	}
}

func TestShippedPipelinesAreFormatted(t *testing.T) {
	err := fs.WalkDir(os.DirFS("../../pipelines"), ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(name, ".hcl") {
			return err
		}
		text, err := os.ReadFile("../../pipelines/" + name)
		if err != nil {
			return err
		}
		if formatted, ds := Format(text, name); string(formatted) != string(text) || len(ds) > 0 {
			t.Errorf("%s is not in canonical format", name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestHolidays derives the market's holidays from their rules and compares
// them with the calendar, but for the two days of mourning.
func TestHolidays(t *testing.T) {
	got := shipped(t, nil).Keys[0].Calendar.Holidays
	want := map[calendar.Day]bool{day(t, "2018-12-05"): true, day(t, "2025-01-09"): true}
	for year := 2018; year <= 2027; year++ {
		fixed := []time.Time{date(year, 1, 1), date(year, 7, 4), date(year, 12, 25)}
		if year >= 2022 {
			fixed = append(fixed, date(year, 6, 19))
		}
		for _, d := range fixed {
			switch d.Weekday() {
			case time.Saturday:
				d = d.AddDate(0, 0, -1)
			case time.Sunday:
				d = d.AddDate(0, 0, 1)
			}
			if d.Year() == year { // a New Year's Day on a Saturday is not observed
				want[day(t, d.Format(time.DateOnly))] = true
			}
		}
		for _, d := range []time.Time{
			nth(year, 1, 3, time.Monday), nth(year, 2, 3, time.Monday), nth(year, 9, 1, time.Monday), nth(year, 11, 4, time.Thursday),
			nth(year, 6, 1, time.Monday).AddDate(0, 0, -7), easter(year).AddDate(0, 0, -2),
		} {
			want[day(t, d.Format(time.DateOnly))] = true
		}
	}
	for d := range want {
		if !got[d] {
			t.Errorf("%s is missing", d)
		}
	}
	for d := range got {
		if !want[d] {
			t.Errorf("%s is no holiday", d)
		}
	}
}

func day(t testing.TB, text string) calendar.Day {
	t.Helper()
	d, err := calendar.ParseDay(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func date(year int, month time.Month, day int) time.Time {
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

// nth is the n-th of a weekday in a month.
func nth(year int, month time.Month, n int, weekday time.Weekday) time.Time {
	d := date(year, month, 1)
	return d.AddDate(0, 0, int(weekday-d.Weekday()+7)%7+7*(n-1))
}

// easter is Easter Sunday by the anonymous Gregorian algorithm (Meeus 1991).
func easter(year int) time.Time {
	a, b, c := year%19, year/100, year%100
	d, e := b/4, b%4
	g := (8*b + 13) / 25
	h := (19*a + b - d - g + 15) % 30
	i, k := c/4, c%4
	l := (32 + 2*e + 2*i - h - k) % 7
	m := (a + 11*h + 19*l) / 433
	month := (h + l - 7*m + 90) / 25
	day := (h + l - 7*m + 33*month + 19) % 32
	return date(year, time.Month(month), day)
}
