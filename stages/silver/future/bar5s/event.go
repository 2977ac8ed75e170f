package bar5s

import (
	"fmt"
	"math"
	"slices"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"dag/stages/internal/book"
)

// event is one record of the book: what happened, and the book after it.
type event struct {
	ts, seq      int64
	action, side byte
	flags        int32
	price        float64 // NaN where undefined
	size         float64
	book         book.Book
}

// noFlow are the flags of records beside which a change of the book is no
// flow: a snapshot, and a possibly bad book.
const noFlow = 0x20 | 0x04

// columns are the input columns of one batch as typed slices.
type columns struct {
	ts, seq, size        []int64
	flags                []int32
	action, side, symbol *array.String
	price                price
	bidPx, askPx         [book.Depth]price
	bidSz, askSz         [book.Depth][]int64
	bidCt, askCt         [book.Depth][]int64
}

// price is a nullable column of 1e-9 units.
type price struct {
	col    *array.Int64
	values []int64
	nulls  bool
}

func (p *price) at(i int) float64 {
	if p.nulls && p.col.IsNull(i) {
		return math.NaN()
	}
	return float64(p.values[i]) / 1e9
}

// columnsOf takes a batch of inputSchema apart.
func columnsOf(rec arrow.Record) (*columns, error) {
	c, next := &columns{}, 0
	var bad error
	take := func() arrow.Array {
		next++
		return rec.Column(next - 1)
	}
	ints := func() []int64 {
		col, ok := take().(*array.Int64)
		if !ok {
			bad = fmt.Errorf("column %s is %s, not int64", rec.ColumnName(next-1), rec.Column(next-1).DataType())
			return nil
		}
		return col.Int64Values()
	}
	prices := func() price {
		col, ok := take().(*array.Int64)
		if !ok {
			bad = fmt.Errorf("column %s is %s, not int64", rec.ColumnName(next-1), rec.Column(next-1).DataType())
			return price{}
		}
		return price{col, col.Int64Values(), col.NullN() > 0}
	}
	texts := func() *array.String {
		col, ok := take().(*array.String)
		if !ok {
			bad = fmt.Errorf("column %s is %s, not text", rec.ColumnName(next-1), rec.Column(next-1).DataType())
		}
		return col
	}
	if rec.NumCols() != int64(len(inputNames())) {
		return nil, fmt.Errorf("a batch has %d columns instead of %d", rec.NumCols(), len(inputNames()))
	}
	c.ts, c.seq, c.size = ints(), ints(), ints()
	if flags, ok := take().(*array.Int32); ok {
		c.flags = flags.Int32Values()
	} else {
		bad = fmt.Errorf("column flags is not int32")
	}
	c.action, c.side, c.symbol = texts(), texts(), texts()
	c.price = prices()
	for i := range book.Depth {
		c.bidPx[i], c.askPx[i] = prices(), prices()
		c.bidSz[i], c.askSz[i] = ints(), ints()
		c.bidCt[i], c.askCt[i] = ints(), ints()
	}
	return c, bad
}

// read fills e from row i.
func (c *columns) read(i int, e *event) {
	e.ts, e.seq, e.flags = c.ts[i], c.seq[i], c.flags[i]
	e.action, e.side = letter(c.action, i), letter(c.side, i)
	e.price, e.size = c.price.at(i), quantity(c.size[i])
	for l := range book.Depth {
		e.book.Bid.Px[l], e.book.Ask.Px[l] = c.bidPx[l].at(i), c.askPx[l].at(i)
		e.book.Bid.Sz[l], e.book.Ask.Sz[l] = quantity(c.bidSz[l][i]), quantity(c.askSz[l][i])
		e.book.Bid.Ct[l], e.book.Ask.Ct[l] = quantity(c.bidCt[l][i]), quantity(c.askCt[l][i])
	}
}

func letter(col *array.String, i int) byte {
	if s := col.Value(i); len(s) == 1 {
		return s[0]
	}
	return 0
}

// quantity clamps what cannot be negative (spec 03 §4.1).
func quantity(n int64) float64 { return float64(max(n, 0)) }

// queue holds the records of one ts_event, so that they go on in the order of
// their sequence; ties keep the order of the input.
type queue struct {
	group []event
	n     int
}

// push reads row i of a batch, row number row of the input, and passes on the
// group before it when its time is over.
func (q *queue) push(c *columns, i int, row int64, b *builder) error {
	if q.n > 0 {
		switch last := q.group[0].ts; {
		case c.ts[i] < last:
			return fmt.Errorf("row %d has ts_event %d, before %d of the row above: the events must ascend by ts_event; make the input again", row, c.ts[i], last)
		case c.ts[i] > last:
			if err := q.flush(b); err != nil {
				return err
			}
		}
	}
	if q.n == len(q.group) {
		q.group = append(q.group, event{})
	}
	c.read(i, &q.group[q.n])
	q.n++
	return nil
}

func (q *queue) flush(b *builder) error {
	group := q.group[:q.n]
	bySequence := func(x, y event) int { return int(min(max(x.seq-y.seq, -1), 1)) }
	if len(group) > 1 && !slices.IsSortedFunc(group, bySequence) {
		slices.SortStableFunc(group, bySequence)
	}
	q.n = 0
	for i := range group {
		if err := b.event(&group[i]); err != nil {
			return err
		}
	}
	return nil
}
