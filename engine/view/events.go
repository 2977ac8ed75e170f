package view

import (
	"encoding/json"
	"errors"
	"io"
	"time"

	"dag/engine/diag"
	"dag/engine/event"
)

// EventDoc is one line of `apply --json`, see schemas/events.schema.json.
// Which fields are there depends on Event.
type EventDoc struct {
	FormatVersion int       `json:"format_version"`
	Event         string    `json:"event"`
	Time          time.Time `json:"time"`

	RunID     string `json:"run_id,omitempty"`
	Lake      string `json:"lake,omitempty"`
	WillRun   *int   `json:"will_run,omitempty"`
	MayRun    *int   `json:"may_run,omitempty"`
	Workers   int    `json:"workers,omitempty"`
	Memory    int64  `json:"memory_bytes,omitempty"`
	Stage     string `json:"stage,omitempty"`
	Unit      string `json:"unit,omitempty"`
	Reason    string `json:"reason,omitempty"`
	Attempt   int    `json:"attempt,omitempty"`
	Result    string `json:"result,omitempty"`
	Code      string `json:"code,omitempty"` // of an error that no unit has
	Error     string `json:"error,omitempty"`
	Hint      string `json:"hint,omitempty"`
	Stack     string `json:"stack,omitempty"` // of a transform's panic
	Because   string `json:"because,omitempty"`
	WaitNS    int64  `json:"wait_ns,omitempty"`
	ElapsedNS int64  `json:"elapsed_ns,omitempty"`
	RowsIn    *int64 `json:"rows_in,omitempty"`
	RowsOut   *int64 `json:"rows_out,omitempty"`
	Bytes     *int64 `json:"bytes,omitempty"`
	PeakBytes int64  `json:"peak_bytes,omitempty"`
	Unchanged int    `json:"unchanged,omitempty"`

	Chain       []CauseDoc       `json:"chain,omitempty"` // from the unit to the first cause
	Partitions  []string         `json:"partitions,omitempty"`
	Digests     []string         `json:"digests,omitempty"` // of Partitions
	Inputs      []InputDoc       `json:"inputs,omitempty"`
	Metrics     map[string]int64 `json:"metrics,omitempty"`
	Values      []string         `json:"values,omitempty"`
	Added       int              `json:"added,omitempty"`
	Grown       []string         `json:"grown,omitempty"` // the added units, as they are selected
	Text        string           `json:"text,omitempty"`
	Differences []string         `json:"differences,omitempty"`
	Counts      map[string]int   `json:"counts,omitempty"`
}

// InputDoc is a partition, or a source's file, that a unit reads.
type InputDoc struct {
	Port      string `json:"port"`
	Partition string `json:"partition"`
	File      string `json:"file,omitempty"`
	Digest    string `json:"digest,omitempty"` // none: it was not read to its end
}

// NewEvent describes an event.
func NewEvent(e event.Event) EventDoc {
	doc := EventDoc{FormatVersion: formatVersion}
	of := func(name string, t time.Time) { doc.Event, doc.Time = name, t.UTC() }
	unit := func(u event.Unit) { doc.Stage, doc.Unit = u.Stage.String(), string(u.Keys) }
	switch e := e.(type) {
	case event.RunStarted:
		of("run_started", e.Time)
		doc.RunID, doc.Lake, doc.WillRun, doc.MayRun, doc.Workers, doc.Memory = e.RunID, e.LakeRoot, &e.WillRun, &e.MayRun, e.Workers, e.Memory
	case event.StepStarted:
		of("step_started", e.Time)
		unit(e.Unit)
		doc.Reason, doc.Attempt = e.Reason, e.Attempt
		for _, c := range e.Chain {
			doc.Chain = append(doc.Chain, CauseDoc{c.Partition, ReasonDoc{c.Code, c.About, c.File, c.Old, c.New}})
		}
	case event.StepProgress:
		of("step_progress", e.Time)
		unit(e.Unit)
		doc.RowsIn, doc.RowsOut = &e.RowsIn, &e.RowsOut
	case event.StepRetried:
		of("step_retried", e.Time)
		unit(e.Unit)
		doc.Attempt, doc.Error, doc.WaitNS = e.Attempt, errorText(e.Err), e.Wait.Nanoseconds()
	case event.StepReplanned:
		of("step_replanned", e.Time)
		unit(e.Unit)
		doc.Differences = e.Differences
	case event.StepFinished:
		of("step_finished", e.Time)
		unit(e.Unit)
		doc.finished(e)
	case event.Grown:
		of("grown", e.Time)
		unit(e.Unit)
		doc.Values, doc.Added = e.Values, e.Added
		for _, u := range e.Units {
			doc.Grown = append(doc.Grown, u.String())
		}
	case event.Notice:
		of("notice", e.Time)
		doc.Text = e.Text
	case event.RunFinished:
		of("run_finished", e.Time)
		doc.RunID, doc.ElapsedNS, doc.Counts = e.RunID, e.Elapsed.Nanoseconds(), map[string]int{}
		for r, n := range e.Counts {
			doc.Counts[string(r)] = n
		}
	}
	return doc
}

func (doc *EventDoc) finished(e event.StepFinished) {
	doc.Result, doc.Error, doc.Because = string(e.Result), errorText(e.Err), e.Because
	var bug interface{ Trace() []byte }
	if errors.As(e.Err, &bug) {
		doc.Stack = string(bug.Trace())
	}
	doc.ElapsedNS, doc.Unchanged = e.Elapsed.Nanoseconds(), e.Unchanged
	doc.PeakBytes = e.PeakBytes
	doc.RowsIn, doc.RowsOut, doc.Bytes = &e.RowsIn, &e.RowsOut, &e.Bytes
	for _, p := range e.Partitions {
		doc.Partitions = append(doc.Partitions, p.String())
	}
	doc.Digests, doc.Metrics = e.Digests, e.Metrics
	for _, in := range e.Inputs {
		doc.Inputs = append(doc.Inputs, InputDoc{in.Port, in.Partition.String(), in.File, in.Digest})
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// ErrorEvents writes the errors of a list as events: why there was no run, or what its
// units do not tell.
func ErrorEvents(w io.Writer, now time.Time, list diag.List) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	for _, d := range list {
		if d.Severity != diag.Error {
			continue
		}
		doc := EventDoc{FormatVersion: formatVersion, Event: "error", Time: now.UTC(), Code: d.Code, Error: d.Summary, Text: d.Detail, Hint: d.Hint}
		if err := e.Encode(doc); err != nil {
			return err
		}
	}
	return nil
}

// JSON returns a sink that writes an event a line. What w refuses is lost.
func JSON(w io.Writer) event.Sink {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return func(ev event.Event) {
		_ = e.Encode(NewEvent(ev)) // a reader that went away must not stop the run
	}
}
