package plan_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"dag/engine/graph"
	"dag/engine/plan"
)

// next is an item that has not ended and whose deps have; nil if there is none.
func (w *world) next(p *plan.Plan, done map[int]int) *plan.Item {
	var ready []*plan.Item
	for _, it := range p.Items {
		if done[it.ID] != 0 || slices.ContainsFunc(it.Deps, func(d int) bool { return done[d] == 0 }) {
			continue
		}
		if w.pick == nil {
			return it
		}
		ready = append(ready, it)
	}
	if len(ready) == 0 {
		return nil
	}
	return ready[w.pick(len(ready))]
}

// settle applies and sees that nothing is left to do.
func (w *world) settle(rt *rapid.T) {
	w.apply(graph.Request{}, false, "")
	if left := lines(w.mustPlan(graph.Request{})); len(left) > 0 {
		rt.Fatalf("left to do: %v, after %v", left, w.ran)
	}
}

// What is fresh and becomes known only while the plan runs is forced as well, if it
// is selected.
func TestForceRunsWhatBecomesKnown(t *testing.T) {
	for selectors, want := range map[string][]string{
		"":                                    {"bars[symbol=ESU5,dt=2025-08-04]", "bars[symbol=ESZ5,dt=2025-08-04]", "index[root=ES]", "ingest[root=ES,dt=2025-08-04]"},
		"ingest bars":                         {"bars[symbol=ESU5,dt=2025-08-04]", "bars[symbol=ESZ5,dt=2025-08-04]", "ingest[root=ES,dt=2025-08-04]"},
		"ingest":                              {"ingest[root=ES,dt=2025-08-04]"},
		"ingest state:stale":                  {"ingest[root=ES,dt=2025-08-04]"},
		"ingest,state:stale bars,state:fresh": {"bars[symbol=ESU5,dt=2025-08-04]", "bars[symbol=ESZ5,dt=2025-08-04]", "ingest[root=ES,dt=2025-08-04]"},
	} {
		w := week(t, "2025-08-04")
		w.apply(graph.Request{}, false, "")
		clear(w.fans)
		for _, s := range []string{"ESU5", "ESZ5"} {
			delete(w.parts, w.part("bronze.t.events[symbol="+s+",dt=2025-08-04]"))
		}
		w.apply(graph.Request{Select: strings.Fields(selectors)}, true, "")
		if slices.Sort(w.ran); !slices.Equal(w.ran, want) {
			t.Errorf("%q ran %v, want %v", selectors, w.ran, want)
		}
	}
}
