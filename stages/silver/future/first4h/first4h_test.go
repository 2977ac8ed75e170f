package first4h

import (
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"dag/engine/stage"
	"dag/engine/stage/stagetest"
	"dag/stages/internal/mbp10"
)

func TestRows(t *testing.T) { stagetest.Run(t, New()) }

// capture is a task that looks at the batches themselves.
type capture struct {
	*stagetest.Task
	look func(rec arrow.Record)
}

func (c capture) Output(string, ...string) (stage.Writer, error) { return c, nil }
func (c capture) Write(rec arrow.Record) error                   { c.look(rec); return nil }
func (c capture) Close() error                                   { return nil }

// TestKeptRowsAreNotCopied runs over a batch whose middle is kept.
func TestKeptRowsAreNotCopied(t *testing.T) {
	b := array.NewRecordBuilder(memory.DefaultAllocator, mbp10.LevelsSchema())
	defer b.Release()
	noon := time.Date(2025, 8, 4, 12, 0, 0, 0, time.UTC) // 08:00 in New York
	for i, f := range b.Fields() {
		for row := range 10 {
			if mbp10.LevelsSchema().Field(i).Name == "ts_event" {
				f.(*array.Int64Builder).Append(noon.Add(time.Duration(row) * time.Hour).UnixNano())
				continue
			}
			f.AppendEmptyValue()
		}
	}
	in := b.NewRecord()
	defer in.Release()
	task := stagetest.NewTask(t, New().Spec(), map[string]string{"symbol": "ESU5", "dt": "2025-08-04"}, nil, map[string][]arrow.Record{"events": {in}})
	batches := 0
	err := New().Run(t.Context(), capture{task, func(rec arrow.Record) {
		batches++
		if rec.NumRows() != 4 { // 09:00 to 12:00
			t.Errorf("%d rows are kept, want 4", rec.NumRows())
		}
		for i := range int(in.NumCols()) {
			got, want := rec.Column(i).Data(), in.Column(i).Data()
			for j := range want.Buffers() {
				if got.Buffers()[j] != want.Buffers()[j] {
					t.Errorf("buffer %d of column %s is a copy", j, in.ColumnName(i))
				}
			}
		}
	}})
	if err != nil || batches != 1 {
		t.Errorf("%d batches (%v), want 1", batches, err)
	}
}
