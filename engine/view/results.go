package view

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"dag/engine/event"
)

// ResultsDoc is how the units of a run ended, see schemas/run_results.schema.json: it
// lies beside the record of the run, so that its events need not be read for it.
type ResultsDoc struct {
	FormatVersion int    `json:"format_version"`
	RunID         string `json:"run_id"`
	// Units by result, an event.Result or UnitUnfinished, in the order in which they
	// ended: names as UnitDoc.Name has them.
	Units map[string][]string `json:"units"`
	// Grown are those that became known only when a fan-out had run.
	Grown []string `json:"grown,omitempty"`
}

// NewResults sums up what is recorded of a run.
func NewResults(run string, events []EventDoc) *ResultsDoc {
	d := &ResultsDoc{FormatVersion: formatVersion, RunID: run, Units: map[string][]string{}}
	for _, u := range Units(events) {
		d.Units[u.Result] = append(d.Units[u.Result], u.Name())
	}
	for _, e := range events {
		d.Grown = append(d.Grown, e.Grown...)
	}
	return d
}

// ReadResults reads what was kept.
func ReadResults(b []byte) (*ResultsDoc, error) {
	d := new(ResultsDoc)
	if err := json.Unmarshal(b, d); err != nil {
		return nil, fmt.Errorf("the results of a run cannot be read: %w", err)
	}
	if d.FormatVersion != formatVersion {
		return nil, fmt.Errorf("the results of a run have format version %d; this program reads version %d", d.FormatVersion, formatVersion)
	}
	return d, nil
}

// Counts are the numbers of units by result.
func (d *ResultsDoc) Counts() map[string]int {
	out := map[string]int{}
	for result, units := range d.Units {
		out[result] = len(units)
	}
	return out
}

// Results sums a run up while it goes on.
type Results struct {
	began map[string]bool
	ended map[string][]string
	grown []string
}

// NewRunResults is empty.
func NewRunResults() *Results {
	return &Results{began: map[string]bool{}, ended: map[string][]string{}}
}

// Sink takes an event; it is called by one at a time.
func (r *Results) Sink(e event.Event) {
	switch e := e.(type) {
	case event.StepStarted:
		r.began[e.Unit.String()] = true
	case event.Grown:
		for _, u := range e.Units {
			r.grown = append(r.grown, u.String())
		}
	case event.StepFinished:
		name := e.Unit.String()
		delete(r.began, name)
		r.ended[string(e.Result)] = append(r.ended[string(e.Result)], name)
	}
}

// Doc is what is known by now.
func (r *Results) Doc(run string) *ResultsDoc {
	d := &ResultsDoc{FormatVersion: formatVersion, RunID: run, Units: r.ended, Grown: r.grown}
	if len(r.began) > 0 {
		d.Units[UnitUnfinished] = slices.Sorted(maps.Keys(r.began))
	}
	return d
}
