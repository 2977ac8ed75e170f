// Package nbbo makes bronze quotes of future options from the vendor's files of a
// day (spec 02 §B.2): the best bid and ask of each option with its strike, right
// and expiry.
//
// Kept are one-level book records with a price on one side at least; a side
// without one is null. Days, definitions, counts, order and memory are those of
// the trades.
//
// Records at intervals (bbo, cbbo) have ts_recv, the end of the interval, for
// ts_event_ns: what the vendor calls their ts_event is the time of the last trade,
// and a quote at that time would answer for times before it was made.
package nbbo

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
		Name:    "bronze.future_option.nbbo",
		Version: 2,
		Summary: "Best bid and ask of every option, from the vendor's files of a day",
		Inputs: []stage.Input{
			option.QuotesInput(),
			option.DefinitionsInput(),
		},
		Outputs: []stage.Output{{Name: "nbbo", Doc: "One row a quote, ascending by ts_event_ns, seq and option_symbol", Schema: option.NBBO.Bronze()}},
		Params:  option.BronzeParams(),
		Memory:  option.BronzeMemory,
	}
}

func (transform) Run(ctx context.Context, t stage.Task) error { return option.RunNBBO(ctx, t) }
