package mbp10

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
	next  key    // of the record at the front
	data  []byte // records read and not yet handed on
	buf   []byte // where data lies; nil while not in use
}

func (c *cursor) compare(o *cursor) int {
	return cmp.Or(cmp.Compare(c.next.ts, o.next.ts), cmp.Compare(c.next.seq, o.next.seq), cmp.Compare(c.order, o.order))
}

// cursors is a heap by next.
type cursors []*cursor

func (h cursors) Len() int           { return len(h) }
func (h cursors) Less(i, j int) bool { return h[i].compare(h[j]) < 0 }
func (h cursors) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *cursors) Push(x any)        { *h = append(*h, x.(*cursor)) }
func (h *cursors) Pop() any {
	last := len(*h) - 1
	c := (*h)[last]
	*h = (*h)[:last]
	return c
}

// second is the cursor that comes after the first; nil if there is none.
func (h cursors) second() *cursor {
	switch {
	case len(h) < 2:
		return nil
	case len(h) == 2 || h.Less(1, 2):
		return h[1]
	}
	return h[2]
}

// merger holds the buffers of a merge.
type merger struct {
	src  io.ReaderAt
	size int      // bytes of a buffer
	free [][]byte // buffers that are not in use
}

// merge yields the records of sorted segments in order. Segments that follow
// one another are read through; from those that overlap the longest stretch is
// taken before the next one is looked at. Buffers take budget bytes together, or
// one record for each segment if that is more.
func merge(src io.ReaderAt, segments []segment, budget int, emit func(block []byte) error) error {
	share := min(maxReadBytes, budget/max(1, len(segments)))
	m := &merger{src: src, size: max(1, share/recordSize) * recordSize}
	h := make(cursors, len(segments))
	for i, s := range segments {
		h[i] = &cursor{segment: s, order: i, next: s.first}
	}
	heap.Init(&h)
	for len(h) > 0 {
		c := h[0]
		if err := m.drain(c, h.second(), emit); err != nil {
			return err
		}
		if c.records > 0 || len(c.data) > 0 {
			heap.Fix(&h, 0)
			continue
		}
		heap.Pop(&h)
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
		n := c.before(other)
		if n == 0 {
			return nil
		}
		if err := emit(c.data[:n]); err != nil {
			return err
		}
		c.data = c.data[n:]
		if len(c.data) > 0 {
			c.next = keyOf(c.data)
			return nil
		}
	}
}

// before counts the bytes of data that come before other's next record.
func (c *cursor) before(other *cursor) int {
	if other == nil {
		return len(c.data)
	}
	n := 0
	for n < len(c.data) {
		k := keyOf(c.data[n:])
		if k.after(other.next) || c.order > other.order && !other.next.after(k) {
			break
		}
		n += recordSize
	}
	return n
}

// fill reads the next records of c's segment.
func (m *merger) fill(c *cursor) error {
	if c.buf == nil {
		c.buf = m.buffer()
	}
	n := min(c.records*recordSize, len(c.buf))
	if got, err := m.src.ReadAt(c.buf[:n], c.offset); got < n {
		return fmt.Errorf("a scratch file ends at byte %d instead of %d: %w", c.offset+int64(got), c.offset+int64(n), err)
	}
	c.data = c.buf[:n]
	c.offset += int64(n)
	c.records -= n / recordSize
	c.next = keyOf(c.data)
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
