package view

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"dag/engine/event"
	"dag/engine/graph"
)

// bug is the error of a panic.
type bug struct{ stack string }

func (b bug) Error() string { return "the transform x has a bug and panicked: nil map" }
func (b bug) Trace() []byte { return []byte(b.stack) }

const stack = "goroutine 7 [running]:\nruntime/debug.Stack()\n\t/go/stack.go:26\npanic({0x1, 0x2})\n\t/go/panic.go:9\ndag/stages.Run(...)\n\t/src/run.go:12 +0x1\n"

// recorded writes events as a run keeps them, and reads them.
func recorded(t *testing.T, events []event.Event, cut int) []EventDoc {
	t.Helper()
	var b bytes.Buffer
	sink := JSON(&b)
	for _, e := range events {
		sink(e)
	}
	docs, err := ReadEvents(bytes.NewReader(b.Bytes()[:b.Len()-cut]), nil)
	if err != nil {
		t.Fatal(err)
	}
	return docs
}

func anything(graph.Request) string { return "everything" }

func text(t *testing.T, f func(*bytes.Buffer) error) string {
	t.Helper()
	var b bytes.Buffer
	if err := f(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestUnitsOfARunThatWasKilled: the last line may be half of one, and what had begun
// has no end.
func TestUnitsOfARunThatWasKilled(t *testing.T) {
	all := run()
	end := slices.IndexFunc(all, func(e event.Event) bool { _, ok := e.(event.StepFinished); return ok })
	docs := recorded(t, all[:end+1], 20)
	if len(docs) != end {
		t.Errorf("%d events are read of %d whole ones", len(docs), end)
	}
	units := Units(docs)
	if len(units) != 1 || units[0].Result != UnitUnfinished || units[0].Reason != "missing" || units[0].Attempts != 1 {
		t.Errorf("%+v", units)
	}
	r := RunDoc{State: RunKilled, StartedAt: start.Format(time.RFC3339Nano), Counts: map[string]int{}}
	r.SoFar(docs)
	if last := docs[len(docs)-1].Time.Sub(start); r.Counts[UnitUnfinished] != 1 || r.ElapsedNS != last.Nanoseconds() || last == 0 {
		t.Errorf("%v after %d ns", r.Counts, r.ElapsedNS)
	}
	r = RunDoc{State: RunDone, ElapsedNS: 1}
	if r.SoFar(docs); r.Counts != nil || r.ElapsedNS != 1 {
		t.Error("a run that has ended has said how")
	}
	live := NewRunResults()
	for _, e := range all {
		live.Sink(e)
	}
	b, err := json.Marshal(live.Doc("r1"))
	if err != nil {
		t.Fatal(err)
	}
	kept, err := ReadResults(b)
	if err != nil || !reflect.DeepEqual(kept, NewResults("r1", recorded(t, all, 0))) {
		t.Errorf("summed up while it goes on %+v, and from its events %+v: %v", kept, NewResults("r1", recorded(t, all, 0)), err)
	}
	for _, bad := range []string{`{"format_version": 2}`, `{"for`} {
		if _, err := ReadResults([]byte(bad)); err == nil {
			t.Errorf("%s is read", bad)
		}
	}
	var results []string
	for _, u := range Units(recorded(t, all, 0)) {
		results = append(results, fmt.Sprint(u.Result, " ", u.Attempts))
	}
	if got, want := strings.Join(results, ", "), "done 1, cut_off 0, failed 2, blocked 0"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestReadRunKnowsTheKilled(t *testing.T) {
	for state, alive := range map[string]bool{RunRunning: true, RunKilled: false} {
		r, err := ReadRun([]byte(`{"state": "running"}`), func() bool { return alive })
		if err != nil || r.State != state {
			t.Errorf("alive %v: %s, %v", alive, r.State, err)
		}
	}
	unasked := func() bool { t.Error("a run that has ended is asked whether it lives"); return false }
	if r, err := ReadRun([]byte(`{"state": "done"}`), unasked); err != nil || r.State != RunDone {
		t.Errorf("%s, %v", r.State, err)
	}
	if _, err := ReadRun([]byte(`{"sta`), unasked); err == nil {
		t.Error("half a document is read")
	}
}

// TestRunNamesSoMany: a run in which everything was blocked does not fill the screen.
func TestRunNamesSoMany(t *testing.T) {
	r := RunDoc{RunID: "r1", State: RunFailed, StartedAt: "2025-08-14T22:01:02.5Z", Only: []string{"a", "b"}, Variables: map[string]string{"lake": "x"}}
	units := []UnitDoc{{Stage: "late", Result: string(event.Blocked), Because: "first"}}
	for i := range 30 {
		units = append(units, UnitDoc{Stage: fmt.Sprint("bad", i), Result: string(event.Failed), Error: "no\nmore"})
	}
	got := text(t, func(b *bytes.Buffer) error { return r.Text(b, Style{}, anything, units) })
	for _, want := range []string{"selection  2 units of: everything\n", "variable   lake = x\n", "  failed bad19: no\n    more\n", "  … and 11 more"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
	if strings.Contains(got, "blocked late") {
		t.Error("what failed comes before what was blocked by it")
	}
}

// TestLogHoldsAll: a unit's log has its chain, its stack, what it read and made.
func TestLogHoldsAll(t *testing.T) {
	unit := event.Unit{Stage: run()[2].(event.StepStarted).Unit.Stage, Keys: "symbol=ESU5,dt=2025-08-14"}
	source, made := part(raw, "2025-08-14"), part(bars, "2025-08-14")
	docs := recorded(t, []event.Event{
		event.StepStarted{Time: start, Unit: unit, Reason: "input_changed", Attempt: 1, Chain: []event.Cause{
			{Partition: made.String(), Code: "input_changed", About: source.String(), File: "a.dbn", Old: strings.Repeat("1a", 16), New: strings.Repeat("2b", 16)},
		}},
		event.StepRetried{Time: start, Unit: unit, Attempt: 1, Err: bug{stack}, Wait: 1e9},
		event.StepStarted{Time: start, Unit: unit, Reason: "input_changed", Attempt: 2},
		event.Notice{Time: start, Text: "of nobody"},
		event.StepFinished{
			Time: start, Unit: unit, Result: event.Failed, Err: bug{stack}, Elapsed: 2e9, RowsIn: 12_345,
			Inputs: []event.Input{{Port: "in", Partition: source, File: "a.dbn", Digest: strings.Repeat("2b", 16)}}, Metrics: map[string]int64{"dropped": 7},
		},
	}, 0)
	log := NewLog("r1", Units(docs)[0], docs)
	got := text(t, func(b *bytes.Buffer) error { return log.Text(b, Style{}) })
	for _, want := range []string{
		"attempt 1, since input_changed\n", "because its input " + source.String() + " has changed (a.dbn): 1a1a1a1a1a1a → 2b2b2b2b2b2b\n",
		"attempt 1 failed, and is tried again in 1.00 s\n", "failed after 2.00 s: 12 345 rows read", "dag/stages.Run(...)\n", "/src/run.go:12",
		"read     in  " + source.String() + " a.dbn  2b2b2b2b2b2b\n", "counted  dropped  7\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
	if strings.Contains(got, "nobody") || len(log.Events) != 4 {
		t.Errorf("%d events:\n%s", len(log.Events), got)
	}
}

// TestFailureShowsWhereItPanicked: the first frames below the panic, and where the
// whole log is.
func TestFailureShowsWhereItPanicked(t *testing.T) {
	var b bytes.Buffer
	sink := Failures(&b, Style{}, Commands{Name: "dag -C p"})
	unit := run()[2].(event.StepStarted).Unit
	sink(event.RunStarted{RunID: "r9"})
	sink(event.StepFinished{Unit: unit, Result: event.Failed, Err: bug{stack}, Elapsed: 1e9})
	want := "error: ingest[symbol=ESU5,dt=2025-08-14] failed after 1.00 s\n  the transform x has a bug and panicked: nil map\n    dag/stages.Run(...)\n    \t/src/run.go:12 +0x1\n" +
		"  log:    dag -C p logs 'ingest[symbol=ESU5,dt=2025-08-14]' --run r9\n  repeat: dag -C p apply 'ingest[symbol=ESU5,dt=2025-08-14]'\n"
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
	if lines := panicLines(bug{"nothing of use"}); lines != nil {
		t.Errorf("%q", lines)
	}
}

func TestRunDiff(t *testing.T) {
	a := RunDoc{RunID: "r1", Variables: map[string]string{"x": "1", "same": "s"}, Definitions: map[string]string{"bar5s": strings.Repeat("1a", 16)}, Workers: 2}
	b := RunDoc{RunID: "r2", Variables: map[string]string{"x": "2", "same": "s"}, Definitions: map[string]string{}, Workers: 2, Force: true}
	done := func(stage, digest string, ns int64) UnitDoc {
		return UnitDoc{Stage: stage, Unit: "dt=1", Result: "done", Attempts: 1, ElapsedNS: ns, Partitions: []string{"p." + stage}, Digests: []string{digest}}
	}
	first := []UnitDoc{done("bar5s", "aa", 1e9), done("level", "cc", 1e9), done("only", "dd", 1e9)}
	second := []UnitDoc{done("bar5s", "bb", 3e9), done("level", "cc", 2e9), {Stage: "late", Unit: "dt=1", Result: "blocked"}}
	d := NewRunDiff(a, b, first, second, anything)
	got := text(t, func(w *bytes.Buffer) error { return d.Text(w, Style{}) })
	want := `                     r1            r2
forced               no            yes
variable x           1             2
definition of bar5s  1a1a1a1a1a1a  –
p.bar5s              aa            bb
late[dt=1]           –             blocked
only[dt=1]           done          –

stage   units    took  units    took
bar5s       1  1.00 s      1  3.00 s
level       1  1.00 s      1  2.00 s
only        1  1.00 s      0       –
in all           0 µs           0 µs
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if d.Same != 1 {
		t.Errorf("%d are the same", d.Same)
	}
	same := NewRunDiff(a, a, first, first, anything)
	if got := text(t, func(w *bytes.Buffer) error { return same.Text(w, Style{}) }); !strings.HasPrefix(got, "The runs r1 and r1 differ in nothing but their times.\n") {
		t.Error(got)
	}
	if b, err := json.Marshal(same); err != nil || bytes.Contains(b, []byte("null")) {
		t.Errorf("%s, %v", b, err)
	}
}
