package view

import (
	"strings"
	"testing"
	"time"

	"dag/engine/addr"
	"dag/engine/event"
)

// TestForecast: what earlier runs took, shared out among the workers, then more and
// more what this one takes; units of a stage that never ran are as the others.
func TestForecast(t *testing.T) {
	at := func(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }
	slow, quick := addr.Stage{Name: "slow"}, addr.Stage{Name: "quick"}
	unit := func(s addr.Stage, day string) event.Unit { return event.Unit{Stage: s, Keys: addr.Keys("dt=" + day)} }
	begin := func(sec int, u event.Unit) event.Event {
		return event.StepStarted{Time: at(sec), Unit: u, Attempt: 1}
	}
	end := func(sec int, u event.Unit, r event.Result, took int) event.Event {
		return event.StepFinished{Time: at(sec), Unit: u, Result: r, Elapsed: time.Duration(took) * time.Second}
	}
	for name, c := range map[string]struct {
		events []event.Event
		now    int
		want   string
	}{
		"no history": {[]event.Event{event.RunStarted{Time: at(0), WillRun: 2, Workers: 1, Work: []event.Work{{Stage: slow, Units: 2}}}, begin(0, unit(slow, "1"))}, 5, "no history"},
		"one stage without": {[]event.Event{
			event.RunStarted{Time: at(0), WillRun: 2, Workers: 1, Work: []event.Work{{Stage: slow, Units: 1, Each: time.Minute}, {Stage: quick, Units: 1}}},
		}, 5, "no history"},
		"this run's rate": {[]event.Event{
			event.RunStarted{Time: at(0), WillRun: 3, Workers: 1, Work: []event.Work{{Stage: slow, Units: 2}, {Stage: quick, Units: 1}}},
			begin(0, unit(slow, "1")), end(8, unit(slow, "1"), event.Done, 8),
		}, 8, "about 16.0 s to go"},
		"history": {[]event.Event{
			event.RunStarted{Time: at(0), WillRun: 4, Workers: 2, Work: []event.Work{{Stage: slow, Units: 3, Each: 20 * time.Second}, {Stage: quick, Units: 1, Each: 4 * time.Second}}},
			begin(0, unit(slow, "1")),
		}, 10, "about 27.0 s to go"}, // (3 × 20 + 4 − 10) / 2
		"the longest unit": {[]event.Event{
			event.RunStarted{Time: at(0), WillRun: 1, Workers: 4, Work: []event.Work{{Stage: slow, Units: 1, Each: 20 * time.Second}}},
			begin(0, unit(slow, "1")),
		}, 4, "about 16.0 s to go"},
		"twice as slow as before": {[]event.Event{
			event.RunStarted{Time: at(0), WillRun: 10, Workers: 1, Work: []event.Work{{Stage: slow, Units: 10, Each: 10 * time.Second}}},
			begin(0, unit(slow, "1")), end(20, unit(slow, "1"), event.Done, 20),
		}, 20, "about 2 min 15 s to go"}, // 9 × 10 × (20 + 10) / (10 + 10)
		"cut off costs nothing": {[]event.Event{
			event.RunStarted{Time: at(0), WillRun: 2, Workers: 1, Work: []event.Work{{Stage: slow, Units: 2, Each: 10 * time.Second}}},
			end(0, unit(slow, "1"), event.CutOff, 0),
		}, 0, "about 10.0 s to go"},
		"grown": {[]event.Event{
			event.RunStarted{Time: at(0), WillRun: 1, Workers: 1, Work: []event.Work{{Stage: slow, Units: 1, Each: 10 * time.Second}}},
			begin(0, unit(slow, "1")),
			event.Grown{Time: at(10), Added: 2, Work: []event.Work{{Stage: quick, Units: 2, Each: 3 * time.Second}}},
			end(10, unit(slow, "1"), event.Done, 10),
		}, 10, "about 6.00 s to go"},
		"longer": {[]event.Event{
			event.RunStarted{Time: at(0), WillRun: 1, Workers: 1, Work: []event.Work{{Stage: slow, Units: 1, Each: 10 * time.Second}}},
			begin(0, unit(slow, "1")),
		}, 11, "longer than expected"},
	} {
		tally := NewTally()
		for _, e := range c.events {
			tally.Sink(e)
		}
		if got := tally.line(at(c.now)); !strings.HasSuffix(got, ", "+c.want) {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}
