package main

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"dag/engine/lake"
	"dag/engine/view"
)

// recordedRun finds a run by its id, "last", or the beginning of its id.
func (p *project) recordedRun(l *lake.Lake, id string) (lake.Run, view.RunDoc, error) {
	runs, err := l.Runs()
	if err != nil {
		return lake.Run{}, view.RunDoc{}, err
	}
	var known []string
	var begins []lake.Run
	for i, r := range runs {
		if r.ID == id || id == "last" && i == 0 {
			return readRun(r)
		}
		if known = append(known, r.ID); id != "" && strings.HasPrefix(r.ID, id) {
			begins = append(begins, r)
		}
	}
	switch {
	case len(begins) == 1:
		return readRun(begins[0])
	case len(begins) > 1:
		return lake.Run{}, view.RunDoc{}, mistake("unknown_run", fmt.Sprintf("%d runs begin with %s", len(begins), id), "they are "+begins[len(begins)-1].ID+" to "+begins[0].ID)
	case len(known) == 0:
		return lake.Run{}, view.RunDoc{}, mistake("unknown_run", "no run is recorded in this lake", "`"+p.app.commands("").Name+" apply` makes one")
	}
	hint := didYouMean(id, append(known, "last"))
	if hint == "" {
		hint = "`dag runs` lists them; \"last\" is " + known[0]
	}
	return lake.Run{}, view.RunDoc{}, mistake("unknown_run", "there is no run "+id, hint)
}

// readRun reads what is said of a run as a whole.
func readRun(r lake.Run) (lake.Run, view.RunDoc, error) {
	b, err := r.Doc()
	if err != nil {
		return r, view.RunDoc{}, err
	}
	doc, err := view.ReadRun(b, r.Alive)
	return r, doc, badRecord(r, err)
}

// badRecord is a record that somebody or something has damaged.
func badRecord(r lake.Run, err error) error {
	if err == nil {
		return nil
	}
	return &exitError{exitInternal, mistake("bad_record", "run "+r.ID+": "+err.Error(), "what it made is not concerned; .dag/runs/"+r.ID+" in the lake may be removed")}
}

// eventsOf reads what happened in a run, without the lines that keep refuses.
func eventsOf(r lake.Run, keep func(line []byte) bool) (list []view.EventDoc, err error) {
	f, err := r.Events()
	if errors.Is(err, fs.ErrNotExist) {
		return nil, badRecord(r, errors.New("its events.ndjson is gone"))
	}
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return view.ReadEvents(f, keep)
}

// resultsOf is how the units of a run ended. Events are read only where that was not
// summed up: of a run that goes on, or was killed since the last apply.
func resultsOf(r lake.Run) (*view.ResultsDoc, error) {
	b, err := r.Results()
	if err == nil {
		doc, err := view.ReadResults(b)
		return doc, badRecord(r, err)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	events, err := eventsOf(r, nil)
	if err != nil {
		return nil, err
	}
	return view.NewResults(r.ID, events), nil
}

// endKilled sums up the runs that were killed, which could not do it themselves, so
// that nobody has to read their events again. It is for looking back; trouble with it
// is a warning in the log.
func (p *project) endKilled(l *lake.Lake) {
	runs, err := l.Runs()
	for _, r := range runs {
		if !r.HasResults() && err == nil {
			err = endKilled(r)
		}
	}
	if err != nil {
		p.app.log.Warn().Err(err).Msg("the record of a run that was killed cannot be ended")
	}
}

func endKilled(r lake.Run) error {
	_, doc, err := readRun(r)
	if err != nil || doc.State == view.RunRunning {
		return nil // there is nothing to be said of it, or not yet
	}
	events, err := eventsOf(r, nil)
	if err != nil {
		return nil
	}
	doc.SoFar(events)
	head, err := encodeRecord(doc)
	if err != nil {
		return err
	}
	results, err := encodeRecord(view.NewResults(r.ID, events))
	if err != nil {
		return err
	}
	return r.End(results, head)
}
