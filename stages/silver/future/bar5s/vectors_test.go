package bar5s

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"dag/engine/stage"
	"dag/engine/stage/stagetest"
	"dag/stages/internal/book"
	"dag/stages/internal/mbp10"
)

// readCSV returns the rows of a vector by the names of the header.
func readCSV(t *testing.T, name string) []map[string]string {
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

// number is NaN for an empty cell.
func number(t *testing.T, s string) float64 {
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

// vectorEvents reads the events of the vector, by time; what shares a time
// stays as in the file.
func vectorEvents(t *testing.T) []rawEvent {
	var events []rawEvent
	for _, r := range readCSV(t, "testdata/bar5s_in.csv") {
		long := func(name string) int64 {
			v, err := strconv.ParseInt(r[name], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
		price := func(name string) int64 {
			if r[name] == "" {
				return 0
			}
			return int64(math.Round(number(t, r[name]) * 1e9))
		}
		e := rawEvent{
			ts: long("ts_event"), seq: long("sequence"), price: price("price"), size: long("size"),
			action: r["action"], side: r["side"],
		}
		for i := range book.Depth {
			for s, side := range [...]string{"bid", "ask"} {
				e.px[s][i] = price(fmt.Sprintf("%s_px_%02d", side, i))
				e.sz[s][i] = long(fmt.Sprintf("%s_sz_%02d", side, i))
				e.ct[s][i] = long(fmt.Sprintf("%s_ct_%02d", side, i))
			}
		}
		events = append(events, e)
	}
	slices.SortStableFunc(events, func(a, b rawEvent) int { return cmp.Compare(a.ts, b.ts) })
	return events
}

// bars runs the transform over batches of batchRows events.
func bars(t *testing.T, semantics string, batchRows int, events ...arrow.Record) arrow.Record {
	t.Helper()
	task := stagetest.NewTask(t, New().Spec(), map[string]string{"symbol": "ESU5", "dt": "2025-06-05"},
		stage.Params{"semantics": semantics}, map[string][]arrow.Record{"events": events})
	task.BatchRows = batchRows
	if err := New().Run(t.Context(), task); err != nil {
		t.Fatal(err)
	}
	return task.Table("bars")
}

func TestVectors(t *testing.T) {
	for name, semantics := range map[string]string{
		"testdata/bar5s_out.csv":           mbp10.Reference,
		"testdata/bar5s_out_corrected.csv": mbp10.Corrected,
	} {
		t.Run(semantics, func(t *testing.T) {
			want := readCSV(t, name)
			got := bars(t, semantics, 0, recordOf(vectorEvents(t)))
			if int(got.NumRows()) != len(want) || int(got.NumCols()) != len(want[0]) {
				t.Fatalf("%d bars of %d fields, want %d of %d", got.NumRows(), got.NumCols(), len(want), len(want[0]))
			}
			for c, f := range got.Schema().Fields() {
				for i, row := range want {
					text, ok := row[f.Name]
					if !ok {
						t.Fatalf("the vector has no %s", f.Name)
					}
					compare(t, i, f.Name, got.Column(c), text)
				}
			}
		})
	}
}

// compare holds a value to the expected one within the tolerances of spec 00.
func compare(t *testing.T, i int, name string, col arrow.Array, want string) {
	t.Helper()
	doubles, ok := col.(*array.Float64)
	if !ok {
		if got := col.ValueStr(i); got != want {
			t.Errorf("bar %d: %s is %s, want %s", i, name, got, want)
		}
		return
	}
	w := number(t, want)
	if col.IsNull(i) != math.IsNaN(w) {
		t.Errorf("bar %d: %s is %s, want %q", i, name, col.ValueStr(i), want)
	}
	tolerance := 1e-9 * (1 + math.Abs(w))
	if name == "bar5s_wall_bid_maxz_eob" || name == "bar5s_wall_ask_maxz_eob" {
		tolerance = 1e-5 // flat books: rounding noise over epsilon
	}
	if g := doubles.Value(i); col.IsValid(i) && !(math.Abs(g-w) <= tolerance) {
		t.Errorf("bar %d: %s is %v, want %v", i, name, g, w)
	}
}
