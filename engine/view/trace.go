package view

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"dag/engine/event"
)

// traceEvent is one event of the Chrome trace format, which chrome://tracing,
// Perfetto and speedscope open. Times are in µs.
type traceEvent struct {
	Name  string         `json:"name"`
	Cat   string         `json:"cat,omitempty"`
	Phase string         `json:"ph"` // X: with a length; i: a moment; M: a name
	Time  float64        `json:"ts"`
	Took  float64        `json:"dur,omitempty"`
	PID   int            `json:"pid"`
	TID   int            `json:"tid"` // the lane: units that overlap lie in different ones
	Args  map[string]any `json:"args,omitempty"`
}

// Trace returns a sink that writes a Chrome trace, and what ends it. The file is
// whole only then.
func Trace(w io.Writer) (event.Sink, func() error) {
	t := &trace{w: w, running: map[event.Unit]lane{}}
	return t.take, t.end
}

type lane struct {
	tid     int
	start   time.Time
	attempt int
	reason  string
}

// trace lays units out in lanes; it is called by one at a time.
type trace struct {
	w       io.Writer
	start   time.Time
	lanes   []bool // taken
	running map[event.Unit]lane
	wrote   bool
	err     error
}

func (t *trace) take(e event.Event) {
	switch e := e.(type) {
	case event.RunStarted:
		t.start = e.Time
		t.write(traceEvent{Name: "process_name", Phase: "M", PID: 1, Args: map[string]any{"name": "dag " + e.RunID}})
	case event.StepStarted:
		l, again := t.running[e.Unit]
		if !again {
			l.tid = t.free()
		}
		l.start, l.attempt, l.reason = e.Time, e.Attempt, e.Reason
		t.running[e.Unit] = l
	case event.StepRetried:
		if l, ok := t.running[e.Unit]; ok {
			t.unit(e.Unit, l, e.Time, "retried", map[string]any{"error": errorText(e.Err)})
		}
	case event.StepFinished:
		l, ok := t.running[e.Unit]
		if !ok {
			return // it never started
		}
		delete(t.running, e.Unit)
		t.lanes[l.tid-1] = false
		t.unit(e.Unit, l, e.Time, string(e.Result), map[string]any{"rows_in": e.RowsIn, "rows_out": e.RowsOut, "bytes": e.Bytes, "error": errorText(e.Err)})
	case event.Grown:
		t.write(traceEvent{Name: fmt.Sprintf("%s: %d units more", e.Unit, e.Added), Phase: "i", Time: t.micros(e.Time), PID: 1, TID: 0})
	}
}

func (t *trace) unit(u event.Unit, l lane, end time.Time, result string, args map[string]any) {
	args["reason"], args["attempt"], args["result"] = l.reason, l.attempt, result
	t.write(traceEvent{
		Name: u.String(), Cat: u.Stage.Name, Phase: "X", Time: t.micros(l.start), Took: max(1, t.micros(end)-t.micros(l.start)), PID: 1, TID: l.tid, Args: args,
	})
}

// free takes the first lane that is free.
func (t *trace) free() int {
	for i, taken := range t.lanes {
		if !taken {
			t.lanes[i] = true
			return i + 1
		}
	}
	t.lanes = append(t.lanes, true)
	return len(t.lanes)
}

func (t *trace) micros(at time.Time) float64 { return float64(at.Sub(t.start).Nanoseconds()) / 1e3 }

func (t *trace) write(e traceEvent) {
	if t.err != nil {
		return
	}
	b, err := json.Marshal(e)
	lead := "[\n"
	if t.wrote {
		lead = ",\n"
	}
	if err == nil {
		_, err = fmt.Fprintf(t.w, "%s%s", lead, b)
	}
	t.wrote, t.err = true, err
}

func (t *trace) end() error {
	if t.err == nil && !t.wrote {
		_, t.err = io.WriteString(t.w, "[")
	}
	if t.err == nil {
		_, t.err = io.WriteString(t.w, "\n]\n")
	}
	return t.err
}
