package view

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
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
	Force         bool              `json:"force"`
	Variables     map[string]string `json:"variables"`
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

// ReadRun reads what was kept; alive tells whether its process still runs.
func ReadRun(doc []byte, alive bool) (RunDoc, error) {
	var r RunDoc
	if err := json.Unmarshal(doc, &r); err != nil {
		return r, fmt.Errorf("the record of a run cannot be read: %w", err)
	}
	if r.State == RunRunning && !alive {
		r.State = RunKilled
	}
	return r, nil
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
			cell{text: countsText(r.Counts)}, cell{text: selected(r.Selection)})
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
	for _, r := range []event.Result{event.Done, event.CutOff, event.Skipped, event.Failed, event.Blocked, event.Canceled} {
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
	t.text("selection", selected(r.Selection))
	for _, name := range sortedKeys(r.Variables) {
		t.text("variable", name+" = "+r.Variables[name])
	}
	t.text("workers", Count(r.Workers))
	t.text("version", r.Version)
	t.text("units", countsText(r.Counts))
	t.print(p, "  ")
	for _, u := range units {
		if u.Result == string(event.Failed) || u.Result == string(event.Blocked) {
			p.printf("  %s %s: %s\n", s.paint(red, u.Result), unitName(u.Stage, addr.Keys(u.Unit)), cmp.Or(u.Error, u.Because))
		}
	}
	return p.err
}

// UnitDoc is what became of one unit in a run.
type UnitDoc struct {
	Stage      string   `json:"stage"`
	Unit       string   `json:"unit"`
	Result     string   `json:"result"`
	Reason     string   `json:"reason,omitempty"`
	Error      string   `json:"error,omitempty"`
	Because    string   `json:"because,omitempty"`
	ElapsedNS  int64    `json:"elapsed_ns"`
	RowsIn     int64    `json:"rows_in"`
	RowsOut    int64    `json:"rows_out"`
	Bytes      int64    `json:"bytes"`
	Partitions []string `json:"partitions,omitempty"`
}

// Name is how the unit is selected.
func (u UnitDoc) Name() string { return unitName(u.Stage, addr.Keys(u.Unit)) }

// ReadEvents reads the lines of a run's events; the last may have been cut short.
func ReadEvents(r io.Reader) ([]EventDoc, error) {
	var out []EventDoc
	s := bufio.NewScanner(r)
	s.Buffer(nil, 64<<20)
	for s.Scan() {
		var e EventDoc
		if line := bytes.TrimSpace(s.Bytes()); len(line) > 0 && json.Unmarshal(line, &e) == nil {
			out = append(out, e)
		}
	}
	return out, s.Err()
}

// Units sums the events of each unit up, in the order in which they ended.
func Units(events []EventDoc) []UnitDoc {
	reasons := map[string]string{}
	var out []UnitDoc
	for _, e := range events {
		id := e.Stage + "[" + e.Unit
		switch e.Event {
		case "step_started":
			reasons[id] = e.Reason
		case "step_finished":
			u := UnitDoc{Stage: e.Stage, Unit: e.Unit, Result: e.Result, Reason: reasons[id], Error: e.Error, Because: e.Because, ElapsedNS: e.ElapsedNS, Partitions: e.Partitions}
			for to, from := range map[*int64]*int64{&u.RowsIn: e.RowsIn, &u.RowsOut: e.RowsOut, &u.Bytes: e.Bytes} {
				if from != nil {
					*to = *from
				}
			}
			out = append(out, u)
		}
	}
	return out
}

// LogDoc is what happened to one unit in a run, see schemas/logs.schema.json.
type LogDoc struct {
	Command       string           `json:"command"`
	FormatVersion int              `json:"format_version"`
	RunID         string           `json:"run_id"`
	Unit          string           `json:"unit"`
	Events        []EventDoc       `json:"events"`
	Inputs        []string         `json:"inputs"`  // that the manifest names, if it is of this run
	Metrics       map[string]int64 `json:"metrics"` // the same
}

// NewLog picks the events of a unit.
func NewLog(run, stage, unit string, events []EventDoc) *LogDoc {
	d := &LogDoc{Command: "logs", FormatVersion: formatVersion, RunID: run, Unit: unitName(stage, addr.Keys(unit)), Events: []EventDoc{}, Inputs: []string{}, Metrics: map[string]int64{}}
	for _, e := range events {
		if e.Stage == stage && e.Unit == unit && e.Event != "step_progress" {
			d.Events = append(d.Events, e)
		}
	}
	return d
}

// Text writes a line an event, then what was read and counted.
func (d *LogDoc) Text(w io.Writer, s Style) error {
	p := &printer{w: w, style: s}
	p.printf("%s in run %s\n", d.Unit, d.RunID)
	for _, e := range d.Events {
		p.printf("%s  %s\n", e.Time.Format("15:04:05.000"), eventText(e))
		for i, line := range strings.Split(strings.TrimSpace(e.Error+"\n"+e.Stack), "\n") {
			if i > 0 || line != "" {
				p.printf("              %s\n", line)
			}
		}
	}
	for _, in := range d.Inputs {
		p.printf("read     %s\n", in)
	}
	for _, name := range sortedKeys(d.Metrics) {
		p.printf("counted  %s %s\n", name, Count(d.Metrics[name]))
	}
	return p.err
}

func eventText(e EventDoc) string {
	switch e.Event {
	case "step_started":
		return fmt.Sprintf("attempt %d, since %s", e.Attempt, e.Reason)
	case "step_retried":
		return fmt.Sprintf("attempt %d failed, and is tried again in %s", e.Attempt, Duration(time.Duration(e.WaitNS)))
	case "step_replanned":
		return "planned anew: " + strings.Join(e.Differences, ", ")
	case "step_finished":
		text := strings.ReplaceAll(e.Result, "_", " ")
		if e.Because != "" {
			text += ", since " + e.Because
		}
		if e.RowsIn != nil && e.RowsOut != nil && e.Bytes != nil && e.ElapsedNS > 0 {
			text += fmt.Sprintf(" after %s: %s rows read, %s written, %s", Duration(time.Duration(e.ElapsedNS)), Count(*e.RowsIn), Count(*e.RowsOut), Bytes(*e.Bytes))
		}
		return text
	}
	return strings.ReplaceAll(e.Event, "_", " ")
}

// RunDiffDoc compares two runs, see schemas/run_diff.schema.json.
type RunDiffDoc struct {
	Command       string         `json:"command"`
	FormatVersion int            `json:"format_version"`
	Runs          [2]string      `json:"runs"`
	Settings      []DifferentDoc `json:"settings"` // selection, variables, workers, definitions
	Units         []DifferentDoc `json:"units"`    // what became of them
}

// DifferentDoc is one thing that differs; empty where the run has none.
type DifferentDoc struct {
	What   string `json:"what"`
	First  string `json:"first"`
	Second string `json:"second"`
}

// NewRunDiff compares settings and units.
func NewRunDiff(a, b RunDoc, unitsA, unitsB []UnitDoc, selected func(graph.Request) string) *RunDiffDoc {
	d := &RunDiffDoc{Command: "diff", FormatVersion: formatVersion, Runs: [2]string{a.RunID, b.RunID}, Settings: []DifferentDoc{}, Units: []DifferentDoc{}}
	setting := func(what, x, y string) {
		if x != y {
			d.Settings = append(d.Settings, DifferentDoc{what, x, y})
		}
	}
	setting("selection", selected(a.Selection), selected(b.Selection))
	setting("version", a.Version, b.Version)
	setting("workers", Count(a.Workers), Count(b.Workers))
	for _, group := range []struct {
		what string
		x, y map[string]string
	}{{"variable ", a.Variables, b.Variables}, {"definition of ", a.Definitions, b.Definitions}} {
		names := slices.Concat(sortedKeys(group.x), sortedKeys(group.y))
		slices.Sort(names)
		for _, name := range slices.Compact(names) {
			setting(group.what+name, group.x[name], group.y[name])
		}
	}
	results := [2]map[string]string{{}, {}}
	var names []string
	for i, units := range [][]UnitDoc{unitsA, unitsB} {
		for _, u := range units {
			if results[i][u.Name()] == "" && results[0][u.Name()] == "" {
				names = append(names, u.Name())
			}
			results[i][u.Name()] = u.Result
		}
	}
	slices.Sort(names)
	for _, name := range names {
		if x, y := results[0][name], results[1][name]; x != y {
			d.Units = append(d.Units, DifferentDoc{name, x, y})
		}
	}
	return d
}

// Text writes what differs.
func (d *RunDiffDoc) Text(w io.Writer, s Style) error {
	p := &printer{w: w, style: s}
	if len(d.Settings)+len(d.Units) == 0 {
		p.printf("The runs %s and %s differ in nothing but their times.\n", d.Runs[0], d.Runs[1])
		return p.err
	}
	t := &table{}
	t.text("", d.Runs[0], d.Runs[1])
	for _, x := range slices.Concat(d.Settings, d.Units) {
		t.text(x.What, cmp.Or(x.First, "–"), cmp.Or(x.Second, "–"))
	}
	t.print(p, "")
	return p.err
}
