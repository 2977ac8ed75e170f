package exec

// readyHeap is a binary heap of ready nodes: each comes before the two at twice its
// position and one more, and two more.
type readyHeap []int32

// before orders ready nodes by Order, then by rank, then by number.
func (q *Queue) before(x, y int32) bool {
	a, b := &q.nodes[x], &q.nodes[y]
	switch {
	case a.Order != b.Order:
		return a.Order < b.Order
	case a.rank != b.rank:
		return a.rank > b.rank
	}
	return x < y
}

func (h *readyHeap) push(q *Queue, id int) {
	*h = append(*h, int32(id))
	h.up(q, len(*h)-1)
}

// remove takes a node out, wherever it stands.
func (h *readyHeap) remove(q *Queue, id int) {
	at, end := int(q.nodes[id].at), len(*h)-1
	last := (*h)[end]
	if *h = (*h)[:end]; at == end {
		return
	}
	(*h)[at] = last
	h.down(q, at)
	h.up(q, int(q.nodes[last].at))
}

// up moves the node at a position towards the front as far as it belongs.
func (h readyHeap) up(q *Queue, at int) {
	id := h[at]
	for at > 0 {
		parent := (at - 1) / 2
		if !q.before(id, h[parent]) {
			break
		}
		h.put(q, at, h[parent])
		at = parent
	}
	h.put(q, at, id)
}

// down moves it towards the back.
func (h readyHeap) down(q *Queue, at int) {
	id := h[at]
	for {
		child := 2*at + 1
		if child+1 < len(h) && q.before(h[child+1], h[child]) {
			child++
		}
		if child >= len(h) || !q.before(h[child], id) {
			break
		}
		h.put(q, at, h[child])
		at = child
	}
	h.put(q, at, id)
}

func (h readyHeap) put(q *Queue, at int, id int32) {
	h[at] = id
	q.nodes[id].at = int32(at)
}
