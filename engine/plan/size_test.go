package plan_test

import (
	"context"
	"runtime"
	"testing"
	"time"

	"dag/engine/addr"
	"dag/engine/graph"
	"dag/engine/manifest"
	"dag/engine/plan"
)

// TestItemsAreSmall: of a hundred thousand items a plan holds less than a KiB each.
func TestItemsAreSmall(t *testing.T) {
	const contracts, sessions = 20, 2_500
	w := newWorld(t)
	events := w.part("bronze.t.events[symbol=A,dt=2025-08-04]").Dataset
	c := &complete{map[addr.Dataset]*manifest.Table{}}
	c.fill(events, w.graph.Config.Calendars[0], contracts, sessions)
	sel, list := w.graph.Select(graph.Request{Select: []string{"bars history"}})
	if list.HasErrors() {
		t.Fatal(list)
	}
	before := held()
	p, err := plan.Make(context.Background(), w.graph, c, plan.Request{Selection: sel}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	after := held()
	if n := uint64(len(p.Items)); n < contracts*sessions || (after-before)/n > 1024 {
		t.Errorf("%d items, %d bytes each", n, (after-before)/n)
	}
	runtime.KeepAlive(p)
}

// held is the memory in use.
func held() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
