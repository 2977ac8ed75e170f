// Package frontmonth decides once a date and root which contract is the front
// month: the one with the largest share of the trades (action T) from 09:30 to
// 12:30 New York wall-clock time of dt, by number or by volume (spec 09 §4). A date
// on which that share is small is contaminated by the roll.
//
// Contracts that are level are told apart by the other measure (volume if trades
// are counted, else their number), then by symbol: the first as text comes first.
// A contract without activity in the window is not a runner-up. Without any
// activity there is no row. The input must hold all contracts of the root: of a
// single one the share is always 1.
package frontmonth

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"dag/engine/stage"
	"dag/stages/internal/mbp10"
)

// The window in ns of New York wall-clock time, without its end.
const (
	start = 9*int64(time.Hour) + 30*int64(time.Minute)
	end   = 12*int64(time.Hour) + 30*int64(time.Minute)
)

// The values of the parameter metric.
const (
	byCount  = "count"
	byVolume = "volume"
)

// New returns the transform.
func New() stage.Transform { return transform{} }

type transform struct{}

func (transform) Spec() stage.Spec {
	return stage.Spec{
		Name:    "silver.future.front_month",
		Version: 1,
		Summary: "The most traded contract of a root and date, and how clearly it is that",
		Inputs:  []stage.Input{{Name: "events", Doc: "Book events of all contracts of the root on the date", Columns: inputSchema()}},
		Outputs: []stage.Output{{Name: "front_month", Doc: "One row; none without trades", Schema: outputSchema()}},
		Params: []stage.Param{
			{Name: "metric", Type: stage.String, Default: byCount, Enum: []string{byCount, byVolume}, Doc: "what makes a share: the number of trades, or their volume"},
			{Name: "roll_threshold", Type: stage.Float, Default: 0.60, Doc: "a largest share below this means that the date is contaminated by the roll", Check: fraction},
			mbp10.SemanticsParam("no difference here"),
		},
		Memory: 64 << 20,
	}
}

func fraction(v any) error {
	if f := v.(float64); !(f >= 0 && f <= 1) {
		return fmt.Errorf("%v is not from 0 to 1", f)
	}
	return nil
}

func inputSchema() *arrow.Schema {
	return arrow.NewSchema([]arrow.Field{
		{Name: "ts_event", Type: arrow.PrimitiveTypes.Int64},
		{Name: "action", Type: arrow.BinaryTypes.String},
		{Name: "size", Type: arrow.PrimitiveTypes.Int64},
	}, nil)
}

func outputSchema() *arrow.Schema {
	return arrow.NewSchema([]arrow.Field{
		{Name: "dt", Type: arrow.BinaryTypes.String},
		{Name: "front_month_symbol", Type: arrow.BinaryTypes.String},
		{Name: "dominance_ratio", Type: arrow.PrimitiveTypes.Float64},
		{Name: "runner_up_symbol", Type: arrow.BinaryTypes.String, Nullable: true},
		{Name: "runner_up_ratio", Type: arrow.PrimitiveTypes.Float64},
		{Name: "roll_contaminated", Type: arrow.FixedWidthTypes.Boolean},
		{Name: "trade_count", Type: arrow.PrimitiveTypes.Int64},
		{Name: "trade_volume", Type: arrow.PrimitiveTypes.Int64},
	}, nil)
}

// Run reads one contract after the other.
func (transform) Run(ctx context.Context, t stage.Task) error {
	w, err := newWindow(t.Key("dt"))
	if err != nil {
		return err
	}
	var contracts []activity
	for _, p := range t.Partitions("events") {
		symbol, ok := p.Keys().Get("symbol")
		if !ok {
			return fmt.Errorf("port events: a partition has no key symbol, only %v: collect over symbol", p.Keys().Pairs())
		}
		a := activity{symbol: symbol}
		for rec, err := range p.Read(mbp10.Names(inputSchema())...) {
			if err == nil {
				err = ctx.Err()
			}
			if err == nil {
				err = w.add(rec, &a)
			}
			if err != nil {
				return fmt.Errorf("events of %s: %w", symbol, err)
			}
		}
		contracts = append(contracts, a)
	}
	d := decide(contracts, t.Params().String("metric") == byVolume)
	return d.write(t)
}

// window is the time in which trades count.
type window struct {
	ny  *mbp10.NewYork
	day int64
}

func newWindow(dt string) (w window, err error) {
	if w.ny, err = mbp10.NewNewYork(); err != nil {
		return w, err
	}
	if w.day, err = mbp10.Day(dt); err != nil {
		return w, fmt.Errorf("key dt: %w", err)
	}
	return w, nil
}

// activity is what one contract traded in the window.
type activity struct {
	symbol        string
	count, volume int64
}

// add counts the trades of a batch.
func (w window) add(rec arrow.Record, a *activity) error {
	ts, ok1 := rec.Column(0).(*array.Int64)
	action, ok2 := rec.Column(1).(*array.String)
	size, ok3 := rec.Column(2).(*array.Int64)
	if !ok1 || !ok2 || !ok3 {
		return fmt.Errorf("the columns ts_event, action and size are %s, %s and %s, not int64, utf8 and int64", rec.Column(0).DataType(), rec.Column(1).DataType(), rec.Column(2).DataType())
	}
	for i := range ts.Len() {
		if action.Value(i) != "T" {
			continue
		}
		if day, clock := w.ny.Local(ts.Value(i)); day != w.day || clock < start || clock >= end {
			continue
		}
		a.count++
		a.volume += size.Value(i)
	}
	return nil
}

// decision is who is ahead. runnerUp is empty if nobody else traded.
type decision struct {
	front, runnerUp           string
	frontShare, runnerUpShare float64
	count, volume             int64 // of all contracts
}

// decide ranks the contracts, which come in any order.
func decide(contracts []activity, volume bool) decision {
	measures := func(a activity) (first, second int64) {
		if volume {
			return a.volume, a.count
		}
		return a.count, a.volume
	}
	slices.SortFunc(contracts, func(a, b activity) int {
		a1, a2 := measures(a)
		b1, b2 := measures(b)
		return cmp.Or(cmp.Compare(b1, a1), cmp.Compare(b2, a2), cmp.Compare(a.symbol, b.symbol))
	})
	var d decision
	total := int64(0)
	for _, a := range contracts {
		d.count += a.count
		d.volume += a.volume
		first, _ := measures(a)
		total += first
	}
	share := func(i int) (string, float64) {
		if i >= len(contracts) {
			return "", 0
		}
		first, _ := measures(contracts[i])
		if first == 0 {
			return "", 0
		}
		return contracts[i].symbol, float64(first) / float64(total)
	}
	d.front, d.frontShare = share(0)
	d.runnerUp, d.runnerUpShare = share(1)
	return d
}

// write writes the row, or none.
func (d decision) write(t stage.Task) error {
	out, err := t.Output("front_month")
	if err != nil {
		return err
	}
	if d.front == "" {
		return out.Close()
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, outputSchema())
	defer b.Release()
	text := func(i int) *array.StringBuilder { return b.Field(i).(*array.StringBuilder) }
	double := func(i int) *array.Float64Builder { return b.Field(i).(*array.Float64Builder) }
	text(0).Append(t.Key("dt"))
	text(1).Append(d.front)
	double(2).Append(d.frontShare)
	if d.runnerUp == "" {
		text(3).AppendNull()
	} else {
		text(3).Append(d.runnerUp)
	}
	double(4).Append(d.runnerUpShare)
	b.Field(5).(*array.BooleanBuilder).Append(d.frontShare < t.Params().Float("roll_threshold"))
	b.Field(6).(*array.Int64Builder).Append(d.count)
	b.Field(7).(*array.Int64Builder).Append(d.volume)
	rec := b.NewRecord()
	defer rec.Release()
	if err := out.Write(rec); err != nil {
		return err
	}
	return out.Close()
}
