package view

import (
	"errors"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"dag/engine/event"
)

// Tally counts what happens in a run, for its progress and its end. Its Sink
// gets every event; everything else is called when no more come.
type Tally struct {
	total    int    // units known so far
	run      string // its id
	started  time.Time
	running  map[string]bool
	counts   map[event.Result]int
	parts    int
	rows     int64
	bytes    int64
	same     int
	elapsed  time.Duration
	failures []event.StepFinished
	blocked  []event.StepFinished
	forecast *forecast
	costs    costs
}

// NewTally returns an empty one.
func NewTally() *Tally {
	return &Tally{running: map[string]bool{}, counts: map[event.Result]int{}, forecast: newForecast(), costs: costs{}}
}

// Sink takes one event in.
func (t *Tally) Sink(e event.Event) {
	t.forecast.sink(e)
	switch e := e.(type) {
	case event.RunStarted:
		t.total, t.started, t.run = e.WillRun+e.MayRun, e.Time, e.RunID
	case event.Grown:
		t.total += e.Added
	case event.StepStarted:
		t.running[e.Unit.String()] = true
	case event.StepFinished:
		t.finished(e)
	case event.RunFinished:
		t.elapsed = e.Elapsed
	}
}

func (t *Tally) finished(e event.StepFinished) {
	delete(t.running, e.Unit.String())
	t.counts[e.Result]++
	t.parts += len(e.Partitions)
	t.rows += e.RowsOut
	t.bytes += e.Bytes
	t.same += e.Unchanged
	t.costs.add(e)
	switch e.Result {
	case event.Failed:
		t.failures = append(t.failures, e)
	case event.Blocked:
		t.blocked = append(t.blocked, e)
	}
}

// ended is how many units have an end; those that were blocked from the start
// do not count among the total.
func (t *Tally) ended() int {
	return t.counts[event.Done] + t.counts[event.CutOff] + t.counts[event.Skipped] + t.counts[event.Failed] + t.counts[event.Canceled]
}

// line sums the progress up: 12 of 40, 2 running, 1 failed · 14.0 s, about 9.00 s to go.
func (t *Tally) line(now time.Time) string {
	line := strings.Join(append([]string{t.done()}, t.states()...), ", ") + " · " + Duration(now.Sub(t.started))
	if left := t.left(now); left != "" {
		line += ", " + left
	}
	return line
}

// done is how much of all has ended.
func (t *Tally) done() string { return Count(t.ended()) + " of " + Count(t.total) }

// states counts what is neither waiting nor well.
func (t *Tally) states() []string {
	var out []string
	for _, p := range []struct {
		n    int
		word string
	}{{len(t.running), "running"}, {t.counts[event.Failed], "failed"}, {t.counts[event.Blocked], "blocked"}} {
		if p.n > 0 {
			out = append(out, Count(p.n)+" "+p.word)
		}
	}
	return out
}

// left is how long it will go on; "" when it is over.
func (t *Tally) left(now time.Time) string {
	if t.forecast.over() {
		return ""
	}
	d, known := t.forecast.left(now)
	switch {
	case !known:
		return "no history"
	case d == 0:
		return "longer than expected"
	}
	return "about " + Duration(d) + " to go"
}

// The bar's columns, and how many the whole line must have for it to be drawn.
const barColumns, barFrom = 20, 60

// bar is the progress in one line of at most so many columns: where there is little
// room the time to go comes before the counts.
func (t *Tally) bar(now time.Time, columns int) string {
	full := t.line(now)
	switch n := utf8.RuneCountInString(full); {
	case columns >= barFrom && n+barColumns+1 <= columns:
		filled := barColumns * t.ended() / max(t.total, 1)
		return strings.Repeat("█", filled) + strings.Repeat("░", barColumns-filled) + " " + full
	case n <= columns:
		return full
	}
	short := []string{t.done()}
	if left := t.left(now); left != "" {
		short = append(short, left)
	}
	return cut(strings.Join(append(short, t.states()...), ", "), columns)
}

// Summary writes what the run came to, and which units were not made.
func (t *Tally) Summary(w io.Writer, s Style, c Commands) error {
	p := &printer{w: w, style: s}
	parts := []string{Count(t.counts[event.Done]) + " done"}
	for _, r := range []struct {
		result event.Result
		word   string
	}{
		{event.CutOff, "cut off (up to date)"}, {event.Skipped, "skipped"}, {event.Failed, "failed"},
		{event.Blocked, "blocked"}, {event.Canceled, "canceled"},
	} {
		if n := t.counts[r.result]; n > 0 {
			parts = append(parts, Count(n)+" "+r.word)
		}
	}
	mark := green
	if t.counts[event.Failed]+t.counts[event.Blocked]+t.counts[event.Canceled] > 0 {
		mark = red
	}
	made := plural(t.parts, "partition")
	if t.same > 0 {
		made += " (" + Count(t.same) + " with the bytes they had)"
	}
	p.printf("%s %s in %s · %s, %s, %s\n", s.paint(mark, "Apply:"), strings.Join(parts, ", "), Duration(t.elapsed), made, plural(t.rows, "row"), Bytes(t.bytes))
	t.costs.table().print(p, "  ")
	for i, f := range t.failures {
		if i == maxFailures {
			break
		}
		p.printf("  failed: %s\n", f.Unit.String())
	}
	for i, b := range t.blocked {
		if i == maxBlocked {
			break
		}
		p.printf("  blocked: %s, since %s\n", b.Unit.String(), b.Because)
	}
	if len(t.failures) > maxFailures || len(t.blocked) > maxBlocked {
		p.printf("  … and more: %s\n", c.with("plan", c.Selection))
	}
	return p.err
}

// How many failed and how many blocked units the summary names.
const maxFailures, maxBlocked = 10, 3

// stackLines is how much of a panic's stack a failure shows: where it happened.
const stackLines = 6

// failure writes a failed unit with its error, the end of its output, where all of it
// is, and the command that repeats it. run is empty where nobody has said it.
func (p *printer) failure(e event.StepFinished, run string, c Commands) {
	name := e.Unit.String()
	p.printf("%s %s failed after %s\n", p.style.paint(red, "error:"), name, Duration(e.Elapsed))
	for _, line := range strings.Split(errorText(e.Err), "\n") {
		p.wrapped(plain, "  ", "  ", line)
	}
	for _, line := range panicLines(e.Err) {
		p.printf("    %s\n", line)
	}
	if run != "" && !c.Unrecorded {
		p.printf("  log:    %s\n", c.with("logs", quote(name)+" --run "+run))
	}
	p.printf("  repeat: %s\n", c.with("apply", quote(name)))
}

// panicLines are those of a panic's stack below the panic itself, the innermost first;
// none for other errors.
func panicLines(err error) []string {
	var bug interface{ Trace() []byte }
	if !errors.As(err, &bug) {
		return nil
	}
	_, below, found := strings.Cut(string(bug.Trace()), "\npanic(")
	lines := strings.Split(strings.TrimSpace(below), "\n")
	if !found || len(lines) < 3 {
		return nil
	}
	lines = lines[2:] // the rest of panic's own two lines
	return lines[:min(len(lines), stackLines)]
}

func (p *printer) retried(e event.StepRetried) {
	p.printf("%s %s failed, and is tried again in %s: %s\n", p.style.paint(yellow, "retry:"), e.Unit, Duration(e.Wait), errorText(e.Err))
}

func (p *printer) replanned(e event.StepReplanned) {
	p.printf("%s %s is planned anew: %s\n", p.style.paint(yellow, "changed:"), e.Unit, strings.Join(e.Differences, ", "))
}

func (p *printer) notice(e event.Notice) { p.printf("note: %s\n", e.Text) }
