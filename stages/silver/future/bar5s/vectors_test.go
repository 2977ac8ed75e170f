package bar5s

import (
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"testing"

	"dag/stages/internal/book"
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

// vectorEvents reads the events in processing order.
func vectorEvents(t testing.TB) []event {
	var events []event
	for _, r := range readCSV(t, "testdata/bar5s_in.csv") {
		var e event
		e.ts, _ = strconv.ParseInt(r["ts_event"], 10, 64)
		e.seq, _ = strconv.ParseInt(r["sequence"], 10, 64)
		e.action, e.side = r["action"][0], r["side"][0]
		e.price, e.size = number(t, r["price"]), number(t, r["size"])
		for i := range book.Depth {
			n := fmt.Sprintf("_%02d", i)
			e.book.Bid.Px[i], e.book.Ask.Px[i] = number(t, r["bid_px"+n]), number(t, r["ask_px"+n])
			e.book.Bid.Sz[i], e.book.Ask.Sz[i] = number(t, r["bid_sz"+n]), number(t, r["ask_sz"+n])
			e.book.Bid.Ct[i], e.book.Ask.Ct[i] = number(t, r["bid_ct"+n]), number(t, r["ask_ct"+n])
		}
		events = append(events, e)
	}
	slices.SortStableFunc(events, func(a, b event) int {
		if a.ts != b.ts {
			return int(min(max(a.ts-b.ts, -1), 1))
		}
		return int(a.seq - b.seq)
	})
	return events
}

func defaultMeasure(corrected bool) book.Measure {
	return book.Measure{Point: 1, Edges: [book.Bands]float64{1, 2, 3, 5, 10}, Fallback: corrected, FlatIsZero: corrected}
}

func TestVectors(t *testing.T) {
	for name, corrected := range map[string]bool{"testdata/bar5s_out.csv": false, "testdata/bar5s_out_corrected.csv": true} {
		t.Run(name, func(t *testing.T) {
			want := readCSV(t, name)
			var got []row
			b := newBuilder(defaultMeasure(corrected), corrected, func(r *row) error {
				got = append(got, *r)
				return nil
			})
			events := vectorEvents(t)
			for i := range events {
				if err := b.event(&events[i]); err != nil {
					t.Fatal(err)
				}
			}
			if err := b.finish(); err != nil {
				t.Fatal(err)
			}
			if len(got) != len(want) {
				t.Fatalf("%d bars, want %d", len(got), len(want))
			}
			for i := range got {
				compare(t, i, &got[i], want[i])
			}
		})
	}
}

// compare holds a bar to the expected one within the tolerances of spec 00.
func compare(t *testing.T, bar int, got *row, want map[string]string) {
	t.Helper()
	if s := strconv.FormatInt(got.barTs, 10); s != want["bar_ts"] {
		t.Errorf("bar %d starts at %s, want %s", bar, s, want["bar_ts"])
	}
	if f := number(t, want["bar5s_trade_last_ts"]); f != float64(got.lastTs) {
		t.Errorf("bar %d: last trade at %d, want %v", bar, got.lastTs, f)
	}
	for pos, name := range doubles() {
		if name == "" {
			continue
		}
		text, ok := want[name]
		if !ok {
			t.Fatalf("the vector has no %s", name)
		}
		g, w := got.f[pos], number(t, text)
		tolerance := 1e-9 * (1 + math.Abs(w))
		if pos == posWallZ || pos == posWallZ+1 {
			tolerance = 1e-5 // flat books: rounding noise over epsilon
		}
		if math.IsNaN(g) != math.IsNaN(w) || math.Abs(g-w) > tolerance {
			t.Errorf("bar %d: %s is %v, want %v", bar, name, g, w)
		}
	}
}
