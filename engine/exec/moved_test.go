package exec_test

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"dag/engine/event"
	"dag/engine/exec"
	"dag/engine/stage"
)

// meanwhile runs f once, right before the first attempt at a unit.
func meanwhile(w *world, unit string, f func()) func(*exec.Options) {
	return func(o *exec.Options) {
		events, done := o.Events, false
		o.Workers = 1
		o.Events = func(e event.Event) {
			if s, ok := e.(event.StepStarted); ok && !done && s.Unit.String() == unit {
				done = true
				f()
			}
			events(e)
		}
	}
}

// beside is another process on the same lake.
func (w *world) beside() *world {
	return &world{t: w.t, root: w.root, runs: w.runs}
}

func (w *world) replanned() []string {
	var out []string
	for _, e := range w.events {
		if r, ok := e.(event.StepReplanned); ok {
			out = append(out, r.Unit.String()+": "+strings.Join(r.Differences, ", "))
		}
	}
	return out
}

func TestAnotherApplyMadeItMeanwhile(t *testing.T) {
	w := newWorld(t)
	w.raw("2025-08-04.txt", "ESU5 1\n")
	w.apply(context.Background(), meanwhile(w, "double[symbol=ESU5,dt=2025-08-04]", func() { w.beside().apply(context.Background(), nil) }))
	equal(t, w.finished(event.CutOff), []string{"double[symbol=ESU5,dt=2025-08-04]", "total[root=ES]"})
	equal(t, w.replanned(), []string{
		"double[symbol=ESU5,dt=2025-08-04]: its output silver.t.doubled[symbol=ESU5,dt=2025-08-04] has changed",
		"total[root=ES]: its output gold.t.total[root=ES] has changed",
	})
}

// An input that another process replaced is read as it is, and the manifest
// says so: the next plan has nothing to do.
func TestInputReplacedMeanwhile(t *testing.T) {
	w := newWorld(t)
	w.raw("2025-08-04.txt", "ESU5 1\n")
	w.apply(context.Background(), meanwhile(w, "total[root=ES]", func() {
		w.raw("2025-08-04.txt", "ESU5 5\n")
		w.beside().apply(context.Background(), func(o *exec.Options) { o.MaxFailures = 1 })
	}))
	equal(t, w.value("gold.t.total[root=ES]"), []int64{10})
	g, lk := w.open()
	if p := w.plan(g, lk); len(p.Items) != 0 {
		t.Errorf("left to do: %d", len(p.Items))
	}
}

func TestInputGoneMeanwhile(t *testing.T) {
	w := newWorld(t)
	w.raw("2025-08-04.txt", "ESU5 1\n")
	out := w.apply(context.Background(), meanwhile(w, "double[symbol=ESU5,dt=2025-08-04]", func() {
		if err := os.RemoveAll(filepath.Join(w.root, "bronze", "ESU5", "dt=2025-08-04")); err != nil {
			t.Fatal(err)
		}
	}))
	if out.Counts[event.Failed] != 1 || out.Counts[event.Blocked] != 1 {
		t.Errorf("counts %v", out.Counts)
	}
	equal(t, w.replanned(), []string{"double[symbol=ESU5,dt=2025-08-04]: its input bronze.t.events[symbol=ESU5,dt=2025-08-04] is gone"})
}

func TestStrictRefusesWhatMoved(t *testing.T) {
	w := newWorld(t)
	w.raw("2025-08-04.txt", "ESU5 1\n")
	w.apply(context.Background(), nil)
	w.raw("2025-08-05.txt", "ESU5 2\n")
	change := meanwhile(w, "ingest[root=ES,dt=2025-08-05]", func() { w.raw("2025-08-05.txt", "ESU5 3\nESZ5 4\n") })
	out := w.apply(context.Background(), func(o *exec.Options) { change(o); o.Strict = true })
	if !out.Drifted || out.Counts[event.Failed] != 1 {
		t.Errorf("%+v", out)
	}
	equal(t, w.value("gold.t.total[root=ES]"), []int64{2})
}

// The plan grows by a unit that another process made with values of its own.
func TestFanOutMadeMeanwhileGrowsThePlan(t *testing.T) {
	w := newWorld(t)
	w.raw("2025-08-04.txt", "ESU5 1\n")
	w.apply(context.Background(), nil)
	w.raw("2025-08-04.txt", "ESU5 1\nESZ5 7\n")
	w.apply(context.Background(), meanwhile(w, "ingest[root=ES,dt=2025-08-04]", func() {
		other := w.beside()
		other.runs = maps.Clone(w.runs)
		other.runs["double"] = func(context.Context, stage.Task) error { return errors.New("not here") }
		other.apply(context.Background(), nil)
	}))
	if !slices.Contains(w.finished(event.CutOff), "ingest[root=ES,dt=2025-08-04]") {
		t.Errorf("cut off %v", w.finished(event.CutOff))
	}
	equal(t, w.value("gold.t.total[root=ES]"), []int64{16})
}

// Nothing was known of a fan-out that another process makes while this one waits
// for its turn: what it made is taken, and not made twice.
func TestFirstFanOutMadeMeanwhile(t *testing.T) {
	w := newWorld(t)
	w.raw("2025-08-04.txt", "ESU5 1\nESZ5 2\n")
	w.apply(context.Background(), meanwhile(w, "ingest[root=ES,dt=2025-08-04]", func() { w.beside().apply(context.Background(), nil) }))
	equal(t, w.finished(event.CutOff), []string{
		"double[symbol=ESU5,dt=2025-08-04]", "double[symbol=ESZ5,dt=2025-08-04]", "ingest[root=ES,dt=2025-08-04]", "total[root=ES]",
	})
	equal(t, w.value("gold.t.total[root=ES]"), []int64{6})
}

// What another process began of a fan-out and did not finish is made.
func TestFirstFanOutFailedMeanwhile(t *testing.T) {
	w := newWorld(t)
	w.raw("2025-08-04.txt", "ESU5 1\nESZ5 2\n")
	w.apply(context.Background(), meanwhile(w, "ingest[root=ES,dt=2025-08-04]", func() {
		w.beside().apply(context.Background(), nil)
		if err := os.RemoveAll(filepath.Join(w.root, "bronze", "ESZ5")); err != nil {
			t.Fatal(err)
		}
	}))
	if !slices.Contains(w.finished(event.Done), "ingest[root=ES,dt=2025-08-04]") {
		t.Errorf("done %v", w.finished(event.Done))
	}
	equal(t, w.value("gold.t.total[root=ES]"), []int64{6})
	g, lk := w.open()
	if p := w.plan(g, lk); len(p.Items) != 0 {
		t.Errorf("left to do: %d", len(p.Items))
	}
}
