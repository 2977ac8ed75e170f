// Package statistics makes bronze statistics of future options from the vendor's
// files of a day (spec 02 §B.2): the open interest of each option with its
// strike, right and expiry. Other statistics, withdrawals and records without a
// quantity are dropped and counted (O-3).
//
// A row is one publication and stands whatever follows. A withdrawal
// (update_action deleted) has no row, as the table has no column to say so, and
// does not remove the row that it withdraws, which was in force until then: a
// reader as of a time takes the last value published before it, withdrawn or not.
// dropped_deleted counts withdrawals.
//
// Days, definitions, counts, order and memory are those of the trades, but an
// option without a definition takes strike and right from its symbol and has no
// exp_date. For that the second token of the symbol is C or P and a number; the
// first names a future of the root, or a series that the day's definitions have
// on one; and the number is in price units, or moved by the decimal places that
// all the day's definitions agree on, to the last digit. Otherwise the record is
// dropped and counted.
// A day without any definition fails unless without_definitions is set. Rows are
// sorted by (ts_event_ns, sequence, option_symbol).
package statistics

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
		Name:    "bronze.future_option.statistics",
		Version: 2,
		Summary: "Open interest of every option, from the vendor's files of a day",
		Inputs: []stage.Input{
			{Name: "statistics", Doc: "DBN files of schema statistics, or of a live capture, plain or zstd", Raw: true},
			option.DefinitionsInput(),
		},
		Outputs: []stage.Output{{Name: "statistics", Doc: "One row a published open interest, ascending by ts_event_ns", Schema: option.Statistics.Bronze()}},
		Params:  option.StatisticsParams(),
		Memory:  option.BronzeMemory,
	}
}

func (transform) Run(ctx context.Context, t stage.Task) error { return option.RunStatistics(ctx, t) }
