// Package tradesfirst3h keeps the trades of future options from 09:30 to 12:30
// New York wall-clock time on the date dt (spec 05 §2 with O-4, O-5, O-7).
// Columns and the order of rows stay; no rows give no rows.
package tradesfirst3h

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
		Name:    "gold.future_option.trades_first3h",
		Version: 1,
		Summary: "Option trades from 09:30 to 12:30 New York time",
		Inputs:  []stage.Input{{Name: "rows", Doc: "Rows of a root's options with New York time", Columns: option.Trades.Clean()}},
		Outputs: []stage.Output{{Name: "rows", Doc: "The trades of the window", Schema: option.Trades.Clean()}},
		Memory:  96 << 20,
	}
}

// Run streams the rows; memory grows with the number of options alone.
func (transform) Run(_ context.Context, t stage.Task) error { return option.RunTradesWindow(t) }
