package option

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"dag/engine/stage"
	"dag/stages/internal/mbp10"
)

// The window in ns of New York wall-clock time on dt, without its end.
const (
	windowStart = 9*int64(time.Hour) + 30*int64(time.Minute)
	windowEnd   = 12*int64(time.Hour) + 30*int64(time.Minute)
)

// rowsPort is the port of the rows that a gold stage reads, and that it writes.
const rowsPort = "rows"

// RunTradesWindow writes the trades of the window [09:30,12:30) of dt, New York
// time, in their order (spec 05 §2 with O-4, O-5, O-7).
func RunTradesWindow(t stage.Task) error {
	c, err := newClock(t)
	if err != nil {
		return err
	}
	return selectRows(t, Trades, func(tsEvent, _ int64) bool { return c.inWindow(tsEvent) })
}

// RunNBBOWindow writes the quotes of the window, and before them the last quote
// of each option before 09:30, at its own time (O-9).
func RunNBBOWindow(t stage.Task) error {
	c, err := newClock(t)
	if err != nil {
		return err
	}
	first, err := lastRows(t, "ts_event_ns", c)
	if err != nil {
		return err
	}
	return selectRows(t, NBBO, func(tsEvent, position int64) bool { return first.take(position) || c.inWindow(tsEvent) })
}

// RunStatisticsWindow writes of every option the open interest received last
// before 09:30 of dt, New York time (O-8), in the order of the input.
func RunStatisticsWindow(t stage.Task) error {
	c, err := newClock(t)
	if err != nil {
		return err
	}
	last, err := lastRows(t, "ts_recv_ns", c)
	if err != nil {
		return err
	}
	return selectRows(t, Statistics, func(_, position int64) bool { return last.take(position) })
}

// clock tells where times lie on dt.
type clock struct {
	ny  *mbp10.NewYork
	day int64 // dt
}

func newClock(t stage.Task) (*clock, error) {
	ny, err := mbp10.NewNewYork()
	if err != nil {
		return nil, err
	}
	day, err := mbp10.Day(t.Key("dt"))
	if err != nil {
		return nil, fmt.Errorf("key dt: %w", err)
	}
	return &clock{ny: ny, day: day}, nil
}

func (c *clock) inWindow(ns int64) bool {
	day, clock := c.ny.Local(ns)
	return day == c.day && clock >= windowStart && clock < windowEnd
}

func (c *clock) beforeWindow(ns int64) bool {
	day, clock := c.ny.Local(ns)
	return day < c.day || day == c.day && clock < windowStart
}

// positions are rows of a port, counted from 0, ascending.
type positions []int64

// take tells whether a row is among them; rows are asked for in order.
func (p *positions) take(row int64) bool {
	if len(*p) == 0 || (*p)[0] != row {
		return false
	}
	*p = (*p)[1:]
	return true
}

// lastRows finds the row of each option with the latest time before the window;
// of equal times the later row. It reads two columns, and holds one time an
// option.
func lastRows(t stage.Task, column string, c *clock) (positions, error) {
	type last struct{ time, position int64 }
	byOption := map[string]*last{}
	at := int64(0)
	for rec, err := range t.Read(rowsPort, "option_symbol", column) {
		if err != nil {
			return nil, err
		}
		symbols := rec.Column(0).(*array.String)
		for i, ns := range rec.Column(1).(*array.Int64).Int64Values() {
			if !c.beforeWindow(ns) {
				continue
			}
			l, ok := byOption[symbols.Value(i)]
			if !ok {
				l = &last{time: ns}
				byOption[strings.Clone(symbols.Value(i))] = l
			}
			if ns >= l.time {
				*l = last{ns, at + int64(i)}
			}
		}
		at += rec.NumRows()
	}
	rows := make(positions, 0, len(byOption))
	for _, l := range byOption {
		rows = append(rows, l.position)
	}
	slices.Sort(rows)
	return rows, nil
}

// selectRows writes the rows that keep wants, by time and position, in their
// order. Rows that stand together pass through as a slice of their batch,
// uncopied.
func selectRows(t stage.Task, table Table, keep func(tsEvent, position int64) bool) error {
	w, err := t.Output(rowsPort)
	if err != nil {
		return err
	}
	schema := table.Clean()
	at := int64(0)
	for rec, err := range t.Read(rowsPort, mbp10.Names(schema)...) {
		if err != nil {
			return err
		}
		ts := rec.Column(colTsEvent).(*array.Int64).Int64Values()
		from := 0
		for i := range len(ts) + 1 {
			if i < len(ts) && keep(ts[i], at+int64(i)) {
				continue
			}
			if from < i {
				if err := writeSlice(w, schema, rec, from, i); err != nil {
					return err
				}
			}
			from = i + 1
		}
		at += rec.NumRows()
	}
	return w.Close()
}

func writeSlice(w stage.Writer, schema *arrow.Schema, rec arrow.Record, from, to int) error {
	whole := array.NewRecord(schema, rec.Columns(), rec.NumRows())
	defer whole.Release()
	part := whole.NewSlice(int64(from), int64(to))
	defer part.Release()
	return w.Write(part)
}
