// Package exec runs a plan: the pure Queue says what may start, the local
// runner starts it in goroutines, and a step reads, transforms, checks, writes
// and commits one unit. It decides nothing about staleness and prints nothing;
// what happens goes out as events.
package exec

import "container/heap"

// Node is an item as the queue sees it.
type Node struct {
	ID     int // from 0, without gaps, in the order of adding
	Deps   []int
	Order  int     // of two that are ready the smaller starts first
	Memory int64   // bytes to reserve while it runs
	CPU    float64 // cores to reserve; 0 counts as 1
	// Dead nodes never run: something they need is not in the plan. What waits
	// for them is blocked.
	Dead bool
}

// Limits are what running nodes may take together. A node that exceeds them by
// itself runs alone.
type Limits struct {
	Workers int
	Memory  int64 // 0: no limit
}

// Queue releases nodes whose dependencies have ended, by their Order, and of equal
// ones the heaviest remaining path first. It does no I/O, reads no clock, starts no goroutine and iterates
// no map, so that any driver gets the same order from the same calls.
type Queue struct {
	limits  Limits
	nodes   []node
	ready   readyHeap
	running int
	yielded int // of those running: they only wait for the disk
	memory  int64
	cpu     float64
	open    int // nodes that have not ended
}

type node struct {
	Node
	state      state
	waiting    int // deps that have not ended
	dependents []int
	rank       int // nodes on the longest path from here down, itself included
	yielded    bool
}

type state uint8

const (
	waits state = iota
	readied
	runs
	ended
	failed
)

// NewQueue makes an empty queue.
func NewQueue(l Limits) *Queue {
	l.Workers = max(l.Workers, 1)
	q := &Queue{limits: l}
	q.ready.q = q
	return q
}

// Blocked is a node that will never run, and the node it waited for.
type Blocked struct{ ID, By int }

// Add appends nodes whose Deps name nodes added before or with them. It returns
// those that are blocked from the start.
func (q *Queue) Add(nodes ...Node) []Blocked {
	first := len(q.nodes)
	for _, n := range nodes {
		q.nodes = append(q.nodes, node{Node: n, rank: 1})
		q.open++
	}
	var blocked []Blocked
	for id := first; id < len(q.nodes); id++ {
		n := &q.nodes[id]
		if n.Dead && n.state != failed {
			q.fail(id)
			blocked = append(blocked, q.blockBelow(id)...)
		}
		for _, d := range n.Deps {
			q.nodes[d].dependents = append(q.nodes[d].dependents, id)
			q.raise(d, n.rank+1)
		}
	}
	for id := first; id < len(q.nodes); id++ {
		blocked = append(blocked, q.settle(id)...)
	}
	return blocked
}

// SetDeps replaces what a node waits for. A node that has started is left alone.
func (q *Queue) SetDeps(id int, deps []int) []Blocked {
	n := &q.nodes[id]
	if n.state != waits && n.state != readied {
		return nil
	}
	if n.state == readied {
		heap.Remove(&q.ready, q.ready.find(id))
		n.state = waits
	}
	for _, d := range n.Deps {
		q.nodes[d].dependents = without(q.nodes[d].dependents, id)
	}
	n.Deps = deps
	for _, d := range deps {
		q.nodes[d].dependents = append(q.nodes[d].dependents, id)
		q.raise(d, n.rank+1)
	}
	return q.settle(id)
}

// Block ends a node that has not started, and returns what is blocked with it;
// false if it has started or ended.
func (q *Queue) Block(id int) ([]Blocked, bool) {
	n := &q.nodes[id]
	switch n.state {
	case readied:
		heap.Remove(&q.ready, q.ready.find(id))
	case waits:
	default:
		return nil, false
	}
	q.fail(id)
	return q.blockBelow(id), true
}

// Skip ends a node that has not started as if it had succeeded: there is
// nothing to do.
func (q *Queue) Skip(id int) {
	switch q.nodes[id].state {
	case readied:
		heap.Remove(&q.ready, q.ready.find(id))
	case waits:
	default:
		return
	}
	q.succeed(id)
}

// succeed ends a node and releases what waited for it alone.
func (q *Queue) succeed(id int) {
	n := &q.nodes[id]
	n.state = ended
	q.open--
	for _, d := range n.dependents {
		if m := &q.nodes[d]; m.state == waits {
			if m.waiting--; m.waiting == 0 {
				q.makeReady(d)
			}
		}
	}
}

func without(list []int, id int) []int {
	out := list[:0]
	for _, x := range list {
		if x != id {
			out = append(out, x)
		}
	}
	return out
}

// settle counts what a waiting node still waits for, and readies or blocks it.
func (q *Queue) settle(id int) []Blocked {
	n := &q.nodes[id]
	if n.state != waits {
		return nil
	}
	n.waiting = 0
	for _, d := range n.Deps {
		switch q.nodes[d].state {
		case failed:
			q.fail(id)
			return append([]Blocked{{id, d}}, q.blockBelow(id)...)
		case ended:
		default:
			n.waiting++
		}
	}
	if n.waiting == 0 {
		q.makeReady(id)
	}
	return nil
}

func (q *Queue) makeReady(id int) {
	q.nodes[id].state = readied
	heap.Push(&q.ready, id)
}

func (q *Queue) fail(id int) {
	q.nodes[id].state = failed
	q.open--
}

// raise lifts the rank of a node, and of all above it, to at least rank.
func (q *Queue) raise(id, rank int) {
	if q.nodes[id].rank >= rank {
		return
	}
	q.nodes[id].rank = rank
	if q.nodes[id].state == readied {
		heap.Fix(&q.ready, q.ready.find(id))
	}
	for _, d := range q.nodes[id].Deps {
		q.raise(d, rank+1)
	}
}

// Next starts the best node that fits beside those that run, and reserves its
// resources; false when none can start now.
func (q *Queue) Next() (int, bool) {
	if len(q.ready.ids) == 0 || q.running-q.yielded >= q.limits.Workers {
		return 0, false
	}
	id := q.ready.ids[0]
	n := &q.nodes[id]
	if q.running > 0 && !q.fits(n) {
		return 0, false
	}
	heap.Pop(&q.ready)
	n.state = runs
	q.running++
	q.memory += n.Memory
	q.cpu += n.cores()
	return id, true
}

func (n *node) cores() float64 {
	if n.CPU == 0 {
		return 1
	}
	return n.CPU
}

func (q *Queue) fits(n *node) bool {
	return (q.limits.Memory == 0 || q.memory+n.Memory <= q.limits.Memory) && q.cpu+n.cores() <= float64(q.limits.Workers)
}

// maxYielded is how many nodes may wait for the disk for each worker.
const maxYielded = 8

// Yield says that a running node only waits for the disk from now on: its cores
// are free for others, unless many wait already.
func (q *Queue) Yield(id int) {
	n := &q.nodes[id]
	if n.state != runs || n.yielded || q.yielded >= maxYielded*q.limits.Workers {
		return
	}
	n.yielded = true
	q.yielded++
	q.cpu -= n.cores()
}

// End says that a running node is over. Where it did not succeed, everything
// that needs it is returned as blocked.
func (q *Queue) End(id int, ok bool) []Blocked {
	n := &q.nodes[id]
	q.running--
	q.memory -= n.Memory
	if n.yielded {
		q.yielded--
	} else {
		q.cpu -= n.cores()
	}
	if !ok {
		q.fail(id)
		return q.blockBelow(id)
	}
	q.succeed(id)
	return nil
}

// blockBelow blocks everything that waits for a failed node.
func (q *Queue) blockBelow(id int) []Blocked {
	var out []Blocked
	for _, d := range q.nodes[id].dependents {
		if q.nodes[d].state == waits {
			q.fail(d)
			out = append(out, Blocked{d, id})
			out = append(out, q.blockBelow(d)...)
		}
	}
	return out
}

// Running counts the nodes between Next and End.
func (q *Queue) Running() int { return q.running }

// Empty tells that every node has ended.
func (q *Queue) Empty() bool { return q.open == 0 }

// Rest returns the nodes that have neither started nor ended, in order.
func (q *Queue) Rest() []int {
	var ids []int
	for id := range q.nodes {
		if s := q.nodes[id].state; s == waits || s == readied {
			ids = append(ids, id)
		}
	}
	return ids
}

// readyHeap orders ready nodes by rank, then by number.
type readyHeap struct {
	q   *Queue
	ids []int
	at  []int // position in ids, by node
}

func (h *readyHeap) Len() int { return len(h.ids) }
func (h *readyHeap) Less(i, j int) bool {
	a, b := &h.q.nodes[h.ids[i]], &h.q.nodes[h.ids[j]]
	if a.Order != b.Order {
		return a.Order < b.Order
	}
	if a.rank != b.rank {
		return a.rank > b.rank
	}
	return a.ID < b.ID
}

func (h *readyHeap) Swap(i, j int) {
	h.ids[i], h.ids[j] = h.ids[j], h.ids[i]
	h.at[h.ids[i]], h.at[h.ids[j]] = i, j
}

// Push is heap.Interface's.
func (h *readyHeap) Push(x any) {
	id := x.(int)
	for len(h.at) <= id {
		h.at = append(h.at, -1)
	}
	h.at[id] = len(h.ids)
	h.ids = append(h.ids, id)
}

// Pop is heap.Interface's.
func (h *readyHeap) Pop() any {
	id := h.ids[len(h.ids)-1]
	h.ids = h.ids[:len(h.ids)-1]
	return id
}

func (h *readyHeap) find(id int) int { return h.at[id] }
