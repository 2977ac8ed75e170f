// Package nbbofirst3h keeps the quotes of future options from 09:30 to 12:30 New
// York wall-clock time on the date dt, and before them the last quote of each
// option before 09:30, stamped with its own time (spec 05 §2 with O-4, O-5, O-7,
// O-9). Columns and the order of rows stay; no rows give no rows.
package nbbofirst3h

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
		Name:    "gold.future_option.nbbo_first3h",
		Version: 1,
		Summary: "Option quotes from 09:30 to 12:30 New York time, with those in force at 09:30",
		Inputs:  []stage.Input{{Name: "rows", Doc: "Rows of a root's options with New York time", Columns: option.NBBO.Clean()}},
		Outputs: []stage.Output{{Name: "rows", Doc: "The last quote of each option before the window, then those of the window", Schema: option.NBBO.Clean()}},
		Memory:  96 << 20,
	}
}

// Run streams the rows; memory grows with the number of options alone.
func (transform) Run(_ context.Context, t stage.Task) error { return option.RunNBBOWindow(t) }
