// Package trades makes bronze trades of future options from the vendor's files of
// a day (spec 02 §B.2). Each carries strike, right and expiry of its option and
// the quote in force before it.
//
// Kept are trade records (action T, with size and price) whose ts_recv falls on
// the UTC day dt (B-5) and whose instrument is mapped to an option of the root.
// Everything left out is counted: records_read is the sum of records_kept and all
// dropped_ metrics; the metrics of quotes and definitions carry their names.
//
// Strike, right and expiry come from the instrument's definition of the same
// day. Options without a usable one are dropped, as the expiry cannot be had
// otherwise. Dropped are instruments of several legs, too. A definition that takes a
// put for a call is an error. Strikes in symbols may be moved by decimal places, and
// may lack the last digits (1087 for 108.75): definitions_strike_not_of_symbol
// counts those that differ by more than the places that all definitions of the day,
// of two strikes at least, agree on. Where they agree, a symbol with a strike whose
// definition has none above 0 is an error.
//
// Quotes at intervals (bbo, cbbo) are in force from their ts_recv, the end of the
// interval, on; their ts_event is the time of the last trade. Consolidated ones
// (cmbp-1, cbbo) have no sequence and are in force for trades of later times only.
//
// Rows are sorted stably by (ts_event_ns, seq, option_symbol); ties stay in the
// order of the records, files in the order of their names (O-12). Memory stays
// within sort_memory whatever the size of the files.
package trades

import (
	"context"

	"dag/engine/stage"
	"dag/stages/internal/option"
)

// New returns the transform.
func New() stage.Transform { return transform{} }

type transform struct{}

func (transform) Spec() stage.Spec {
	return stage.Spec{
		Name:    "bronze.future_option.trades",
		Version: 3,
		Summary: "Option trades with the quote in force, from the vendor's files of a day",
		Inputs: []stage.Input{
			{Name: "trades", Doc: "DBN files of schema trades, or of a live capture, plain or zstd", Raw: true},
			option.QuotesInput(),
			option.DefinitionsInput(),
		},
		Outputs: []stage.Output{{Name: "trades", Doc: "One row a trade, ascending by ts_event_ns, seq and option_symbol", Schema: option.Trades.Bronze()}},
		Params:  option.BronzeParams(),
		Memory:  option.BronzeMemory,
	}
}

func (transform) Run(ctx context.Context, t stage.Task) error { return option.RunTrades(ctx, t) }
