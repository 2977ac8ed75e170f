package levelapproach2m

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"dag/engine/lake/parquet"
	"dag/engine/stage"
	"dag/engine/stage/stagetest"
	"dag/stages/internal/mbp10"
	sessionlevels "dag/stages/silver/future/session_levels"
)

// golden is where the golden data lies, beside the repository.
const golden = "../../../../../shared/data/golden"

// readGolden reads the columns of a schema from a table of the reference, which
// stores prices as doubles.
func readGolden(t *testing.T, set, table, dt string, s *arrow.Schema) []arrow.Record {
	t.Helper()
	folder := filepath.Join(golden, set, "expected/silver/product_type=future/symbol=ESU5")
	file, err := os.Open(filepath.Join(folder, "table="+table, "dt="+dt, "part-00000.parquet"))
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

// compareGolden runs one level on the reference's bars.
func compareGolden(t *testing.T, set, dt, level string, price float64) {
	t.Helper()
	bars := readGolden(t, set, "market_by_price_10_bar5s", dt, barSchema())
	got := approach(t, dt, stage.Params{"level": level, "semantics": mbp10.Reference}, price, 500, bars...)
	want := readGolden(t, set, "market_by_price_10_"+level+"_approach2m", dt, outputSchema())
	if len(want) != 1 {
		t.Fatalf("%s of %s comes in %d batches", level, dt, len(want))
	}
	for _, d := range stagetest.Differences(got, want[0]) {
		t.Errorf("%s of %s: %s", level, dt, d)
	}
}

// TestGoldenDay takes the levels from the events of the day.
func TestGoldenDay(t *testing.T) {
	const dt = "2025-08-04"
	events := readGolden(t, "day", "market_by_price_10", dt, mbp10.SilverSchema())
	stamp := sessionlevels.New()
	task := stagetest.NewTask(t, stamp.Spec(), map[string]string{"symbol": "ESU5", "dt": dt},
		stage.Params{"semantics": mbp10.Reference}, map[string][]arrow.Record{"events": events})
	if err := stamp.Run(t.Context(), task); err != nil {
		t.Fatal(err)
	}
	stamped := task.Table("events")
	for _, level := range mbp10.LevelNames {
		column := stamped.Column(stamped.Schema().FieldIndices(level)[0]).(*array.Float64)
		compareGolden(t, "day", dt, level, column.Value(0))
	}
}

// TestGoldenWeek takes the levels from the expected rows: the events of these
// days are not in the golden data as a table.
func TestGoldenWeek(t *testing.T) {
	price := arrow.NewSchema([]arrow.Field{{Name: "level_price", Type: arrow.PrimitiveTypes.Float64}}, nil)
	for _, dt := range []string{"2025-08-05", "2025-08-06", "2025-08-07", "2025-08-08"} {
		for _, level := range mbp10.LevelNames {
			rows := readGolden(t, "week", "market_by_price_10_"+level+"_approach2m", dt, price)
			if len(rows) == 0 {
				t.Errorf("%s of %s is empty in the golden data", level, dt)
				continue
			}
			compareGolden(t, "week", dt, level, rows[0].Column(0).(*array.Float64).Value(0))
		}
	}
}
