package bar5s

import (
	"cmp"
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

// at returns price units, NaN for null.
func (p *price) at(i int) float64 {
	if p.nulls && p.col.IsNull(i) {
		return math.NaN()
	}
	return float64(p.values[i]) / 1e9
}

// taker takes the columns of a batch one by one, and keeps the first mistake.
type taker struct {
	rec  arrow.Record
	next int
	err  error
}

func take[T arrow.Array](t *taker) (col T, ok bool) {
	i := t.next
	t.next++
	if i >= int(t.rec.NumCols()) {
		t.err = cmp.Or(t.err, fmt.Errorf("a batch of events has %d columns only", t.rec.NumCols()))
		return col, false
	}
	if col, ok = t.rec.Column(i).(T); !ok {
		t.err = cmp.Or(t.err, fmt.Errorf("column %q of the events is %s, not %T", t.rec.ColumnName(i), t.rec.Column(i).DataType(), col))
	}
	return col, ok
}

func (t *taker) longs() []int64 {
	if col, ok := take[*array.Int64](t); ok {
		return col.Int64Values()
	}
	return nil
}

func (t *taker) price() price {
	if col, ok := take[*array.Int64](t); ok {
		return price{col, col.Int64Values(), col.NullN() > 0}
	}
	return price{}
}

func (t *taker) text() *array.String {
	col, _ := take[*array.String](t)
	return col
}

// columnsOf takes a batch of inputSchema apart. The slices are those of rec.
func columnsOf(rec arrow.Record) (*columns, error) {
	c, t := &columns{}, &taker{rec: rec}
	c.ts, c.seq, c.size = t.longs(), t.longs(), t.longs()
	if flags, ok := take[*array.Int32](t); ok {
		c.flags = flags.Int32Values()
	}
	c.action, c.side, c.symbol = t.text(), t.text(), t.text()
	c.price = t.price()
	for i := range book.Depth {
		c.bidPx[i], c.askPx[i] = t.price(), t.price()
		c.bidSz[i], c.askSz[i] = t.longs(), t.longs()
		c.bidCt[i], c.askCt[i] = t.longs(), t.longs()
	}
	return c, t.err
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

// push reads row i of a batch, which is row (from 0) of the input, and passes on the
// group before it when its time is over.
func (q *queue) push(c *columns, i int, row int64, b *builder) error {
	if q.n > 0 {
		switch last := q.group[0].ts; {
		case c.ts[i] < last:
			return fmt.Errorf("row %d of the events has ts_event %d, before the %d of the row above: bars need ascending times; make the input partition again, its stage sorts them", row+1, c.ts[i], last)
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

// flush passes the group on.
func (q *queue) flush(b *builder) error {
	group := q.group[:q.n]
	if len(group) > 1 {
		slices.SortStableFunc(group, func(x, y event) int { return cmp.Compare(x.seq, y.seq) })
	}
	q.n = 0
	for i := range group {
		if err := b.event(&group[i]); err != nil {
			return err
		}
	}
	return nil
}
