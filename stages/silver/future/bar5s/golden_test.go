package bar5s

import (
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"dag/engine/lake/parquet"
	"dag/engine/stage/stagetest"
	"dag/stages/internal/mbp10"
)

// golden is where the tables of the golden day lie, beside the repository.
const golden = "../../../../../shared/data/golden/day/expected/silver/product_type=future/symbol=ESU5"

// readTable reads the columns of a schema from a table of the reference, which
// stores prices as doubles.
func readTable(t *testing.T, table string, s *arrow.Schema) []arrow.Record {
	t.Helper()
	file, err := os.Open(filepath.Join(golden, "table="+table, "dt=2025-08-04", "part-00000.parquet"))
	if err != nil {
		t.Skipf("the golden data is not here: %v", err)
	}
	defer file.Close()
	f, err := parquet.NewFile(table, file)
	if err != nil {
		t.Fatal(err)
	}
	var fields []parquet.Field
	for _, c := range s.Fields() {
		px := c.Name == "price" || strings.Contains(c.Name, "_px_")
		fields = append(fields, parquet.Field{Name: c.Name, Type: c.Type, Nullable: c.Nullable, FixedPoint: px && arrow.TypeEqual(c.Type, arrow.PrimitiveTypes.Int64)})
	}
	var out []arrow.Record
	for rec, err := range f.Read(t.Context(), fields, 1<<20) {
		if err != nil {
			t.Fatal(err)
		}
		rec.Retain()
		out = append(out, rec)
	}
	return out
}

// TestGoldenDay makes the bars that the reference makes of the same events.
func TestGoldenDay(t *testing.T) {
	open := time.Date(2025, 8, 4, 12, 30, 0, 0, time.UTC).UnixNano() // 08:30 in New York
	var events []arrow.Record
	for _, rec := range readTable(t, "market_by_price_10", inputSchema()) {
		ts := rec.Column(0).(*array.Int64).Int64Values()
		from := sort.Search(len(ts), func(i int) bool { return ts[i] >= open })
		to := sort.Search(len(ts), func(i int) bool { return ts[i] >= open+int64(4*time.Hour) })
		events = append(events, rec.NewSlice(int64(from), int64(to)))
	}
	got := bars(t, mbp10.Reference, 4096, events...)

	want := readTable(t, "market_by_price_10_bar5s", outputSchema())
	if len(want) != 1 || want[0].NumRows() < 2000 {
		t.Fatalf("the bars of the session come in %d batches", len(want))
	}
	for _, d := range stagetest.Differences(got, want[0]) {
		t.Error(d)
	}
}
