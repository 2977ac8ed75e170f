package view

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"dag/engine/addr"
	"dag/engine/event"
	"dag/engine/graph"
)

// RunDoc is what is kept of one run, see schemas/run.schema.json.
type RunDoc struct {
	Command       string            `json:"command"`
	FormatVersion int               `json:"format_version"`
	RunID         string            `json:"run_id"`
	State         string            `json:"state"` // running, done, failed, interrupted, or killed
	StartedAt     string            `json:"started_at"`
	EndedAt       string            `json:"ended_at,omitempty"`
	ElapsedNS     int64             `json:"elapsed_ns"`
	Exit          int               `json:"exit"`
	Version       string            `json:"version"`
	Lake          string            `json:"lake"`
	Selection     graph.Request     `json:"selection"`
	Only          []string          `json:"only,omitempty"` // of the selected units: those of a saved plan, or of a retry
	Force         bool              `json:"force"`
	Variables     map[string]string `json:"variables"` // all, as --var takes them
	Workers       int               `json:"workers"`
	Memory        int64             `json:"memory_bytes"`
	Counts        map[string]int    `json:"counts"`
	Definitions   map[string]string `json:"definitions"` // by stage: its definition, parameters, transform and contract in one sum
}

// The states of a run.
const (
	RunRunning     = "running"
	RunDone        = "done"
	RunFailed      = "failed"
	RunInterrupted = "interrupted"
	RunKilled      = "killed" // its process is gone and did not say how it ended
)

// ReadRun reads what was kept; alive tells whether its process still runs, and is asked
// only if the run has not said how it ended.
func ReadRun(doc []byte, alive func() bool) (RunDoc, error) {
	var r RunDoc
	if err := json.Unmarshal(doc, &r); err != nil {
		return r, fmt.Errorf("the record of a run cannot be read: %w", err)
	}
	if r.State == RunRunning && !alive() {
		r.State = RunKilled
	}
	return r, nil
}

// SoFar counts what is recorded of a run that has not said how it ended.
func (r *RunDoc) SoFar(events []EventDoc) {
	if r.State != RunRunning && r.State != RunKilled || len(events) == 0 {
		return
	}
	r.Counts = NewResults(r.RunID, events).Counts()
	if began, err := time.Parse(time.RFC3339Nano, r.StartedAt); err == nil {
		r.ElapsedNS = events[len(events)-1].Time.Sub(began).Nanoseconds()
	}
}

// OneRun is a run with what became of its units.
type OneRun struct {
	RunDoc
	Units []UnitDoc `json:"units"`
}

// RunsDoc lists runs, see schemas/runs.schema.json.
type RunsDoc struct {
	Command       string   `json:"command"`
	FormatVersion int      `json:"format_version"`
	Runs          []RunDoc `json:"runs"`
}

// NewRuns returns an empty list.
func NewRuns() *RunsDoc {
	return &RunsDoc{Command: "runs", FormatVersion: formatVersion, Runs: []RunDoc{}}
}

var runColors = map[string]color{RunDone: green, RunRunning: blue, RunFailed: red, RunInterrupted: yellow, RunKilled: red}

// Text writes a line a run; selected writes a selection as it is typed.
func (d *RunsDoc) Text(w io.Writer, s Style, selected func(graph.Request) string) error {
	p := &printer{w: w, style: s}
	if len(d.Runs) == 0 {
		p.printf("No run is recorded in this lake.\n")
		return p.err
	}
	t := &table{}
	t.text("run", "state", "started", "took", "units", "selection")
	for _, r := range d.Runs {
		t.add(cell{text: r.RunID}, cell{text: r.State, color: runColors[r.State]}, cell{text: whenText(r.StartedAt)}, cell{text: Duration(time.Duration(r.ElapsedNS))},
			cell{text: countsText(r.Counts)}, cell{text: r.selected(selected)})
	}
	t.print(p, "")
	return p.err
}

// whenText is a time in UTC to the second.
func whenText(stamp string) string {
	t, err := time.Parse(time.RFC3339Nano, stamp)
	if err != nil {
		return stamp
	}
	return t.UTC().Format("2006-01-02 15:04:05") + " UTC"
}

// countsText writes "12 done, 1 failed".
func countsText(counts map[string]int) string {
	var parts []string
	for _, r := range []event.Result{event.Done, event.CutOff, event.Skipped, event.Failed, event.Blocked, event.Canceled, UnitUnfinished} {
		if n := counts[string(r)]; n > 0 {
			parts = append(parts, Count(n)+" "+strings.ReplaceAll(string(r), "_", " "))
		}
	}
	if parts == nil {
		return "none"
	}
	return strings.Join(parts, ", ")
}

// Text writes one run.
func (r RunDoc) Text(w io.Writer, s Style, selected func(graph.Request) string, units []UnitDoc) error {
	p := &printer{w: w, style: s}
	p.printf("run %s · %s\n", r.RunID, s.paint(runColors[r.State], r.State))
	t := &table{}
	t.text("started", whenText(r.StartedAt))
	t.text("took", Duration(time.Duration(r.ElapsedNS)))
	t.text("lake", r.Lake)
	t.text("selection", r.selected(selected))
	if r.Force {
		t.text("forced", "yes")
	}
	for _, name := range sortedKeys(r.Variables) {
		t.text("variable", name+" = "+r.Variables[name])
	}
	t.text("workers", Count(r.Workers))
	t.text("version", r.Version)
	t.text("units", countsText(r.Counts))
	t.print(p, "  ")
	r.notMade(p, units)
	return p.err
}

// shownUnits is how many units that were not made a run names.
const shownUnits = 20

// notMade names what failed, what was cut short and what was blocked by it.
func (r RunDoc) notMade(p *printer, units []UnitDoc) {
	shown, left := 0, 0
	for _, result := range []string{string(event.Failed), UnitUnfinished, string(event.Blocked)} {
		for _, u := range units {
			switch {
			case u.Result != result:
			case shown == shownUnits:
				left++
			default:
				shown++
				p.printf("  %s %s", p.style.paint(red, u.Result), u.Name())
				if why := cmp.Or(u.Error, u.Because); why != "" {
					p.printf(": %s", strings.ReplaceAll(why, "\n", "\n    "))
				}
				p.printf("\n")
			}
		}
	}
	if left > 0 {
		p.printf("  … and %s more: all of them are in the JSON\n", Count(left))
	}
}

// selected is the selection as it is typed, and how many of its units were meant.
func (r RunDoc) selected(text func(graph.Request) string) string {
	if len(r.Only) > 0 {
		return plural(len(r.Only), "unit") + " of: " + text(r.Selection)
	}
	return text(r.Selection)
}

// UnitDoc is what became of one unit in a run.
type UnitDoc struct {
	Stage      string     `json:"stage"`
	Unit       string     `json:"unit"`
	Result     string     `json:"result"` // an event.Result, or UnitUnfinished
	Reason     string     `json:"reason,omitempty"`
	Chain      []CauseDoc `json:"chain,omitempty"` // to the first cause
	Attempts   int        `json:"attempts,omitempty"`
	Error      string     `json:"error,omitempty"`
	Because    string     `json:"because,omitempty"`
	ElapsedNS  int64      `json:"elapsed_ns"`
	RowsIn     int64      `json:"rows_in"`
	RowsOut    int64      `json:"rows_out"`
	Bytes      int64      `json:"bytes"`
	Partitions []string   `json:"partitions,omitempty"`
	Digests    []string   `json:"digests,omitempty"` // of Partitions
}

// UnitUnfinished is the result of a unit that began, and of whose end the record
// says nothing: it still runs, or the run was killed.
const UnitUnfinished = "unfinished"

// Name is how the unit is selected.
func (u UnitDoc) Name() string { return addr.UnitName(u.Stage, addr.Keys(u.Unit)) }

// ReadEvents reads the lines of a run's events; the last may have been cut short.
// Lines that keep refuses are left out unread; nil keeps all.
func ReadEvents(r io.Reader, keep func(line []byte) bool) ([]EventDoc, error) {
	var out []EventDoc
	s := bufio.NewScanner(r)
	s.Buffer(nil, maxEventLine)
	for s.Scan() {
		if keep != nil && !keep(s.Bytes()) {
			continue
		}
		var e EventDoc
		if json.Unmarshal(s.Bytes(), &e) == nil && e.Event != "" {
			out = append(out, e)
		}
	}
	return out, s.Err()
}

// maxEventLine is the longest line of events: a unit with some hundred thousand
// inputs.
const maxEventLine = 64 << 20

// Units sums the events of each unit up, in the order in which they ended; those of
// whose end nothing is said come last.
func Units(events []EventDoc) []UnitDoc {
	began := map[string]UnitDoc{}
	var names []string
	out := []UnitDoc{}
	for _, e := range events {
		id := addr.UnitName(e.Stage, addr.Keys(e.Unit))
		switch e.Event {
		case "step_started":
			if _, again := began[id]; !again {
				names = append(names, id)
			}
			began[id] = UnitDoc{Stage: e.Stage, Unit: e.Unit, Result: UnitUnfinished, Reason: e.Reason, Chain: e.Chain, Attempts: e.Attempt}
		case "step_finished":
			out = append(out, e.finishedUnit(began[id]))
			delete(began, id)
		}
	}
	for _, id := range names {
		if u, ok := began[id]; ok {
			out = append(out, u)
		}
	}
	return out
}

// finishedUnit completes what is known since the unit began.
func (doc EventDoc) finishedUnit(u UnitDoc) UnitDoc {
	u.Stage, u.Unit, u.Result, u.Error, u.Because = doc.Stage, doc.Unit, doc.Result, doc.Error, doc.Because
	u.ElapsedNS, u.Partitions, u.Digests = doc.ElapsedNS, doc.Partitions, doc.Digests
	for to, from := range map[*int64]*int64{&u.RowsIn: doc.RowsIn, &u.RowsOut: doc.RowsOut, &u.Bytes: doc.Bytes} {
		if from != nil {
			*to = *from
		}
	}
	return u
}
