// Package statisticsclean adds New York time to bronze statistics of future options (spec 05
// §1). All other columns, and the order of rows, stay.
package statisticsclean

import (
	"context"

	"dag/engine/stage"
	"dag/stages/internal/option"
	"dag/stages/internal/stamp"
)

// New returns the transform.
func New() stage.Transform { return transform{} }

type transform struct{}

func (transform) Spec() stage.Spec {
	return stage.Spec{
		Name:    "silver.future_option.statistics_clean",
		Version: 1,
		Summary: "Option statistics with the New York time of each",
		Inputs:  []stage.Input{{Name: "rows", Doc: "Bronze statistics of the options of a root", Columns: option.Statistics.Bronze()}},
		Outputs: []stage.Output{stamp.Output("rows", "The same rows with ts_event_est", option.Statistics.Bronze(), "ts_event_ns")},
		Memory:  96 << 20,
	}
}

// Run streams the rows; memory does not depend on their number.
func (transform) Run(_ context.Context, t stage.Task) error {
	return stamp.Run(t, "rows", "ts_event_ns")
}
