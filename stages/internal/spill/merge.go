package spill

import (
	"cmp"
	"container/heap"
	"fmt"
	"io"
)

// maxReadBytes is as much of a segment as is worth reading at once.
const maxReadBytes = 1 << 20

// cursor walks over one segment. Its buffer is filled when its first record is
// due, so that segments which follow one another never lie in memory together.
type cursor struct {
	segment
	order int    // of the segment in the input: ties go to the earlier
	next  Key    // of the record at the front
	data  []byte // records read and not yet handed on
	buf   []byte // where data lies; nil while not in use
}

// cursors is a heap by next.
type cursors struct {
	layout *Layout
	list   []*cursor
}

func (h *cursors) Len() int { return len(h.list) }

func (h *cursors) Less(i, j int) bool {
	a, b := h.list[i], h.list[j]
	if c := h.layout.compare(a.next, b.next); c != 0 {
		return c < 0
	}
	return cmp.Less(a.order, b.order)
}

func (h *cursors) Swap(i, j int) { h.list[i], h.list[j] = h.list[j], h.list[i] }
func (h *cursors) Push(x any)    { h.list = append(h.list, x.(*cursor)) }
func (h *cursors) Pop() any {
	last := len(h.list) - 1
	c := h.list[last]
	h.list = h.list[:last]
	return c
}

// second is the cursor that comes after the first; nil if there is none.
func (h *cursors) second() *cursor {
	switch {
	case len(h.list) < 2:
		return nil
	case len(h.list) == 2 || h.Less(1, 2):
		return h.list[1]
	}
	return h.list[2]
}

// merger holds the buffers of a merge.
type merger struct {
	layout *Layout
	src    io.ReaderAt
	budget int
	size   int      // bytes of a buffer
	free   [][]byte // buffers that are not in use
}

// merge yields the records of sorted segments in order. Segments that follow
// one another are read through; from those that overlap the longest stretch is
// taken before the next one is looked at. Buffers take budget bytes together, or
// one record for each segment if that is more.
func (m *merger) merge(segments []segment, emit func(block []byte) error) error {
	share := min(maxReadBytes, m.budget/max(1, len(segments)))
	m.size = max(1, share/m.layout.Size) * m.layout.Size
	h := &cursors{layout: m.layout, list: make([]*cursor, len(segments))}
	for i, s := range segments {
		h.list[i] = &cursor{segment: s, order: i, next: s.first}
	}
	heap.Init(h)
	for len(h.list) > 0 {
		c := h.list[0]
		if err := m.drain(c, h.second(), emit); err != nil {
			return err
		}
		if c.records > 0 || len(c.data) > 0 {
			heap.Fix(h, 0)
			continue
		}
		heap.Pop(h)
	}
	return nil
}

// drain hands on the records of c that come before those of other.
func (m *merger) drain(c, other *cursor, emit func(block []byte) error) error {
	for {
		if len(c.data) == 0 {
			if c.records == 0 {
				m.release(c)
				return nil
			}
			if err := m.fill(c); err != nil {
				return err
			}
		}
		n := m.before(c, other)
		if n == 0 {
			return nil
		}
		if err := emit(c.data[:n]); err != nil {
			return err
		}
		c.data = c.data[n:]
		if len(c.data) > 0 {
			c.next = m.layout.Key(c.data)
			return nil
		}
	}
}

// before counts the bytes of c's data that come before other's next record.
func (m *merger) before(c, other *cursor) int {
	if other == nil {
		return len(c.data)
	}
	n := 0
	for n < len(c.data) {
		order := m.layout.compare(m.layout.Key(c.data[n:]), other.next)
		if order > 0 || order == 0 && c.order > other.order {
			break
		}
		n += m.layout.Size
	}
	return n
}

// fill reads the next records of c's segment.
func (m *merger) fill(c *cursor) error {
	if c.buf == nil {
		c.buf = m.buffer()
	}
	n := min(c.records*m.layout.Size, len(c.buf))
	if got, err := m.src.ReadAt(c.buf[:n], c.offset); got < n {
		return fmt.Errorf("a scratch file ends at byte %d instead of %d: %w", c.offset+int64(got), c.offset+int64(n), err)
	}
	c.data = c.buf[:n]
	c.offset += int64(n)
	c.records -= n / m.layout.Size
	c.next = m.layout.Key(c.data)
	return nil
}

func (m *merger) buffer() []byte {
	if n := len(m.free); n > 0 {
		b := m.free[n-1]
		m.free = m.free[:n-1]
		return b
	}
	return make([]byte, m.size)
}

func (m *merger) release(c *cursor) {
	if c.buf != nil {
		m.free = append(m.free, c.buf)
		c.buf = nil
	}
}
