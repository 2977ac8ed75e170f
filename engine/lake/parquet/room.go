package parquet

import (
	"fmt"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
)

// room is what a page can take: levels, which are rows or items of lists, and bytes
// of texts with their lengths.
type room struct{ levels, bytes int }

// pageRoom is less than readers allow, which hold encoded texts against it.
var pageRoom = room{maxPage, 1 << 28}

func (r room) less(o room) room  { return room{r.levels - o.levels, r.bytes - o.bytes} }
func (r room) holds(o room) bool { return o.levels <= r.levels && o.bytes <= r.bytes }

// weight is what rows [lo,hi) take at most; of a single row, precisely, so that pages
// end where they do whatever the batches are.
func weight(arr arrow.Array, lo, hi int) room {
	single := hi-lo == 1
	if single && arr.IsNull(lo) {
		return room{levels: 1}
	}
	switch a := arr.(type) {
	case *array.String:
		return room{hi - lo, a.ValueOffset(hi) - a.ValueOffset(lo) + 4*(hi-lo)}
	case *array.List:
		return listWeight(a, lo, hi, single)
	}
	return room{levels: hi - lo}
}

func listWeight(a *array.List, lo, hi int, single bool) room {
	from, _ := a.ValueOffsets(lo)
	_, to := a.ValueOffsets(hi - 1)
	out := room{levels: int(to - from)}
	if !single {
		out.levels += hi - lo // those that are empty
	}
	out.levels = max(1, out.levels)
	texts, ok := a.ListValues().(*array.String)
	if !ok || from == to {
		return out
	}
	if !single || texts.NullN() == 0 {
		out.bytes = weight(texts, int(from), int(to)).bytes
		return out
	}
	for k := int(from); k < int(to); k++ {
		out.bytes += weight(texts, k, k+1).bytes
	}
	return out
}

// left is the room in the page being filled.
func (c *chunk) left() room {
	used := room{levels: c.rows}
	if c.list != nil {
		used.levels = c.list.n
	}
	if t, ok := c.values.(*texts); ok {
		used.bytes = len(t.page) + 4*t.len()
	}
	return c.room.less(used)
}

// fitting is how many of the rows [lo,hi) the page has room for.
func (c *chunk) fitting(arr arrow.Array, lo, hi int) int {
	left := c.left()
	if left.holds(weight(arr, lo, hi)) {
		return hi - lo
	}
	for i := lo; i < hi; i++ {
		w := weight(arr, i, i+1)
		if !left.holds(w) {
			return i - lo
		}
		left = left.less(w)
	}
	return hi - lo
}

// check refuses rows of a batch that no page has room for; row is that of the first.
func (c *chunk) check(arr arrow.Array, row int64) error {
	n := arr.Len()
	if n == 0 || c.room.holds(weight(arr, 0, n)) {
		return nil
	}
	for i := range n {
		if w := weight(arr, i, i+1); !c.room.holds(w) {
			return fmt.Errorf("row %d has %d items and %d bytes of text, and a page holds %d and %d: split it over several rows",
				row+int64(i), w.levels, w.bytes, c.room.levels, c.room.bytes)
		}
	}
	return nil
}
