package main

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestReplace(t *testing.T) {
	page := "above\n<!-- bench:days -->\nold\n<!-- /bench:days -->\nbelow\n"
	got, err := replace(page, "days", "| new |\n\n")
	if want := "above\n<!-- bench:days -->\n| new |\n<!-- /bench:days -->\nbelow\n"; err != nil || got != want {
		t.Errorf("error %v, got\n%s", err, got)
	}
	if again, err := replace(got, "days", "| new |"); err != nil || again != got {
		t.Errorf("error %v, the second time gives\n%s", err, again)
	}
	for _, bad := range []string{"", "<!-- bench:days -->\nno end", "<!-- /bench:days -->"} {
		if _, err := replace(bad, "days", "x"); err == nil || !strings.Contains(err.Error(), "<!-- bench:days -->") {
			t.Errorf("%q: error %v", bad, err)
		}
	}
}

func TestCells(t *testing.T) {
	zstd := cost{cpu: 500 * time.Millisecond, rss: 13_400_000}
	own := cost{cpu: 12_340 * time.Millisecond}
	for _, c := range []struct{ got, want string }{
		{zstd.seconds(), "0.50"}, {own.seconds(), "12.3"}, {zstd.peak(), "13"}, {own.peak(), "–"},
		{zstd.times(zstd), "1"}, {own.times(zstd), "24.7"}, {zstd.times(own), "0.04"}, {own.times(cost{}), "–"},
		{zstd.perSecond(2_000_000), "4,000,000"}, {thousands(999), "999"}, {thousands(1000), "1,000"}, {thousands(1_234_567), "1,234,567"},
	} {
		if c.got != c.want {
			t.Errorf("got %s, want %s", c.got, c.want)
		}
	}
}

func TestMetrics(t *testing.T) {
	m := metrics("BenchmarkFAISS/queries=64-2  1  0 ns/op  36.5 build-ms  4.25 search-ms")
	if m["build-ms"] != 36.5 || m["search-ms"] != 4.25 {
		t.Errorf("got %v", m)
	}
	if len(metrics("ok  dag/stages/retrieval 12s")) != 0 {
		t.Error("a line that is no benchmark has metrics")
	}
}

func TestInTurn(t *testing.T) {
	runs := map[string][]cost{
		"a": {{3 * time.Second, 10}, {1 * time.Second, 30}, {2 * time.Second, 20}},
		"b": {{5 * time.Second, 0}, {5 * time.Second, 0}, {4 * time.Second, 0}},
	}
	order := ""
	program := func(name string) row {
		i := -1
		return row{name: name, run: func() (cost, error) { i++; order += name; return runs[name][i], nil }}
	}
	rows := []row{program("a"), program("b")}
	if err := inTurn(3, rows); err != nil || order != "ababab" {
		t.Errorf("error %v, order %s", err, order)
	}
	if a, b := (cost{2 * time.Second, 30}), (cost{cpu: 5 * time.Second}); rows[0].took != a || rows[1].took != b {
		t.Errorf("got %v and %v; want %v and %v", rows[0].took, rows[1].took, a, b)
	}
	broken := errors.New("broken")
	if err := inTurn(1, []row{{run: func() (cost, error) { return cost{}, broken }}}); err != broken {
		t.Errorf("error %v", err)
	}
}
