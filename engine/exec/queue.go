// Package exec runs a plan: the pure Queue says what may start, the local
// runner starts it in goroutines, and a step reads, transforms, checks, writes
// and commits one unit. It decides nothing about staleness and prints nothing;
// what happens goes out as events.
package exec

import "slices"

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
// ones the heaviest remaining path first. It does no I/O, reads no clock, starts no
// goroutine and iterates no map, so that any driver gets the same order from the
// same calls. A million nodes pass through it in about a second.
type Queue struct {
	limits  Limits
	nodes   []node
	edges   []edge
	ready   readyHeap
	running int
	yielded int // of those running: they only wait for the disk
	memory  int64
	cpu     float64
	open    int // nodes that have not ended
}

type node struct {
	Node
	state       state
	yielded     bool
	waiting     int32 // deps that have not ended
	rank        int32 // nodes on the longest path from here down, itself included
	first, last int32 // of those that wait for it, 1 + position in edges; 0: none
	at          int32 // position among the ready
}

// edge is an entry in the list of what waits for a node.
type edge struct{ to, next int32 }

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
	return &Queue{limits: l}
}

// wait puts id into the list of what waits for d.
func (q *Queue) wait(d, id int) {
	q.edges = append(q.edges, edge{to: int32(id)})
	n, e := &q.nodes[d], int32(len(q.edges))
	if n.last == 0 {
		n.first = e
	} else {
		q.edges[n.last-1].next = e
	}
	n.last = e
}

// leave takes id out of it.
func (q *Queue) leave(d, id int) {
	n, before := &q.nodes[d], int32(0)
	for e := n.first; e != 0; before, e = e, q.edges[e-1].next {
		if q.edges[e-1].to != int32(id) {
			continue
		}
		next := q.edges[e-1].next
		if before == 0 {
			n.first = next
		} else {
			q.edges[before-1].next = next
		}
		if n.last == e {
			n.last = before
		}
		return
	}
}

// Blocked is a node that will never run, and the node it waited for.
type Blocked struct{ ID, By int }

// Add appends nodes whose Deps name nodes added before or with them. It returns
// those that are blocked from the start.
func (q *Queue) Add(nodes ...Node) []Blocked {
	first, deps := len(q.nodes), 0
	q.nodes = slices.Grow(q.nodes, len(nodes))
	for _, n := range nodes {
		q.nodes = append(q.nodes, node{Node: n, rank: 1})
		q.open++
		deps += len(n.Deps)
	}
	q.edges = slices.Grow(q.edges, deps)
	var blocked []Blocked
	for id := first; id < len(q.nodes); id++ {
		n := &q.nodes[id]
		if n.Dead && n.state != failed {
			q.fail(id)
			blocked = q.blockBelow(id, blocked)
		}
		for _, d := range n.Deps {
			q.wait(d, id)
		}
	}
	for id := len(q.nodes) - 1; id >= first; id-- {
		for _, d := range q.nodes[id].Deps {
			if rank := q.nodes[id].rank + 1; first <= d && d < id {
				q.nodes[d].rank = max(q.nodes[d].rank, rank) // its own deps come later
			} else {
				q.raise(d, rank)
			}
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
		q.ready.remove(q, id)
		n.state = waits
	}
	for _, d := range n.Deps {
		q.leave(d, id)
	}
	n.Deps = deps
	for _, d := range deps {
		q.wait(d, id)
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
		q.ready.remove(q, id)
	case waits:
	default:
		return nil, false
	}
	q.fail(id)
	return q.blockBelow(id, nil), true
}

// Skip ends a node that has not started as if it had succeeded: there is
// nothing to do. False if it has started or ended.
func (q *Queue) Skip(id int) bool {
	switch q.nodes[id].state {
	case readied:
		q.ready.remove(q, id)
	case waits:
	default:
		return false
	}
	q.succeed(id)
	return true
}

// succeed ends a node and releases what waited for it alone.
func (q *Queue) succeed(id int) {
	n := &q.nodes[id]
	n.state = ended
	q.open--
	for e := n.first; e != 0; e = q.edges[e-1].next {
		d := int(q.edges[e-1].to)
		if m := &q.nodes[d]; m.state == waits {
			if m.waiting--; m.waiting == 0 {
				q.makeReady(d)
			}
		}
	}
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
			return q.blockBelow(id, []Blocked{{id, d}})
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
	q.ready.push(q, id)
}

func (q *Queue) fail(id int) {
	q.nodes[id].state = failed
	q.open--
}

// raise lifts the rank of a node, and of all above it, to at least rank.
func (q *Queue) raise(id int, rank int32) {
	if q.nodes[id].rank >= rank {
		return
	}
	q.nodes[id].rank = rank
	if q.nodes[id].state == readied {
		q.ready.up(q, int(q.nodes[id].at))
	}
	for _, d := range q.nodes[id].Deps {
		q.raise(d, rank+1)
	}
}

// Next starts the best node that fits beside those that run, and reserves its
// resources; false when none can start now.
func (q *Queue) Next() (int, bool) {
	if len(q.ready) == 0 || q.running-q.yielded >= q.limits.Workers {
		return 0, false
	}
	id := int(q.ready[0])
	n := &q.nodes[id]
	if q.running > 0 && !q.fits(n) {
		return 0, false
	}
	q.ready.remove(q, id)
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
		return q.blockBelow(id, nil)
	}
	q.succeed(id)
	return nil
}

// blockBelow blocks everything that waits for a failed node, and adds it to out.
func (q *Queue) blockBelow(id int, out []Blocked) []Blocked {
	for e := q.nodes[id].first; e != 0; e = q.edges[e-1].next {
		if d := int(q.edges[e-1].to); q.nodes[d].state == waits {
			q.fail(d)
			out = q.blockBelow(d, append(out, Blocked{d, id}))
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
