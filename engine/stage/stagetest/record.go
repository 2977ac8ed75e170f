package stagetest

import (
	"fmt"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"dag/engine/addr"
	"dag/engine/stage"
)

// partition is an input partition in memory.
type partition struct {
	task    *Task
	port    string
	keys    addr.Keys
	records []arrow.Record
}

func (p *partition) Keys() addr.Keys { return p.keys }

func (p *partition) Rows() int64 {
	var n int64
	for _, rec := range p.records {
		n += rec.NumRows()
	}
	return n
}

// Read yields batches that are released after each step, so that a transform
// which keeps one without retaining it does not get away with it.
func (p *partition) Read(columns ...string) stage.Batches {
	return func(yield func(arrow.Record, error) bool) {
		for _, rec := range p.rebatched() {
			out, err := selectColumns(rec, columns)
			if err != nil {
				yield(nil, fmt.Errorf("port %q of %s: %w", p.port, p.task.spec.Name, err))
				return
			}
			more := yield(out, nil)
			out.Release()
			if !more {
				return
			}
		}
	}
}

func (p *partition) rebatched() []arrow.Record {
	rows, size := p.Rows(), int64(p.task.BatchRows)
	if size <= 0 || rows == 0 {
		return p.records
	}
	whole := concat(p.records[0].Schema(), p.records)
	var out []arrow.Record
	for at := int64(0); at < rows; at += size {
		out = append(out, whole.NewSlice(at, min(at+size, rows)))
	}
	return out
}

// selectColumns returns a record with the named columns, all if none is named.
func selectColumns(rec arrow.Record, names []string) (arrow.Record, error) {
	if len(names) == 0 {
		return array.NewRecord(rec.Schema(), rec.Columns(), rec.NumRows()), nil
	}
	fields := make([]arrow.Field, len(names))
	cols := make([]arrow.Array, len(names))
	for i, n := range names {
		at := rec.Schema().FieldIndices(n)
		if len(at) == 0 {
			return nil, fmt.Errorf("it has no column %q", n)
		}
		fields[i], cols[i] = rec.Schema().Field(at[0]), rec.Column(at[0])
	}
	return array.NewRecord(arrow.NewSchema(fields, nil), cols, rec.NumRows()), nil
}

// concat copies records of one schema into one record.
func concat(schema *arrow.Schema, records []arrow.Record) arrow.Record {
	var rows int64
	parts := make([][]arrow.Array, schema.NumFields())
	for _, rec := range records {
		rows += rec.NumRows()
		for i := range parts {
			parts[i] = append(parts[i], rec.Column(i))
		}
	}
	cols := make([]arrow.Array, len(parts))
	for i, list := range parts {
		cols[i] = join(schema.Field(i).Type, list)
	}
	return array.NewRecord(schema, cols, rows)
}

func join(t arrow.DataType, list []arrow.Array) arrow.Array {
	if len(list) == 0 {
		b := array.NewBuilder(memory.DefaultAllocator, t)
		defer b.Release()
		return b.NewArray()
	}
	out, err := array.Concatenate(list, memory.DefaultAllocator)
	if err != nil { // arrays of different types: excluded by the checks before
		panic(err)
	}
	return out
}
