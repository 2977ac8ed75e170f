package plan_test

import (
	"slices"
	"strings"
	"testing"

	"dag/engine/graph"
)

// spread reads the contract before each contract, as the values sort; below
// reads what spread makes.
const spread = `
dataset "silver" "t" "spread" {
  keys     = ["symbol", "dt"]
  path     = "spread/${key.symbol}"
  contract = "t.avsc"
}
stage "spread" {
  transform = "t.pair"
  input "a" { from = dataset.silver.t.bars }
  input "b" {
    from = dataset.silver.t.bars
    window {
      key      = "symbol"
      sessions = [-1, -1]
      on_short = "skip"
    }
  }
  output "out" { to = dataset.silver.t.spread }
}
dataset "silver" "t" "below" {
  keys     = ["symbol", "dt"]
  path     = "below/${key.symbol}"
  contract = "t.avsc"
}
stage "below" {
  transform = "t.copy"
  input "in" { from = dataset.silver.t.spread }
  output "out" { to = dataset.silver.t.below }
}
`

// spreadInputs lists what a partition of spread was made from at port b.
func (w *world) spreadInputs(symbol, dt string) string {
	m := w.parts[w.part("silver.t.spread[symbol="+symbol+",dt="+dt+"]")]
	if m == nil {
		return "none"
	}
	var in []string
	for _, i := range m.Inputs {
		if i.Port == "b" {
			in = append(in, strings.TrimPrefix(i.Partition, "silver.t.bars"))
		}
	}
	return strings.Join(in, " ")
}

func TestWindowOverValues(t *testing.T) {
	w := newWorld(t)
	w.extra = spread
	w.configure()
	w.raw["ES"] = map[string]string{"es-2025-08-04.dbn": "ESH6 ESZ5:x", "es-2025-08-05.dbn": "ESH6 ESU5 ESZ5:x"}
	w.apply(graph.Request{}, false, "")
	// On the first day the contract before ESZ5 is ESU5, which has no partition:
	// when that day's fan-out had run, ESZ5 still followed ESH6.
	for at, want := range map[string]string{
		"ESH6 2025-08-04": "none", "ESZ5 2025-08-04": "none", "ESU5 2025-08-04": "none",
		"ESH6 2025-08-05": "none", "ESU5 2025-08-05": "[symbol=ESH6,dt=2025-08-05]", "ESZ5 2025-08-05": "[symbol=ESU5,dt=2025-08-05]",
	} {
		symbol, dt, _ := strings.Cut(at, " ")
		if got := w.spreadInputs(symbol, dt); got != want {
			t.Errorf("%s read %s, want %s", at, got, want)
		}
	}
	if left := lines(w.mustPlan(graph.Request{})); len(left) > 0 {
		t.Errorf("left to do: %v", left)
	}

	// A contract that comes in between moves the windows of those after it.
	w.raw["ES"]["es-2025-08-05.dbn"] = "ESH6 ESM6 ESU5 ESZ5:x"
	w.apply(graph.Request{}, false, "")
	if got := w.spreadInputs("ESU5", "2025-08-05"); got != "[symbol=ESM6,dt=2025-08-05]" {
		t.Errorf("ESU5 reads %s", got)
	}
	if slices.Contains(w.ran, "spread[symbol=ESZ5,dt=2025-08-05]") {
		t.Errorf("ESZ5 has the same neighbour as before, and ran: %v", w.ran)
	}
}

// A unit that was planned loses its place while the plan grows: it is skipped,
// with what was to read it.
func TestGrowthTakesBackUnitsOfAWindow(t *testing.T) {
	w := newWorld(t)
	w.extra = spread
	w.configure()
	w.raw["ES"] = map[string]string{"es-2025-08-04.dbn": "ESH6 ESZ5:x"}
	w.apply(graph.Request{}, false, "")
	if got := w.spreadInputs("ESZ5", "2025-08-04"); got != "[symbol=ESH6,dt=2025-08-04]" {
		t.Fatalf("ESZ5 read %s", got)
	}
	delete(w.parts, w.part("silver.t.spread[symbol=ESZ5,dt=2025-08-04]"))
	delete(w.parts, w.part("silver.t.below[symbol=ESZ5,dt=2025-08-04]"))
	w.raw["ES"]["es-2025-08-05.dbn"] = "ESU5 ESZ5:x"
	planned := lines(w.mustPlan(graph.Request{}))
	if !slices.ContainsFunc(planned, func(l string) bool { return strings.Contains(l, "spread[symbol=ESZ5,dt=2025-08-04]") }) {
		t.Fatalf("planned %v", planned)
	}
	w.apply(graph.Request{}, false, "")
	for _, unit := range []string{"spread", "below"} {
		if id := unit + "[symbol=ESZ5,dt=2025-08-04]"; slices.Contains(w.ran, id) {
			t.Errorf("%s ran, and ESU5 before it has no partition of that day", id)
		}
		if id := unit + "[symbol=ESZ5,dt=2025-08-05]"; !slices.Contains(w.ran, id) {
			t.Errorf("%s did not run: %v", id, w.ran)
		}
	}
	if left := lines(w.mustPlan(graph.Request{})); len(left) > 0 {
		t.Errorf("left to do: %v", left)
	}
}
