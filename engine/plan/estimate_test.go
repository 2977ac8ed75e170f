package plan_test

import (
	"testing"
	"time"

	"dag/engine/graph"
	"dag/engine/manifest"
	"dag/engine/plan"
)

const declaredMemory = `
dataset "silver" "t" "declared" {
  keys     = ["symbol", "dt"]
  path     = "declared/${key.symbol}"
  contract = "t.avsc"
}
stage "declared" {
  transform = "t.copy"
  input "in" { from = dataset.silver.t.bars }
  output "out" { to = dataset.silver.t.declared }
  resources { memory = "10MiB" }
}
`

// measured gives every partition of a stage a cost: the peak to most, that of the last
// day more, as if something large had run beside it.
func (w *world) measured(stage string, took time.Duration, peak int64) {
	for p, m := range w.parts {
		if m.Stage == stage {
			beside := int64(0)
			if d, _ := p.Keys.Get("dt"); d == "2025-08-07" {
				beside = 1 << 30
			}
			m.Run = manifest.Run{ElapsedNS: took.Nanoseconds(), PeakBytes: peak + beside}
		}
	}
}

func memoryByStage(p *plan.Plan) map[string]int64 {
	out := map[string]int64{}
	for _, it := range p.Items {
		out[it.Stage.Name] = it.Memory
	}
	return out
}

// TestMemoryIsDeclaredOrMeasured: what a block declares; otherwise the lesser of
// what the transform says and what was measured.
func TestMemoryIsDeclaredOrMeasured(t *testing.T) {
	w := week(t, "2025-08-04", "2025-08-05", "2025-08-06", "2025-08-07")
	w.extra = declaredMemory
	w.configure()
	p := w.mustPlan(graph.Request{})
	if e := p.Estimate(2); e.Runs != 0 || e.Unknown != len(p.Items) || e.Peak != 0 || e.Elapsed != 0 {
		t.Errorf("without history: %+v", e)
	}
	w.apply(graph.Request{}, false, "")
	p = w.mustPlan(graph.Request{})
	if len(p.Items) != 0 {
		t.Fatal("something is left to do")
	}
	w.param = "2"
	w.configure()
	w.measured("bars", time.Minute, 40<<20)    // less than the transform says
	w.measured("history", time.Second, 80<<20) // more
	w.measured("declared", time.Second, 5<<20)
	p = w.mustPlan(graph.Request{})
	memory := memoryByStage(p)
	for stage, want := range map[string]int64{"bars": 40 << 20, "history": copyMemory, "index": copyMemory, "declared": 10 << 20} {
		if memory[stage] != want {
			t.Errorf("%s reserves %d, want %d", stage, memory[stage], want)
		}
	}
	if e := p.Estimate(2); e.Peak != 0 || e.Runs == 0 || e.Memory != 2*copyMemory {
		t.Errorf("nothing of index was measured: %+v", e)
	}
	w.measured("index", time.Second, 3<<20)
	e := w.mustPlan(graph.Request{}).Estimate(2)
	if want := int64(2 * 80 << 20); e.Peak != want {
		t.Errorf("peak %d, want %d", e.Peak, want)
	}
	if e.Critical != time.Minute+time.Second || e.Elapsed < e.Critical {
		t.Errorf("critical path %s of %s", e.Critical, e.Elapsed)
	}
}

// TestAdoptedIsNoHistory: no unit ran for it.
func TestAdoptedIsNoHistory(t *testing.T) {
	w := week(t, "2025-08-04")
	w.apply(graph.Request{}, false, "")
	for _, m := range w.parts {
		m.Reason.Code = manifest.Adopted
	}
	w.param = "2"
	w.configure()
	if e := w.mustPlan(graph.Request{}).Estimate(1); e.Runs != 0 || e.Unknown == 0 {
		t.Errorf("%+v", e)
	}
}
