package main

import (
	"slices"
	"sync"

	"dag/engine/addr"
	"dag/engine/event"
	"dag/engine/graph"
	"dag/engine/lake"
	"dag/engine/plan"
	"dag/engine/view"
)

// remembered is how many runs, the newest first, are asked for what failed.
const remembered = 50

// failedLast tells of a unit whether it failed when it last ran, as the records of
// runs have it. They are read when the first unit is asked for.
func (p *project) failedLast(l *lake.Lake) func(addr.Stage, addr.Keys) bool {
	last := sync.OnceValue(func() map[string]event.Result { return p.lastResults(l) })
	return func(stage addr.Stage, unit addr.Keys) bool {
		return last()[view.UnitDoc{Stage: stage.String(), Unit: string(unit)}.Name()] == event.Failed
	}
}

// lastResults is how each unit ended that has run. A record that cannot be read
// tells nothing.
func (p *project) lastResults(l *lake.Lake) map[string]event.Result {
	results := map[string]event.Result{}
	runs, err := l.Runs()
	if err != nil {
		p.app.log.Warn().Err(err).Msg("the records of runs cannot be read")
	}
	for _, r := range runs[:min(len(runs), remembered)] {
		events, err := eventsOf(r, nil)
		if err != nil {
			p.app.log.Warn().Err(err).Str("run", r.ID).Msg("a record cannot be read")
		}
		for _, u := range view.Units(events) {
			result := event.Result(u.Result)
			if _, newer := results[u.Name()]; !newer && result != event.Blocked && result != event.Canceled && result != view.UnitUnfinished {
				results[u.Name()] = result
			}
		}
	}
	return results
}

// wantsFailed tells whether a selection asks for what failed.
func wantsFailed(s *graph.Selection) bool {
	return slices.ContainsFunc(s.Wanted, func(w graph.Wanted) bool { return w.Kind == graph.KindState && w.Pattern == plan.FailedWord })
}
