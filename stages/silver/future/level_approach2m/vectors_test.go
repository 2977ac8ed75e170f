package levelapproach2m

import (
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
)

func readCSV(t testing.TB, name string) []map[string]string {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var out []map[string]string
	for _, r := range rows[1:] {
		m := map[string]string{}
		for i, v := range r {
			m[rows[0][i]] = v
		}
		out = append(out, m)
	}
	return out
}

func number(t testing.TB, s string) float64 {
	t.Helper()
	if s == "" {
		return math.NaN()
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// fakeWriter keeps the one batch.
type fakeWriter struct{ rec arrow.Record }

func (w *fakeWriter) Write(rec arrow.Record) error {
	rec.Retain()
	w.rec = rec
	return nil
}
func (w *fakeWriter) Close() error { return nil }

func vectorDay(t testing.TB) *day {
	d := &day{symbol: "ESU5"}
	for _, r := range readCSV(t, "testdata/approach2m_in.csv") {
		var b bar
		var err error
		if b.ts, err = strconv.ParseInt(r["bar_ts"], 10, 64); err != nil {
			t.Fatal(err)
		}
		lastTs, err := strconv.ParseInt(r["bar5s_trade_last_ts"], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		b.lastTs = lastTs
		for _, f := range doubles {
			*f.at(&b) = number(t, r[f.name])
		}
		d.bars = append(d.bars, b)
	}
	d.cut()
	return d
}

func settingsFor(level string, corrected bool) settings {
	const open = 1749130200_000_000_000 // 2025-06-05 09:30 in New York
	s := settings{
		level: level, corrected: corrected, tick: 0.25, touch: 1, near: 1, move: 8, horizon: 6, pre: 4, cooldown: 3,
		opens: open, closes: open + 3*3600_000_000_000, date: "2025-06-05",
	}
	if corrected && strings.HasPrefix(level, "or_") {
		s.opens += 15 * 60_000_000_000
	}
	return s
}

func TestVectors(t *testing.T) {
	for name, corrected := range map[string]bool{"testdata/approach2m_out.csv": false, "testdata/approach2m_out_corrected.csv": true} {
		t.Run(name, func(t *testing.T) {
			want := readCSV(t, name)
			row := 0
			for _, l := range []struct {
				name  string
				price float64
			}{{"pm_high", 6001.125}, {"or_low", 5999.0}} {
				a := analysis{settings: settingsFor(l.name, corrected), price: l.price, day: vectorDay(t)}
				out := &fakeWriter{}
				w := newWriter(out)
				for _, tr := range a.triggers() {
					w.episode(&a, tr)
				}
				if err := w.close(); err != nil {
					t.Fatal(err)
				}
				if out.rec == nil {
					continue
				}
				for i := range int(out.rec.NumRows()) {
					if row >= len(want) {
						t.Fatalf("more than %d rows", len(want))
					}
					compareRow(t, row, out.rec, i, want[row])
					row++
				}
				out.rec.Release()
			}
			if row != len(want) {
				t.Errorf("%d rows, want %d", row, len(want))
			}
		})
	}
}

// compareRow holds a row to the expected one within the tolerances of spec 00.
func compareRow(t *testing.T, row int, rec arrow.Record, i int, want map[string]string) {
	t.Helper()
	if len(want) != int(rec.NumCols()) {
		t.Fatalf("%d columns, want %d", rec.NumCols(), len(want))
	}
	for c, f := range rec.Schema().Fields() {
		text, ok := want[f.Name]
		if !ok {
			t.Fatalf("the vector has no %s", f.Name)
		}
		got := ""
		if col := rec.Column(c); !col.IsNull(i) {
			switch col := col.(type) {
			case *array.Float64:
				w := number(t, text)
				if g := col.Value(i); !(math.Abs(g-w) <= 1e-9*(1+math.Abs(w))) {
					t.Errorf("row %d: %s is %v, want %q", row, f.Name, g, text)
				}
				continue
			case *array.Boolean:
				got = map[bool]string{true: "True", false: "False"}[col.Value(i)]
			case *array.Int64:
				got = fmt.Sprint(col.Value(i))
			default:
				got = col.ValueStr(i)
			}
		}
		if got != text {
			t.Errorf("row %d: %s is %q, want %q", row, f.Name, got, text)
		}
	}
}
