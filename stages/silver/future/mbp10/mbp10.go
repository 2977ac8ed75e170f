// Package mbp10 adds New York time to bronze book events: 77 columns become 78
// (spec 03 §1). All other columns, and the order of rows, stay. Both semantics
// give the same rows.
package mbp10

import (
	"context"

	"dag/engine/stage"
	"dag/stages/internal/mbp10"
	"dag/stages/internal/stamp"
)

// New returns the transform.
func New() stage.Transform { return transform{} }

type transform struct{}

func (transform) Spec() stage.Spec {
	return stage.Spec{
		Name:    "silver.future.mbp10",
		Version: 1,
		Summary: "Book events with the New York time of each",
		Inputs:  []stage.Input{{Name: "events", Doc: "Bronze book events of one contract", Columns: mbp10.BronzeSchema()}},
		Outputs: []stage.Output{stamp.Output("events", "The same rows with ts_event_est", mbp10.BronzeSchema(), "ts_event")},
		Params:  []stage.Param{mbp10.SemanticsParam("no difference here")},
		Memory:  96 << 20,
	}
}

// Run streams the events; memory does not depend on their number.
func (transform) Run(_ context.Context, t stage.Task) error {
	return stamp.Run(t, "events", "ts_event")
}
