package option

import (
	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"dag/stages/internal/mbp10"
)

// batchRows is the number of rows of a full batch.
const batchRows = 8192

// batch builds bronze rows column by column. Its buffers are used again after
// every batch: rows allocate nothing once texts have had their longest batch.
type batch struct {
	schema  *arrow.Schema
	n       int
	columns []column

	withoutExpDate int64 // rows so far, in all batches
}

// column is one column; of the slices the one of its type is in use.
type column struct {
	longs   []int64
	doubles []float64
	text    []byte
	offsets []int32 // where texts begin and end
	valid   []byte
	nulls   int
}

func newBatch(schema *arrow.Schema) *batch {
	b := &batch{schema: schema, columns: make([]column, schema.NumFields())}
	for i, f := range schema.Fields() {
		c := &b.columns[i]
		c.valid = make([]byte, (batchRows+7)/8)
		switch f.Type.ID() {
		case arrow.INT64:
			c.longs = make([]int64, batchRows)
		case arrow.FLOAT64:
			c.doubles = make([]float64, batchRows)
		case arrow.STRING:
			c.offsets = make([]int32, batchRows+1)
		}
	}
	b.reset()
	return b
}

func (b *batch) reset() {
	b.n = 0
	for i := range b.columns {
		c := &b.columns[i]
		c.text, c.nulls = c.text[:0], 0
		for j := range c.valid {
			c.valid[j] = 0xFF
		}
	}
}

// The setters write a cell of the row at hand; each column wants one of its type.

func (b *batch) long(col int, v int64)     { b.columns[col].longs[b.n] = v }
func (b *batch) double(col int, v float64) { b.columns[col].doubles[b.n] = v }

func (b *batch) string(col int, v string) {
	c := &b.columns[col]
	c.text = append(c.text, v...)
	c.offsets[b.n+1] = int32(len(c.text))
}

func (b *batch) letter(col int, v byte) {
	c := &b.columns[col]
	c.text = append(c.text, v)
	c.offsets[b.n+1] = int32(len(c.text))
}

// null leaves a nullable cell empty; below it lies 0.
func (b *batch) null(col int) {
	c := &b.columns[col]
	c.valid[b.n>>3] &^= 1 << (b.n & 7)
	c.nulls++
	switch {
	case c.doubles != nil:
		c.doubles[b.n] = 0
	case c.longs != nil:
		c.longs[b.n] = 0
	default:
		c.offsets[b.n+1] = int32(len(c.text))
	}
}

// next ends the row and tells whether the batch is full.
func (b *batch) next() bool {
	b.n++
	return b.n == batchRows
}

// take returns the rows, which lie in the batch's buffers: they are good until
// reset.
func (b *batch) take() arrow.Record {
	cols := make([]arrow.Array, len(b.columns))
	for i := range cols {
		switch c := &b.columns[i]; {
		case c.longs != nil:
			cols[i] = mbp10.Int64s(c.longs[:b.n], c.valid, c.nulls)
		case c.doubles != nil:
			cols[i] = mbp10.Float64s(c.doubles[:b.n], c.valid, c.nulls)
		default:
			cols[i] = mbp10.Texts(c.text, c.offsets, b.n, c.valid, c.nulls)
		}
	}
	rec := array.NewRecord(b.schema, cols, int64(b.n))
	for _, c := range cols {
		c.Release()
	}
	return rec
}
