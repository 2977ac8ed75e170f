package mbp10

import (
	"encoding/binary"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"dag/stages/internal/dbn"
)

// RecordSize is the size of a raw mbp-10 record, without ts_out.
const RecordSize = dbn.MBP10Size

// blockRecords is how many records are decoded column by column while they are
// in the processor's nearest cache.
const blockRecords = 32

// Places in a raw record (spec 12).
const (
	atRType      = 1
	atPublisher  = 2
	atInstrument = 4
	atTsEvent    = 8
	atPrice      = 16
	atSize       = 24
	atAction     = 28
	atSide       = 29
	atFlags      = 30
	atDepth      = 31
	atTsRecv     = 32
	atSequence   = 44
	atLevels     = 48
	levelSize    = 32
)

// Builder turns raw records into bronze batches. Its buffers are used again
// after every batch; appending allocates nothing.
type Builder struct {
	schema *arrow.Schema
	rows   int // of a full batch
	n      int

	longs  [bronzeColumns][]int64 // nil for columns of other types
	ints   [bronzeColumns][]int32
	prices [bronzeColumns]validity // of the nullable columns
	bits   [bronzeColumns][]byte
	action []byte
	side   []byte

	letters     []int32 // offsets of one-letter texts
	symbols     []byte  // the symbol, once for every row
	symbolStart []int32
}

// validity says which prices of a batch are defined.
type validity struct {
	bits  []byte
	nulls int
}

// flagBits are the bits of flags that have columns of their own.
var flagBits = [...]struct {
	column int
	shift  uint
}{{colLast, 7}, {colSnapshot, 5}, {colBadTs, 3}, {colBadBook, 2}}

// NewBuilder makes room for batches of rows.
func NewBuilder(rows int) *Builder {
	b := &Builder{schema: BronzeSchema(), rows: rows, letters: Offsets(rows, 1), action: make([]byte, rows), side: make([]byte, rows)}
	for i, f := range b.schema.Fields() {
		switch f.Type.ID() {
		case arrow.INT64:
			b.longs[i] = make([]int64, rows)
		case arrow.INT32:
			b.ints[i] = make([]int32, rows)
		case arrow.BOOL:
			b.bits[i] = make([]byte, (rows+7)/8)
		}
		if f.Nullable {
			b.prices[i].bits = make([]byte, (rows+7)/8)
		}
	}
	return b
}

// SetSymbol names the contract of the rows to come; the batch must be empty.
func (b *Builder) SetSymbol(symbol string) {
	b.symbols = []byte(strings.Repeat(symbol, b.rows))
	b.symbolStart = Offsets(b.rows, len(symbol))
}

// Rows is how many rows the batch holds.
func (b *Builder) Rows() int { return b.n }

// Append decodes as many of the records, which lie one behind the other, as
// the batch has room for, and returns the others. Times must fit int64, and
// action and side be ASCII.
func (b *Builder) Append(records []byte) (rest []byte) {
	if b.n == 0 {
		b.reset()
	}
	take := min(len(records)/RecordSize, b.rows-b.n)
	block := records[:take*RecordSize]
	for len(block) > 0 {
		n := min(len(block)/RecordSize, blockRecords)
		b.events(block[:n*RecordSize])
		for i := range Levels {
			b.level(block[:n*RecordSize], i)
		}
		b.flags(block[:n*RecordSize])
		b.n += n
		block = block[n*RecordSize:]
	}
	return records[take*RecordSize:]
}

// events fills what comes before the levels.
func (b *Builder) events(block []byte) {
	le := binary.LittleEndian
	recv, event, seq := b.longs[colTsRecv][b.n:], b.longs[colTsEvent][b.n:], b.longs[colSequence][b.n:]
	instrument, price, size := b.longs[colInstrument][b.n:], b.longs[colPrice][b.n:], b.longs[colSize][b.n:]
	flags, rtype := b.ints[colFlags][b.n:], b.ints[colRType][b.n:]
	publisher, depth := b.ints[colPublisher][b.n:], b.ints[colDepth][b.n:]
	for i := range len(block) / RecordSize {
		r := block[i*RecordSize:][:atLevels]
		recv[i] = int64(le.Uint64(r[atTsRecv:]))
		flags[i] = int32(r[atFlags])
		event[i] = int64(le.Uint64(r[atTsEvent:]))
		rtype[i] = int32(r[atRType])
		seq[i] = int64(le.Uint32(r[atSequence:]))
		publisher[i] = int32(le.Uint16(r[atPublisher:]))
		instrument[i] = int64(le.Uint32(r[atInstrument:]))
		b.action[b.n+i], b.side[b.n+i] = r[atAction], r[atSide]
		depth[i] = int32(r[atDepth])
		price[i] = b.price(colPrice, i, int64(le.Uint64(r[atPrice:])))
		size[i] = int64(le.Uint32(r[atSize:]))
	}
}

// level fills the six columns of a level.
func (b *Builder) level(block []byte, level int) {
	le := binary.LittleEndian
	c := colLevels + perLevel*level
	bidPx, askPx := b.longs[c][b.n:], b.longs[c+1][b.n:]
	bidSz, askSz := b.longs[c+2][b.n:], b.longs[c+3][b.n:]
	bidCt, askCt := b.longs[c+4][b.n:], b.longs[c+5][b.n:]
	for i := range len(block) / RecordSize {
		l := block[i*RecordSize+atLevels+level*levelSize:][:levelSize]
		bidPx[i] = b.price(c, i, int64(le.Uint64(l)))
		askPx[i] = b.price(c+1, i, int64(le.Uint64(l[8:])))
		bidSz[i] = int64(le.Uint32(l[16:]))
		askSz[i] = int64(le.Uint32(l[20:]))
		bidCt[i] = int64(le.Uint32(l[24:]))
		askCt[i] = int64(le.Uint32(l[28:]))
	}
}

// price returns what is stored for a raw price of the block's row i.
func (b *Builder) price(column, i int, raw int64) int64 {
	if raw == dbn.UndefPrice {
		return b.null(column, b.n+i)
	}
	return raw
}

// null marks a price as undefined; what lies below a null is 0.
func (b *Builder) null(column, row int) int64 {
	v := &b.prices[column]
	v.bits[row>>3] &^= 1 << (row & 7)
	v.nulls++
	return 0
}

// flags fills the columns of single flags.
func (b *Builder) flags(block []byte) {
	for _, f := range flagBits {
		bits := b.bits[f.column]
		for i := range len(block) / RecordSize {
			row := b.n + i
			bits[row>>3] |= block[i*RecordSize+atFlags] >> f.shift & 1 << (row & 7)
		}
	}
}

// Take returns the batch and empties the builder. The batch lies in the
// builder's buffers: it is good until the next Append.
func (b *Builder) Take() arrow.Record {
	cols := make([]arrow.Array, bronzeColumns)
	for i := range cols {
		switch {
		case b.longs[i] != nil:
			cols[i] = Int64s(b.longs[i][:b.n], b.prices[i].bits, b.prices[i].nulls)
		case b.ints[i] != nil:
			cols[i] = Int32s(b.ints[i][:b.n])
		case b.bits[i] != nil:
			cols[i] = Bools(b.bits[i], b.n)
		}
	}
	cols[colAction] = FixedTexts(b.action, b.letters, b.n)
	cols[colSide] = FixedTexts(b.side, b.letters, b.n)
	cols[colSymbol] = FixedTexts(b.symbols, b.symbolStart, b.n)
	rec := array.NewRecord(b.schema, cols, int64(b.n))
	for _, c := range cols {
		c.Release()
	}
	b.n = 0
	return rec
}

// reset makes every price defined and every flag false again.
func (b *Builder) reset() {
	for i := range b.prices {
		if v := &b.prices[i]; v.bits != nil {
			for j := range v.bits {
				v.bits[j] = 0xFF
			}
			v.nulls = 0
		}
		clear(b.bits[i])
	}
}
