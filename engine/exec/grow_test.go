package exec_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"dag/engine/event"
	"dag/engine/exec"
	"dag/engine/stage"
)

// with adds blocks to the pipeline.
func (w *world) with(hcl string) {
	w.edit = func(p string) string { return strings.Replace(p, "RETRY", w.retry, 1) + hcl }
}

// before reads, of each symbol, the one before it.
const before = `
dataset "silver" "t" "before" {
  keys     = ["symbol", "dt"]
  path     = "before/${key.symbol}"
  contract = "t.avsc"
}
stage "before" {
  transform = "t.double"
  input "in" {
    from = dataset.silver.t.doubled
    window {
      key      = "symbol"
      sessions = [-1, -1]
      on_short = "skip"
    }
  }
  output "out" { to = dataset.silver.t.before }
}
`

// A unit that a failure has blocked may lose its place in a window afterwards: it
// has ended by then.
func TestBlockedUnitThatLosesItsInputEndsOnce(t *testing.T) {
	w := newWorld(t)
	w.with(before)
	w.raw("2025-08-04.txt", "ESA5 1\nESC5 1\n")
	w.raw("2025-08-05.txt", "ESB5 1\n")
	lost, blocked := "before[symbol=ESC5,dt=2025-08-04]", make(chan struct{})
	unblock := sync.OnceFunc(func() { close(blocked) })
	w.runs["double"] = func(ctx context.Context, t stage.Task) error {
		if t.Key("symbol") == "ESA5" {
			return errors.New("not this one")
		}
		return double(ctx, t)
	}
	w.runs["ingest"] = func(ctx context.Context, t stage.Task) error {
		if t.Key("dt") == "2025-08-05" {
			<-blocked // then it tells that ESB5 is before ESC5, of which the day before has none
		}
		return ingest(ctx, t)
	}
	w.apply(context.Background(), func(o *exec.Options) {
		events := o.Events
		o.Events = func(e event.Event) {
			if f, ok := e.(event.StepFinished); ok && f.Unit.String() == lost {
				unblock()
			}
			events(e)
		}
	})
	equal(t, w.finished(event.Blocked), []string{"before[symbol=ESB5,dt=2025-08-04]", lost, "total[root=ES]"})
	equal(t, w.finished(event.Skipped), nil)
}

// history reads, of each symbol, the sessions before each.
const history = `
dataset "silver" "t" "history" {
  keys     = ["symbol", "dt"]
  path     = "history/${key.symbol}"
  contract = "t.avsc"
}
stage "history" {
  transform = "t.double"
  input "in" {
    from = dataset.silver.t.doubled
    window {
      key      = "dt"
      sessions = [-2, -1]
      min      = 1
      on_short = "skip"
    }
  }
  output "out" { to = dataset.silver.t.history }
}
`

// A file that cannot be read, months away, keeps no window back.
func TestFailureBlocksOnlyTheWindowsThatReachIt(t *testing.T) {
	w := newWorld(t)
	w.with(history)
	w.raw("2025-08-04.txt", "ESU5 1\n")
	w.raw("2025-08-05.txt", "ESU5 1\n")
	w.raw("2025-12-20.txt", "ESU5 x\n")
	w.apply(context.Background(), nil)
	equal(t, w.finished(event.Failed), []string{"ingest[root=ES,dt=2025-12-20]"})
	equal(t, w.finished(event.Blocked), []string{"total[root=ES]"})
	equal(t, w.finished(event.Done), []string{
		"double[symbol=ESU5,dt=2025-08-04]", "double[symbol=ESU5,dt=2025-08-05]",
		"history[symbol=ESU5,dt=2025-08-05]", "history[symbol=ESU5,dt=2025-08-06]", "history[symbol=ESU5,dt=2025-08-07]",
		"ingest[root=ES,dt=2025-08-04]", "ingest[root=ES,dt=2025-08-05]",
	})
}
