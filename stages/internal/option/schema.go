// Package option is what the stages of future options share: the columns of
// their tables, options found by definition and symbol, raw files sorted within
// bounded memory, and the window of the New York session. Specs 02 §B and 05, as
// spec 00 decides.
package option

import (
	"github.com/apache/arrow/go/v17/arrow"

	"dag/stages/internal/stamp"
)

// Source is the feed that bronze rows come from (spec 02 §B.2).
const Source = "DATABENTO_CME"

// Table is one of the three tables of an options product.
type Table string

// The tables.
const (
	Trades     Table = "trades"
	NBBO       Table = "nbbo"
	Statistics Table = "statistics"
)

// Positions of the columns that every bronze table begins with.
const (
	colTsEvent = iota
	colTsRecv
	colSource
	colUnderlying
	colSymbol
	colExpDate
	colStrike
	colRight
	colOwn // the first of the table's own
)

// Bronze is the schema of a bronze table (spec 02 §B.1). Prices and strikes are
// doubles in price units, times int64 ns UTC. A side of the book without a price
// is null.
func (t Table) Bronze() *arrow.Schema {
	long := func(name string) arrow.Field { return arrow.Field{Name: name, Type: arrow.PrimitiveTypes.Int64} }
	text := func(name string) arrow.Field { return arrow.Field{Name: name, Type: arrow.BinaryTypes.String} }
	double := func(name string) arrow.Field { return arrow.Field{Name: name, Type: arrow.PrimitiveTypes.Float64} }
	null := func(f arrow.Field) arrow.Field { f.Nullable = true; return f }
	expDate := text("exp_date")
	expDate.Nullable = t == Statistics
	fields := []arrow.Field{
		long("ts_event_ns"), long("ts_recv_ns"), text("source"), text("underlying"),
		text("option_symbol"), expDate, double("strike"), text("right"),
	}
	switch t {
	case Trades:
		fields = append(fields, double("price"), long("size"), null(double("opt_bid")), null(double("opt_ask")), long("seq"), long("aggressor"))
	case NBBO:
		fields = append(fields, null(double("bid_px")), null(double("ask_px")), long("bid_sz"), long("ask_sz"), long("seq"))
	case Statistics:
		fields = append(fields, double("open_interest"))
	}
	return arrow.NewSchema(fields, nil)
}

// Clean is the schema of the silver and gold tables: that of bronze with
// ts_event_est in second place (spec 05 §1).
func (t Table) Clean() *arrow.Schema { return stamp.Schema(t.Bronze(), "ts_event_ns") }
