package main

import (
	"context"
	"encoding/json"
	"maps"
	"runtime/debug"
	"slices"
	"time"

	"dag/engine/diag"
	"dag/engine/event"
	"dag/engine/exec"
	"dag/engine/lake"
	"dag/engine/plan"
	"dag/engine/view"
)

// recorder keeps the record of a run in the lake: what was asked for, every event,
// and how it ended. It is for looking back; trouble with it is a warning.
type recorder struct {
	app    *app
	record *lake.RunRecord
	doc    view.RunDoc
	events event.Sink
	units  *view.Results
	failed bool
}

// record starts the record of a run.
func (p *project) record(made *plan.Plan, l *lake.Lake, o exec.Options) *recorder {
	a := p.app
	r := &recorder{app: a, events: func(event.Event) {}, units: view.NewRunResults()}
	vars, err := p.variables()
	if err == nil {
		r.record, err = l.Record()
	}
	if err != nil {
		r.trouble(err)
		return r
	}
	r.events = view.JSON(r.record)
	r.doc = view.RunDoc{
		Command: "runs", FormatVersion: 1, RunID: o.RunID, State: view.RunRunning, StartedAt: a.now().UTC().Format(time.RFC3339Nano),
		Version: programVersion(), Lake: p.lakeRoot(), Selection: made.Request.Selection.Request, Force: made.Request.Force,
		Only:      slices.Sorted(maps.Keys(made.Request.Only)),
		Variables: vars, Workers: o.Workers, Memory: o.Memory, Counts: map[string]int{}, Definitions: made.Definitions(),
	}
	r.save()
	return r
}

// sink takes the events; it is called by one at a time.
func (r *recorder) sink(e event.Event) {
	if _, ok := e.(event.StepProgress); !ok {
		r.events(e)
		r.units.Sink(e)
	}
}

// end says how the run ended.
func (r *recorder) end(ctx context.Context, o exec.Outcome, err error) {
	if r.record == nil {
		return
	}
	r.doc.State = view.RunDone
	if code := exitCode(ctx, err); code != 0 {
		r.doc.State, r.doc.Exit = view.RunFailed, code
	}
	if o.Interrupted {
		r.doc.State = view.RunInterrupted
	}
	for result, n := range o.Counts {
		r.doc.Counts[string(result)] = n
	}
	now := r.app.now().UTC()
	r.doc.EndedAt = now.Format(time.RFC3339Nano)
	if began, err := time.Parse(time.RFC3339Nano, r.doc.StartedAt); err == nil {
		r.doc.ElapsedNS = now.Sub(began).Nanoseconds()
	}
	results, err := encodeRecord(r.units.Doc(r.doc.RunID))
	if err == nil {
		err = r.record.SaveResults(results)
	}
	if err != nil {
		r.trouble(err)
	}
	r.save()
	if err := r.record.Close(); err != nil {
		r.trouble(err)
	}
}

func (r *recorder) save() {
	b, err := encodeRecord(r.doc)
	if err == nil {
		err = r.record.Save(b)
	}
	if err != nil {
		r.trouble(err)
	}
}

// encodeRecord writes a document of a run's record.
func encodeRecord(doc any) ([]byte, error) {
	b, err := json.MarshalIndent(doc, "", "  ")
	return append(b, '\n'), err
}

// trouble warns once.
func (r *recorder) trouble(err error) {
	if !r.failed {
		r.failed = true
		r.app.diagnose(diag.List{{Severity: diag.Warning, Code: "record", Summary: "the record of this run could not be kept", Detail: err.Error()}})
	}
}

// programVersion is that of the module, as the go command has put it in.
func programVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		return info.Main.Version
	}
	return "unknown"
}
