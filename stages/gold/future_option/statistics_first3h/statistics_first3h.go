// Package statisticsfirst3h keeps of every future option the open interest
// received last before 09:30 New York wall-clock time on the date dt (spec 05 §2
// with O-8). A value that was withdrawn before 09:30 counts as the last one: bronze
// has no rows of withdrawals. Columns and the order of rows stay; no rows give no rows.
package statisticsfirst3h

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
		Name:    "gold.future_option.statistics_first3h",
		Version: 1,
		Summary: "Open interest of every option as known at 09:30 New York time",
		Inputs:  []stage.Input{{Name: "rows", Doc: "Rows of a root's options with New York time", Columns: option.Statistics.Clean()}},
		Outputs: []stage.Output{{Name: "rows", Doc: "The last row of each option received before 09:30", Schema: option.Statistics.Clean()}},
		Memory:  96 << 20,
	}
}

// Run streams the rows; memory grows with the number of options alone.
func (transform) Run(_ context.Context, t stage.Task) error { return option.RunStatisticsWindow(t) }
