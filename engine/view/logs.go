package view

import (
	"fmt"
	"io"
	"strings"
	"time"

	"dag/engine/addr"
)

// LogDoc is what happened to one unit in a run, see schemas/logs.schema.json. It is
// made from the record of the run alone: that the data has been made again since, or
// is gone, changes nothing.
type LogDoc struct {
	Command       string           `json:"command"`
	FormatVersion int              `json:"format_version"`
	RunID         string           `json:"run_id"`
	Unit          string           `json:"unit"`
	Result        string           `json:"result"` // an event.Result, or UnitUnfinished
	Events        []EventDoc       `json:"events"`
	Inputs        []InputDoc       `json:"inputs"`  // that it read, or was to read
	Outputs       []OutputDoc      `json:"outputs"` // that it committed
	Metrics       map[string]int64 `json:"metrics"` // counted by the transform, up to a failure
}

// OutputDoc is a partition that was committed.
type OutputDoc struct {
	Partition string `json:"partition"`
	Digest    string `json:"digest,omitempty"`
}

// NewLog picks the events of a unit.
func NewLog(run string, u UnitDoc, events []EventDoc) *LogDoc {
	d := &LogDoc{
		Command: "logs", FormatVersion: formatVersion, RunID: run, Unit: addr.UnitName(u.Stage, addr.Keys(u.Unit)), Result: u.Result,
		Events: []EventDoc{}, Inputs: []InputDoc{}, Outputs: []OutputDoc{}, Metrics: map[string]int64{},
	}
	for _, e := range events {
		if e.Stage != u.Stage || e.Unit != u.Unit {
			continue
		}
		if e.Inputs != nil {
			d.Inputs = e.Inputs
		}
		if e.Metrics != nil {
			d.Metrics = e.Metrics
		}
		for i, p := range e.Partitions {
			d.Outputs = append(d.Outputs, OutputDoc{Partition: p, Digest: at(e.Digests, i)})
		}
		e.Inputs, e.Metrics, e.Partitions, e.Digests = nil, nil, nil, nil
		d.Events = append(d.Events, e)
	}
	return d
}

// at is an element of a list that may be shorter.
func at(list []string, i int) string {
	if i < len(list) {
		return list[i]
	}
	return ""
}

// Text writes a line an event with all that belongs to it, then what was read,
// counted and written.
func (d *LogDoc) Text(w io.Writer, s Style) error {
	p := &printer{w: w, style: s}
	p.printf("%s in run %s\n", d.Unit, d.RunID)
	const indent = "              "
	for _, e := range d.Events {
		p.printf("%s  %s\n", e.Time.Format("15:04:05.000"), eventText(e))
		for i, c := range e.Chain {
			lead := "because "
			if i > 0 {
				lead = "<- " + c.Partition + ": "
			}
			p.printf("%s%s%s\n", indent, lead, c.Reason.of(c.Partition).sentence())
		}
		for _, text := range []string{e.Error, e.Stack} {
			for line := range strings.Lines(text) {
				p.printf("%s%s\n", indent, strings.TrimRight(line, "\n"))
			}
		}
	}
	if d.Result == UnitUnfinished {
		p.printf("%snothing is recorded of its end\n", indent)
	}
	d.tables(p)
	return p.err
}

// tables writes what was read, counted and written.
func (d *LogDoc) tables(p *printer) {
	var t [3]table
	for _, in := range d.Inputs {
		name := in.Partition
		if in.File != "" {
			name += " " + in.File
		}
		t[0].text("read   ", in.Port, name, shortDigest(in.Digest))
	}
	for _, name := range sortedKeys(d.Metrics) {
		t[1].text("counted", name, Count(d.Metrics[name]))
	}
	for _, out := range d.Outputs {
		t[2].text("wrote  ", out.Partition, shortDigest(out.Digest))
	}
	for i := range t {
		t[i].print(p, "")
	}
}

func eventText(e EventDoc) string {
	switch e.Event {
	case "step_started":
		return fmt.Sprintf("attempt %d, since %s", e.Attempt, e.Reason)
	case "step_retried":
		return fmt.Sprintf("attempt %d failed, and is tried again in %s", e.Attempt, Duration(time.Duration(e.WaitNS)))
	case "step_replanned":
		return "planned anew: " + strings.Join(e.Differences, ", ")
	case "grown":
		return fmt.Sprintf("made %s; %s more to run", strings.Join(e.Values, ", "), plural(e.Added, "unit"))
	case "step_finished":
		text := strings.ReplaceAll(e.Result, "_", " ")
		if e.Because != "" {
			text += ", since " + e.Because
		}
		if e.RowsIn != nil && e.RowsOut != nil && e.Bytes != nil && e.ElapsedNS > 0 {
			text += fmt.Sprintf(" after %s: %s read, %s written, %s", Duration(time.Duration(e.ElapsedNS)), plural(*e.RowsIn, "row"), Count(*e.RowsOut), Bytes(*e.Bytes))
		}
		return text
	}
	return strings.ReplaceAll(e.Event, "_", " ")
}
