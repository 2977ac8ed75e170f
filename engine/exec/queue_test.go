package exec_test

import (
	"runtime"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"dag/engine/exec"
)

func TestHeaviestPathFirst(t *testing.T) {
	q := exec.NewQueue(exec.Limits{Workers: 1})
	q.Add(exec.Node{ID: 0}, exec.Node{ID: 1}, exec.Node{ID: 2, Deps: []int{1}}, exec.Node{ID: 3, Deps: []int{2}})
	var order []int
	for !q.Empty() {
		id, ok := q.Next()
		if !ok {
			t.Fatal("the queue stands still")
		}
		order = append(order, id)
		q.End(id, true)
	}
	if want := []int{1, 2, 0, 3}; !slices.Equal(order, want) {
		t.Errorf("order %v, want %v", order, want)
	}
}

func TestFailureBlocksOnlyWhatNeedsIt(t *testing.T) {
	q := exec.NewQueue(exec.Limits{Workers: 2})
	q.Add(exec.Node{ID: 0}, exec.Node{ID: 1}, exec.Node{ID: 2, Deps: []int{0}}, exec.Node{ID: 3, Deps: []int{2, 1}}, exec.Node{ID: 4, Deps: []int{1}})
	a, _ := q.Next()
	b, _ := q.Next()
	if a != 0 || b != 1 {
		t.Fatalf("started %d and %d", a, b)
	}
	blocked := q.End(0, false)
	if want := []exec.Blocked{{ID: 2, By: 0}, {ID: 3, By: 2}}; !slices.Equal(blocked, want) {
		t.Errorf("blocked %v, want %v", blocked, want)
	}
	q.End(1, true)
	if id, ok := q.Next(); !ok || id != 4 {
		t.Errorf("next is %d, %v", id, ok)
	}
	q.End(4, true)
	if !q.Empty() {
		t.Error("something is left")
	}
}

func TestMemoryAdmission(t *testing.T) {
	q := exec.NewQueue(exec.Limits{Workers: 4, Memory: 100})
	q.Add(exec.Node{ID: 0, Memory: 60}, exec.Node{ID: 1, Memory: 60}, exec.Node{ID: 2, Memory: 500})
	q.Next()
	if id, ok := q.Next(); ok {
		t.Fatalf("%d started beside one that leaves no room", id)
	}
	q.End(0, true)
	if id, ok := q.Next(); !ok || id != 1 {
		t.Fatalf("next is %d, %v", id, ok)
	}
	q.End(1, true)
	if id, ok := q.Next(); !ok || id != 2 {
		t.Errorf("what is larger than all memory does not run alone: %d, %v", id, ok)
	}
}

func TestDeadNodesBlockWhatNeedsThem(t *testing.T) {
	q := exec.NewQueue(exec.Limits{Workers: 1})
	blocked := q.Add(exec.Node{ID: 0, Dead: true}, exec.Node{ID: 1, Deps: []int{0}}, exec.Node{ID: 2})
	if want := []exec.Blocked{{ID: 1, By: 0}}; !slices.Equal(blocked, want) {
		t.Errorf("blocked %v, want %v", blocked, want)
	}
	if id, ok := q.Next(); !ok || id != 2 {
		t.Errorf("next is %d, %v", id, ok)
	}
}

// TestAnyGraphInAnyOrder drives random graphs that grow while they run: every
// node starts once, after all it needs, within the limits, or is blocked by a
// failure above it; and the same calls give the same order.
func TestAnyGraphInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 20).Draw(t, "n")
		nodes := make([]exec.Node, n)
		for i := range nodes {
			nodes[i] = exec.Node{ID: i, Memory: int64(rapid.IntRange(0, 80).Draw(t, "memory"))}
			for d := range i {
				if rapid.IntRange(0, 3).Draw(t, "dep") == 0 {
					nodes[i].Deps = append(nodes[i].Deps, d)
				}
			}
		}
		grown := rapid.IntRange(1, n).Draw(t, "grown")
		workers := rapid.IntRange(1, 4).Draw(t, "workers")
		fails := rapid.SliceOfN(rapid.IntRange(0, 9), n, n).Draw(t, "fails")
		first := drive(t, nodes, grown, workers, fails)
		if second := drive(t, nodes, grown, workers, fails); !slices.Equal(first, second) {
			t.Fatalf("the same calls gave %v and %v", first, second)
		}
	})
}

// drive runs the nodes oldest first; those from grown on are added after the
// first end.
func drive(t *rapid.T, nodes []exec.Node, grown, workers int, fails []int) []int {
	const limit = 100
	q := exec.NewQueue(exec.Limits{Workers: workers, Memory: limit})
	ended, bad := map[int]bool{}, map[int]bool{}
	block := func(list []exec.Blocked) {
		for _, b := range list {
			if bad[b.ID] || !bad[b.By] {
				t.Fatalf("%d blocked by %d", b.ID, b.By)
			}
			bad[b.ID] = true
		}
	}
	block(q.Add(nodes[:grown]...))
	var order, running []int
	added := grown == len(nodes)
	for {
		for {
			id, ok := q.Next()
			if !ok {
				break
			}
			for _, d := range nodes[id].Deps {
				if !ended[d] {
					t.Fatalf("%d started before %d ended", id, d)
				}
			}
			order, running = append(order, id), append(running, id)
			memory := int64(0)
			for _, r := range running {
				memory += nodes[r].Memory
			}
			if len(running) > workers || len(running) > 1 && memory > limit {
				t.Fatalf("%v run together with %d bytes", running, memory)
			}
		}
		if len(running) == 0 {
			break
		}
		id := running[0]
		running = running[1:]
		ok := fails[id] != 0
		ended[id], bad[id] = ok, !ok
		block(q.End(id, ok))
		if !added {
			added = true
			block(q.Add(nodes[grown:]...))
		}
	}
	if !q.Empty() || len(q.Rest()) != 0 {
		t.Fatalf("%v never ran", q.Rest())
	}
	for i := range nodes {
		if !ended[i] && !bad[i] {
			t.Fatalf("%d neither ended nor was blocked", i)
		}
	}
	return order
}

func TestBlockEndsWhatHasNotStarted(t *testing.T) {
	q := exec.NewQueue(exec.Limits{Workers: 1})
	q.Add(exec.Node{ID: 0}, exec.Node{ID: 1}, exec.Node{ID: 2, Deps: []int{1}})
	if id, _ := q.Next(); id != 1 {
		t.Fatalf("%d started", id)
	}
	if _, ok := q.Block(1); ok {
		t.Error("a running node was blocked")
	}
	if _, ok := q.Block(0); !ok {
		t.Error("a ready node was not blocked")
	}
	blocked, ok := q.Block(2)
	if !ok || len(blocked) != 0 {
		t.Errorf("blocked %v, %v", blocked, ok)
	}
	q.End(1, true)
	if id, ok := q.Next(); ok || !q.Empty() {
		t.Errorf("%d started", id)
	}
}

func TestSkipReleasesWhatWaits(t *testing.T) {
	q := exec.NewQueue(exec.Limits{Workers: 2})
	q.Add(exec.Node{ID: 0}, exec.Node{ID: 1, Deps: []int{0}}, exec.Node{ID: 2, Deps: []int{1}}, exec.Node{ID: 3})
	if !q.Skip(1) || !q.Skip(3) {
		t.Error("a node that waits or is ready was not skipped")
	}
	if id, ok := q.Next(); !ok || id != 0 {
		t.Fatalf("next is %d, %v", id, ok)
	}
	if q.Skip(0) {
		t.Error("a running node was skipped")
	}
	q.End(0, true)
	if q.Skip(0) {
		t.Error("a node that has ended was skipped")
	}
	if id, ok := q.Next(); !ok || id != 2 {
		t.Errorf("next is %d, %v", id, ok)
	}
	q.End(2, true)
	if !q.Empty() {
		t.Error("something is left")
	}
}

func TestYieldFreesCoresAndKeepsMemory(t *testing.T) {
	q := exec.NewQueue(exec.Limits{Workers: 1, Memory: 100})
	q.Add(exec.Node{ID: 0, Memory: 60}, exec.Node{ID: 1, Memory: 30}, exec.Node{ID: 2, Memory: 30})
	q.Next()
	if id, ok := q.Next(); ok {
		t.Fatalf("%d started beside the one worker", id)
	}
	q.Yield(0)
	q.Yield(0) // a second time: nothing
	if id, ok := q.Next(); !ok || id != 1 {
		t.Fatalf("next is %d, %v", id, ok)
	}
	q.Yield(1)
	if id, ok := q.Next(); ok {
		t.Fatalf("%d started, and the memory of 0 and 1 is still theirs", id)
	}
	q.End(0, true)
	q.End(1, true)
	if id, ok := q.Next(); !ok || id != 2 || q.Running() != 1 {
		t.Fatalf("next is %d, %v; %d run", id, ok, q.Running())
	}
	q.End(2, true)
	if !q.Empty() || q.Running() != 0 {
		t.Error("something is left")
	}
}

// TestQueueIsSmall: a plan of a hundred thousand items costs the queue little, and a
// failure at the top of one chain of them ends in one sweep.
func TestQueueIsSmall(t *testing.T) {
	const n = 100_000
	nodes := make([]exec.Node, n)
	for id := 1; id < n; id++ {
		nodes[id] = exec.Node{ID: id, Deps: []int{id - 1}}
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	q := exec.NewQueue(exec.Limits{Workers: 2})
	q.Add(nodes...)
	runtime.ReadMemStats(&after)
	if per := (after.TotalAlloc - before.TotalAlloc) / n; per > 256 {
		t.Errorf("%d bytes a node", per)
	}
	id, ok := q.Next()
	if !ok || id != 0 {
		t.Fatal(id, ok)
	}
	if blocked := q.End(id, false); len(blocked) != n-1 || blocked[n-2] != (exec.Blocked{ID: n - 1, By: n - 2}) || !q.Empty() {
		t.Errorf("%d are blocked", len(blocked))
	}
}
