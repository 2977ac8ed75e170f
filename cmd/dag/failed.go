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
// tells nothing. While no run has failed, nothing but the heads of records is read.
func (p *project) lastResults(l *lake.Lake) map[string]event.Result {
	runs, err := l.Runs()
	if err != nil {
		p.app.log.Warn().Err(err).Msg("the records of runs cannot be read")
	}
	runs = runs[:min(len(runs), remembered)]
	for len(runs) > 0 && !p.hasFailed(runs[len(runs)-1]) {
		runs = runs[:len(runs)-1]
	}
	results := map[string]event.Result{}
	for _, r := range runs {
		doc, err := resultsOf(r)
		if err != nil {
			p.app.log.Warn().Err(err).Str("run", r.ID).Msg("a record cannot be read")
			continue
		}
		for result, units := range doc.Units {
			switch event.Result(result) {
			case event.Blocked, event.Canceled, event.Skipped, view.UnitUnfinished:
				continue // it has not come to run
			}
			for _, unit := range units {
				if _, newer := results[unit]; !newer {
					results[unit] = event.Result(result)
				}
			}
		}
	}
	return results
}

// hasFailed tells whether a unit failed in a run, or may have: what has not ended does
// not say.
func (p *project) hasFailed(r lake.Run) bool {
	_, doc, err := readRun(r)
	return err == nil && (doc.State == view.RunRunning || doc.State == view.RunKilled || doc.Counts[string(event.Failed)] > 0)
}

// wantsFailed tells whether a selection asks for what failed.
func wantsFailed(s *graph.Selection) bool {
	return slices.ContainsFunc(s.Wanted, func(w graph.Wanted) bool { return w.Kind == graph.KindState && w.Pattern == plan.FailedWord })
}
