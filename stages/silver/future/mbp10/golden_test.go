package mbp10

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet/file"
	"github.com/apache/arrow/go/v17/parquet/pqarrow"

	"dag/engine/stage"
	"dag/engine/stage/stagetest"
	bronze "dag/stages/bronze/future/mbp10"
	"dag/stages/internal/mbp10"
)

// golden is the folder of the reference's day; the test is skipped without it.
func golden(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above this test")
		}
		dir = filepath.Dir(dir)
	}
	day := filepath.Join(dir, "..", "shared", "data", "golden", "day")
	if _, err := os.Stat(day); err != nil {
		t.Skip("no golden data: ", err)
	}
	return day
}

// only returns the one file that matches.
func only(t *testing.T, pattern string) string {
	t.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil || len(names) != 1 {
		t.Fatalf("%s matches %v (%v)", pattern, names, err)
	}
	return names[0]
}

// expected reads the reference's table in our types: prices are doubles there,
// times timestamps, and some integers unsigned.
func expected(t *testing.T, path string) arrow.Record {
	t.Helper()
	f, err := file.OpenParquetFile(path, false)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := pqarrow.NewFileReader(f, pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
	if err != nil {
		t.Fatal(err)
	}
	table, err := r.ReadTable(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer table.Release()
	schema := mbp10.SilverSchema()
	if int(table.NumCols()) != schema.NumFields() {
		t.Fatalf("the reference has %d columns, want %d", table.NumCols(), schema.NumFields())
	}
	cols := make([]arrow.Array, schema.NumFields())
	for i, want := range schema.Fields() {
		if got := table.Schema().Field(i).Name; got != want.Name {
			t.Fatalf("column %d of the reference is %s, want %s", i+1, got, want.Name)
		}
		b := array.NewBuilder(memory.DefaultAllocator, want.Type)
		for _, chunk := range table.Column(i).Data().Chunks() {
			for row := range chunk.Len() {
				if err := convert(b, chunk, row, want); err != nil {
					t.Fatalf("%s, row %d: %v", want.Name, row+1, err)
				}
			}
		}
		cols[i] = b.NewArray()
	}
	return array.NewRecord(schema, cols, table.NumRows())
}

// convert appends a value as ours: a price in 1e-9 units, a time in ns.
func convert(b array.Builder, a arrow.Array, row int, want arrow.Field) error {
	longs, ok := b.(*array.Int64Builder)
	switch a := a.(type) {
	case *array.Float64:
		if a.IsNull(row) {
			b.AppendNull()
			return nil
		}
		if ok && want.Nullable {
			longs.Append(int64(math.Round(a.Value(row) * 1e9)))
			return nil
		}
	case *array.Timestamp:
		if ok && !a.IsNull(row) {
			longs.Append(int64(a.Value(row)))
			return nil
		}
	case *array.Uint32:
		if ok && !a.IsNull(row) {
			longs.Append(int64(a.Value(row)))
			return nil
		}
	}
	return b.AppendValueFromString(a.ValueStr(row))
}

// TestGolden takes the vendor's file of a day through bronze and silver, and
// compares with what the reference makes of it.
func TestGolden(t *testing.T) {
	day := golden(t)
	raw := only(t, filepath.Join(day, "raw/*/*/*/*/*.dbn.zst"))
	data, err := os.ReadFile(raw)
	if err != nil {
		t.Fatal(err)
	}
	ingest := stagetest.NewTask(t, bronze.New().Spec(), map[string]string{"root": "ES", "dt": "2025-08-04"}, stage.Params{"semantics": mbp10.Reference, "sort_memory": int64(4 << 20)}, nil)
	ingest.AddFile("dbn", filepath.Base(raw), data)
	if err := bronze.New().Run(t.Context(), ingest); err != nil {
		t.Fatal(err)
	}
	stamp := stagetest.NewTask(t, New().Spec(), map[string]string{"symbol": "ESU5", "dt": "2025-08-04"}, nil,
		map[string][]arrow.Record{"events": ingest.Rows("events", "ESU5")})
	if err := New().Run(t.Context(), stamp); err != nil {
		t.Fatal(err)
	}
	want := expected(t, only(t, filepath.Join(day, "expected/silver/*/symbol=ESU5/table=market_by_price_10/*/part-*.parquet")))
	if want.NumRows() == 0 {
		t.Fatal("the reference has no rows")
	}
	for _, d := range stagetest.Differences(stamp.Table("events"), want) {
		t.Error(d)
	}
}
