package option

import (
	"encoding/binary"

	"dag/stages/internal/spill"
)

// event is what is kept of a record until it becomes a row.
type event struct {
	tsEvent, tsRecv       uint64
	sequence              uint32
	option                int32
	first, second         int64 // trade: price, aggressor; quote: bid, ask; statistic: quantity
	firstSize, secondSize uint32
	quote                 bool

	unsequenced bool // no sequence tells its place among others of its time; not kept at rest
}

// An event at rest: eventSize bytes, in whose number of the option the topmost bit
// says that it is a quote.
const (
	eventSize = 48
	quoteBit  = 1 << 31
)

// put writes e to dst.
func (e *event) put(dst []byte) {
	le := binary.LittleEndian
	dst = dst[:eventSize]
	le.PutUint64(dst, e.tsEvent)
	le.PutUint64(dst[8:], e.tsRecv)
	le.PutUint32(dst[16:], e.sequence)
	option := uint32(e.option)
	if e.quote {
		option |= quoteBit
	}
	le.PutUint32(dst[20:], option)
	le.PutUint64(dst[24:], uint64(e.first))
	le.PutUint64(dst[32:], uint64(e.second))
	le.PutUint32(dst[40:], e.firstSize)
	le.PutUint32(dst[44:], e.secondSize)
}

// get reads e from src.
func (e *event) get(src []byte) {
	le := binary.LittleEndian
	src = src[:eventSize]
	option := le.Uint32(src[20:])
	*e = event{
		tsEvent: le.Uint64(src), tsRecv: le.Uint64(src[8:]), sequence: le.Uint32(src[16:]), option: int32(option &^ quoteBit),
		first: int64(le.Uint64(src[24:])), second: int64(le.Uint64(src[32:])),
		firstSize: le.Uint32(src[40:]), secondSize: le.Uint32(src[44:]), quote: option&quoteBit != 0,
	}
}

// newSorter sorts events by (ts_event, sequence), then trades before quotes, then
// by option symbol (O-12), then as they came. So a quote comes before exactly
// the trades that it precedes in time and sequence.
func (c *Chain) newSorter(scratch spill.Scratch, budget int) *spill.Sorter {
	key := func(rec []byte) spill.Key {
		le := binary.LittleEndian
		return spill.Key{TS: le.Uint64(rec), Seq: le.Uint32(rec[16:]), Tie: le.Uint32(rec[20:])}
	}
	ties := func(a, b uint32) int {
		if (a^b)&quoteBit != 0 {
			return int(a>>31) - int(b>>31)
		}
		return c.compareSymbols(int32(a&^quoteBit), int32(b&^quoteBit))
	}
	return spill.NewSorter(scratch, spill.Layout{Size: eventSize, Key: key, Ties: ties}, budget)
}
