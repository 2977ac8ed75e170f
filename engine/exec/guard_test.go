package exec_test

import (
	"context"
	"testing"
	"time"

	"dag/engine/event"
	"dag/engine/exec"
)

func started(w *world) []string {
	var out []string
	for _, e := range w.events {
		if s, ok := e.(event.StepStarted); ok {
			out = append(out, s.Unit.String())
		}
	}
	return out
}

func TestOrderAndLimit(t *testing.T) {
	for order, want := range map[exec.Order][]string{
		exec.Newest: {"ingest[root=ES,dt=2025-08-06]"},
		exec.Oldest: {"ingest[root=ES,dt=2025-08-04]"},
	} {
		w := newWorld(t)
		for _, day := range []string{"2025-08-04", "2025-08-05", "2025-08-06"} {
			w.raw(day+".txt", "ESU5 1\n")
		}
		out := w.apply(context.Background(), func(o *exec.Options) { o.Workers, o.Order, o.Limit = 1, order, 1 })
		equal(t, started(w), want)
		if out.Counts[event.Skipped] == 0 || out.Counts[event.Canceled] > 0 || out.Counts[event.Failed] > 0 {
			t.Errorf("counts %v", out.Counts)
		}
		if out = w.apply(context.Background(), nil); out.Counts[event.Skipped] > 0 {
			t.Errorf("the next apply skips: %v", out.Counts)
		}
		equal(t, w.value("gold.t.total[root=ES]"), []int64{6})
	}
}

func TestUntil(t *testing.T) {
	w := newWorld(t)
	w.raw("2025-08-04.txt", "ESU5 1\n")
	now := time.Date(2025, 8, 8, 6, 0, 0, 0, time.UTC)
	out := w.apply(context.Background(), func(o *exec.Options) {
		o.Workers, o.Until = 1, now.Add(time.Second)
		o.Now = func() time.Time { return now }
		events := o.Events
		o.Events = func(e event.Event) {
			if f, ok := e.(event.StepFinished); ok && f.Result == event.Done {
				now = now.Add(time.Minute)
			}
			events(e)
		}
	})
	equal(t, started(w), []string{"ingest[root=ES,dt=2025-08-04]"})
	if out.Counts[event.Done] != 1 || out.Counts[event.Skipped] != 2 {
		t.Errorf("counts %v", out.Counts)
	}
}

// A unit that is planned anew after it has started counts once.
func TestLimitCountsAReplannedUnitOnce(t *testing.T) {
	w := newWorld(t)
	w.raw("2025-08-04.txt", "ESU5 1\n")
	w.raw("2025-08-05.txt", "ESU5 1\n")
	change := meanwhile(w, "ingest[root=ES,dt=2025-08-04]", func() { w.raw("2025-08-04.txt", "ESU5 77\n") })
	out := w.apply(context.Background(), func(o *exec.Options) { change(o); o.Order, o.Limit = exec.Oldest, 2 })
	equal(t, w.replanned(), []string{"ingest[root=ES,dt=2025-08-04]: its input raw.t.files[root=ES,dt=2025-08-04] 2025-08-04.txt has changed"})
	if out.Counts[event.Done] != 2 {
		t.Errorf("counts %v", out.Counts)
	}
}
