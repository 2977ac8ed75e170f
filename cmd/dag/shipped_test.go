package main

import (
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"dag/contracts"
	"dag/engine/calendar"
	"dag/engine/config"
	"dag/pipelines"
	"dag/stages"
)

// shipped loads the pipelines of the product.
func shipped(t *testing.T, vars map[string]string) *config.Config {
	t.Helper()
	c, list := config.Load(config.Options{Pipelines: pipelines.FS, Contracts: contracts.FS, Vars: vars, Transforms: stages.All()})
	if err := list.Err(); err != nil {
		t.Fatal(err)
	}
	return c
}

// TestShippedPaths holds the folders of every dataset to spec 01 §1: other tools
// read them.
func TestShippedPaths(t *testing.T) {
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
	slices.Sort(got)
	const file = "testdata/shipped_paths.txt"
	text := strings.Join(got, "\n") + "\n"
	if os.Getenv("UPDATE_SCRIPTS") != "" {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if text != string(want) {
		t.Errorf("folders are\n%swant\n%s", text, want)
	}
}

func TestShippedKeys(t *testing.T) {
	c := shipped(t, map[string]string{"semantics": "reference"})
	stage := func(name string) *config.Stage {
		i := slices.IndexFunc(c.Stages, func(s *config.Stage) bool { return s.Addr.String() == name })
		if i < 0 {
			t.Fatalf("there is no stage %s", name)
		}
		return c.Stages[i]
	}
	approach := stage(`approach["or_low"]`)
	if got := approach.ParamsText(); !strings.Contains(got, `"level":"or_low","`) || !strings.Contains(got, `"semantics":"reference"`) {
		t.Errorf("params are %s", got)
	}
	var unit []string
	for _, k := range stage("ingest_mbp10").UnitKeys() {
		unit = append(unit, k.Name)
	}
	if !slices.Equal(unit, []string{"root", "dt"}) {
		t.Errorf("the units of ingest are %v", unit)
	}
	for symbol, root := range map[string]string{"ESU5": "ES", "6EZ25": "6E", "MESH26": "MES", "GCG6": "GC"} {
		if got := approach.Outputs[0].To.Values(map[string]string{"symbol": symbol})["root"]; got != root {
			t.Errorf("the root of %s is %q, want %q", symbol, got, root)
		}
	}
}

func TestShippedPipelinesAreFormatted(t *testing.T) {
	err := fs.WalkDir(pipelines.FS, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(name, ".hcl") {
			return err
		}
		text, err := fs.ReadFile(pipelines.FS, name)
		if err != nil {
			return err
		}
		if formatted, ds := config.Format(text, name); string(formatted) != string(text) || len(ds) > 0 {
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
	for year := 2018; year <= 2030; year++ {
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
