package spill

import (
	"cmp"
	"container/heap"
	"fmt"
	"io"
)

// maxReadBytes is as much of a segment as is worth having at once.
const maxReadBytes = 1 << 20

// cursor walks over one segment. It has buffers from when its first record is
// due, so that segments which follow one another never lie in memory together.
type cursor struct {
	segment         // what has not been read: bytes from offset on, records not in data
	order    int    // of the segment in the input: ties go to the earlier
	next     Key    // of the record at the front
	data     []byte // records read and not yet handed on
	changes  []byte // of the records after those
	*buffers        // where data and changes lie; nil while not in use
}

// buffers are what reading a segment takes.
type buffers struct {
	block []byte
	read  []byte
	last  []byte // the record before the next change
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
	share  int        // bytes of the buffers of a segment
	free   []*buffers // that are not in use
}

// merge yields the records of sorted segments in order. Segments that follow
// one another are read through; from those that overlap the longest stretch is
// taken before the next one is looked at. Buffers take budget bytes together, or
// four records for each segment if that is more.
func (m *merger) merge(segments []segment, emit func(block []byte) error) error {
	m.share = min(maxReadBytes, m.budget/max(1, len(segments)))
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
	if c.buffers == nil {
		c.buffers = m.take()
		clear(c.last)
	}
	size := m.layout.Size
	n := min(c.records*size, len(c.block))
	for at := 0; at < n; at += size {
		if len(c.changes) < mostChanges(size) && c.bytes > 0 {
			if err := m.read(c); err != nil {
				return err
			}
		}
		rest, ok := applyChanges(c.last, c.changes)
		if !ok {
			return fmt.Errorf("a scratch file ends %d records too early, at byte %d", c.records-at/size, c.offset)
		}
		c.changes = rest
		copy(c.block[at:], c.last)
	}
	c.data = c.block[:n]
	c.records -= n / size
	c.next = m.layout.Key(c.data)
	return nil
}

// read gets more changes of c's segment behind those that are left.
func (m *merger) read(c *cursor) error {
	have := copy(c.read, c.changes)
	more := int(min(c.bytes, int64(len(c.read)-have)))
	if got, err := m.src.ReadAt(c.read[have:have+more], c.offset); got < more {
		return fmt.Errorf("a scratch file ends at byte %d instead of %d: %w", c.offset+int64(got), c.offset+int64(more), err)
	}
	c.changes = c.read[:have+more]
	c.offset += int64(more)
	c.bytes -= int64(more)
	return nil
}

// take returns buffers, half of the share for changes and half for records.
func (m *merger) take() *buffers {
	if n := len(m.free); n > 0 {
		b := m.free[n-1]
		m.free = m.free[:n-1]
		return b
	}
	size := m.layout.Size
	return &buffers{
		block: make([]byte, max(1, m.share/2/size)*size),
		read:  make([]byte, max(mostChanges(size), m.share/2)),
		last:  make([]byte, size),
	}
}

func (m *merger) release(c *cursor) {
	if c.buffers != nil {
		m.free = append(m.free, c.buffers)
		c.buffers, c.changes = nil, nil
	}
}
