package levelapproach2m

import (
	"encoding/csv"
	"os"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"dag/engine/stage"
	"dag/engine/stage/stagetest"
	"dag/stages/internal/mbp10"
)

// readCSV reads a vector as a table of a schema. An empty cell is null; a
// column the file does not have is the symbol.
func readCSV(t *testing.T, name string, schema *arrow.Schema) arrow.Record {
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
	at := map[string]int{}
	for i, n := range rows[0] {
		at[n] = i
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	for c, f := range schema.Fields() {
		for _, row := range rows[1:] {
			cell := "ESU5"
			if i, ok := at[f.Name]; ok {
				cell = row[i]
			}
			if cell == "" {
				b.Field(c).AppendNull()
			} else if err := b.Field(c).AppendValueFromString(cell); err != nil {
				t.Fatalf("%s, column %s: %v", name, f.Name, err)
			}
		}
	}
	return b.NewRecord()
}

// levelTable is one row with the same price for every level.
func levelTable(price float64) arrow.Record {
	b := array.NewRecordBuilder(memory.DefaultAllocator, levelSchema())
	defer b.Release()
	for _, f := range b.Fields() {
		f.(*array.Float64Builder).Append(price)
	}
	return b.NewRecord()
}

// approach runs the transform on bars, in batches of batchRows, with a level at
// a price.
func approach(t *testing.T, dt string, params stage.Params, price float64, batchRows int, bars ...arrow.Record) arrow.Record {
	t.Helper()
	task := stagetest.NewTask(t, New().Spec(), map[string]string{"symbol": "ESU5", "dt": dt}, params,
		map[string][]arrow.Record{"bars": bars, "levels": {levelTable(price)}})
	task.BatchRows = batchRows
	if err := New().Run(t.Context(), task); err != nil {
		t.Fatal(err)
	}
	return task.Table("approach")
}

// TestVectors makes the rows of the vectors: those of pm_high, then those of
// or_low.
func TestVectors(t *testing.T) {
	for name, semantics := range map[string]string{
		"testdata/approach2m_out.csv":           mbp10.Reference,
		"testdata/approach2m_out_corrected.csv": mbp10.Corrected,
	} {
		t.Run(semantics, func(t *testing.T) {
			bars := readCSV(t, "testdata/approach2m_in.csv", barSchema())
			want := readCSV(t, name, outputSchema())
			at := int64(0)
			for _, l := range []struct {
				name  string
				price float64
			}{{"pm_high", 6001.125}, {"or_low", 5999}} {
				got := approach(t, "2025-06-05", stage.Params{"level": l.name, "semantics": semantics}, l.price, 0, bars)
				if at+got.NumRows() > want.NumRows() {
					t.Fatalf("%d rows, want %d", at+got.NumRows(), want.NumRows())
				}
				for _, d := range stagetest.Differences(got, want.NewSlice(at, at+got.NumRows())) {
					t.Errorf("%s: %s", l.name, d)
				}
				at += got.NumRows()
			}
			if at != want.NumRows() {
				t.Errorf("%d rows, want %d", at, want.NumRows())
			}
		})
	}
}
