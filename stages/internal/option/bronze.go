package option

import (
	"context"
	"fmt"
	"math"

	"dag/engine/stage"
	"dag/stages/internal/dbn"
	"dag/stages/internal/spill"
)

const minSortMemory = 64 << 10

// BronzeMemory is what a bronze run may need: the sort, the definitions of a
// day, a batch and its writer.
const BronzeMemory = 256 << 20

// BronzeParams are the parameters of the bronze stages.
func BronzeParams() []stage.Param {
	return []stage.Param{
		{Name: "max_unmapped_fraction", Type: stage.Float, Default: 0.01, Check: fraction,
			Doc: "largest part of the day's records that may have no symbol; more fails the stage"},
		{Name: "max_undefined_fraction", Type: stage.Float, Default: 0.01, Check: fraction,
			Doc: "largest part of the day's records whose option's root, expiry, strike or right nothing tells; more fails the stage"},
		{Name: "sort_memory", Type: stage.Int, Default: int64(64 << 20), Check: sortMemory,
			Doc: "bytes for records to be sorted; what does not fit into half of them goes to disk"},
	}
}

// StatisticsParams are those of bronze statistics.
func StatisticsParams() []stage.Param {
	return append(BronzeParams(), stage.Param{Name: "without_definitions", Type: stage.Bool, Default: false,
		Doc: "take a day on which nothing is defined: strike and right of its options are those of their symbols, and exp_date is null"})
}

// DefinitionsInput is the port of instrument definitions.
func DefinitionsInput() stage.Input {
	return stage.Input{Name: "definitions", Doc: "DBN files of schema definition: strike, right and expiry of each option", Raw: true}
}

// QuotesInput is the port of quotes.
func QuotesInput() stage.Input {
	return stage.Input{Name: "quotes", Doc: "DBN files of schema mbp-1, bbo, cmbp-1 or cbbo", Raw: true}
}

func fraction(v any) error {
	if f := v.(float64); !(f >= 0 && f <= 1) {
		return fmt.Errorf("%v is not between 0 and 1", f)
	}
	return nil
}

func sortMemory(v any) error {
	if n := v.(int64); n < minSortMemory {
		return fmt.Errorf("%d is less than the %d bytes it takes", n, minSortMemory)
	}
	return nil
}

// RunTrades makes bronze trades of the ports trades, quotes and definitions.
// opt_bid and opt_ask are those of the last quote of the option that comes before
// the trade by (ts_event_ns, seq): trades and the quotes of traded options are
// sorted together, and one pass keeps the last quote of each option. A quote without
// a sequence may have come after any trade of its time, so it comes after all.
func RunTrades(ctx context.Context, t stage.Task) error {
	b, err := newBronze(ctx, t, Trades)
	if err != nil {
		return err
	}
	defer b.sorter.Close()
	var traded []bool // by option
	trades := feed{kind: tradeKind(), port: "trades", chain: b.chain, take: func(e *event) (reason, error) {
		for int(e.option) >= len(traded) {
			traded = append(traded, false)
		}
		traded[e.option] = true
		return kept, b.add(e)
	}}
	if err := trades.run(ctx, t); err != nil {
		return err
	}
	quotes := feed{kind: quoteKind(), port: "quotes", prefix: "quotes_", chain: b.chain, take: func(e *event) (reason, error) {
		if int(e.option) >= len(traded) || !traded[e.option] {
			return notTraded, nil
		}
		if e.unsequenced {
			e.sequence = math.MaxUint32
		}
		return kept, b.add(e)
	}}
	quotes.own = append(quotes.own, notTraded)
	if err := quotes.run(ctx, t); err != nil {
		return err
	}
	last := make([]quote, len(traded))
	return b.write(ctx, t, func(e *event, rows *batch) bool {
		if e.quote {
			last[e.option] = quote{e.first, e.second, true}
			return false
		}
		rows.price(colOwn, e.first)
		rows.long(colOwn+1, int64(e.firstSize))
		rows.quote(colOwn+2, last[e.option])
		rows.long(colOwn+4, int64(e.sequence))
		rows.long(colOwn+5, e.second)
		return true
	})
}

// RunNBBO makes bronze quotes of the ports quotes and definitions.
func RunNBBO(ctx context.Context, t stage.Task) error {
	return runSingle(ctx, t, NBBO, quoteKind(), "quotes", func(e *event, rows *batch) bool {
		rows.quote(colOwn, quote{e.first, e.second, true})
		rows.long(colOwn+2, int64(e.firstSize))
		rows.long(colOwn+3, int64(e.secondSize))
		rows.long(colOwn+4, int64(e.sequence))
		return true
	})
}

// RunStatistics makes bronze statistics of the ports statistics and definitions.
// Options without a definition take strike and right from their symbol, where
// the definitions of others tell its scale and root, and have no exp_date;
// rows_without_exp_date counts them.
func RunStatistics(ctx context.Context, t stage.Task) error {
	return runSingle(ctx, t, Statistics, statisticKind(), "statistics", func(e *event, rows *batch) bool {
		rows.double(colOwn, float64(e.first))
		return true
	})
}

// runSingle makes a table of the records of one port.
func runSingle(ctx context.Context, t stage.Task, table Table, k kind, port string, own func(e *event, rows *batch) bool) error {
	b, err := newBronze(ctx, t, table)
	if err != nil {
		return err
	}
	defer b.sorter.Close()
	b.chain.needDefinitions = table == Statistics && !t.Params().Bool("without_definitions")
	f := feed{kind: k, port: port, chain: b.chain, take: func(e *event) (reason, error) { return kept, b.add(e) }}
	if err := f.run(ctx, t); err != nil {
		return err
	}
	return b.write(ctx, t, own)
}

// bronze is a run of a bronze stage.
type bronze struct {
	table  Table
	chain  *Chain
	sorter *spill.Sorter
	record [eventSize]byte
}

func newBronze(ctx context.Context, t stage.Task, table Table) (*bronze, error) {
	chain, err := readChain(ctx, t, table != Statistics)
	if err != nil {
		return nil, err
	}
	return &bronze{table: table, chain: chain, sorter: chain.newSorter(t, int(t.Params().Int("sort_memory")))}, nil
}

func (b *bronze) add(e *event) error {
	e.put(b.record[:])
	return b.sorter.Add(0, b.record[:])
}

// write writes the sorted events as rows. own fills the table's own columns of a
// row, or tells that the event is none.
func (b *bronze) write(ctx context.Context, t stage.Task, own func(e *event, rows *batch) bool) error {
	if err := b.sorter.Finish(); err != nil {
		return err
	}
	w, err := t.Output(string(b.table))
	if err != nil {
		return err
	}
	rows := newBatch(b.table.Bronze())
	root := t.Key("root")
	var e event
	err = b.sorter.Sorted(0, func(block []byte) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		for ; len(block) > 0; block = block[eventSize:] {
			e.get(block)
			if !own(&e, rows) {
				continue
			}
			rows.common(root, b.chain.option(e.option), &e)
			if !rows.next() {
				continue
			}
			if err := rows.flush(w); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil && rows.n > 0 {
		err = rows.flush(w)
	}
	if err != nil {
		return err
	}
	if b.table == Statistics {
		t.Count("rows_without_exp_date", rows.withoutExpDate)
	}
	return w.Close()
}

// quote is a state of the best prices.
type quote struct {
	bid, ask int64
	known    bool // false before the first
}

// common fills the columns that all bronze tables begin with.
func (b *batch) common(root string, o *Option, e *event) {
	b.long(colTsEvent, int64(e.tsEvent))
	b.long(colTsRecv, int64(e.tsRecv))
	b.string(colSource, Source)
	b.string(colUnderlying, root)
	b.string(colSymbol, o.Symbol)
	if o.ExpDate == "" {
		b.null(colExpDate)
		b.withoutExpDate++
	} else {
		b.string(colExpDate, o.ExpDate)
	}
	b.double(colStrike, o.Strike)
	b.letter(colRight, o.Right)
}

// price writes a raw price in price units; an undefined one is null.
func (b *batch) price(col int, raw int64) {
	if raw == dbn.UndefPrice {
		b.null(col)
		return
	}
	b.double(col, float64(raw)/1e9)
}

// quote writes bid and ask side by side; both are null if nothing is known.
func (b *batch) quote(col int, q quote) {
	if !q.known {
		b.null(col)
		b.null(col + 1)
		return
	}
	b.price(col, q.bid)
	b.price(col+1, q.ask)
}

// flush writes the batch and empties it.
func (b *batch) flush(w stage.Writer) error {
	rec := b.take()
	defer rec.Release()
	err := w.Write(rec)
	b.reset()
	return err
}
