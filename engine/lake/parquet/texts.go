package parquet

import (
	"encoding/binary"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
)

// texts implements values for strings.
type texts struct {
	page    []byte
	ends    []int32 // of each value in page
	dict    map[string]uint32
	recent  [256]uint32 // index plus one of an entry, by its last byte: few texts take turns
	entries []string
	size    int // bytes of entries, with their lengths
	most    int // of size
	lo, hi  string
	seen    bool
	prefix  []int32
	suffix  []int32
}

// maxBound is the longest string written as a bound; others have none.
const maxBound = 64

func (t *texts) take(arr arrow.Array, lo, hi int) {
	a := arr.(*array.String)
	from, offsets := a.ValueOffset(lo), a.ValueOffsets()
	shift := int32(len(t.page) - from)
	for _, end := range offsets[lo+1 : hi+1] {
		t.ends = append(t.ends, end+shift)
	}
	first := a.ValueOffset(0) // ValueBytes begins there
	t.page = append(t.page, a.ValueBytes()[from-first:a.ValueOffset(hi)-first]...)
}

func (t *texts) len() int     { return len(t.ends) }
func (t *texts) dictLen() int { return len(t.entries) }
func (t *texts) resetPage()   { t.page, t.ends = t.page[:0], t.ends[:0] }
func (t *texts) resetChunk() {
	clear(t.dict)
	clear(t.recent[:])
	clear(t.entries)
	t.entries, t.size, t.seen = t.entries[:0], 0, false
	t.lo, t.hi = "", ""
}

// at returns value i; it is valid until the page is reset.
func (t *texts) at(i int) []byte {
	from := int32(0)
	if i > 0 {
		from = t.ends[i-1]
	}
	return t.page[from:t.ends[i]]
}

func (t *texts) index(runs []run, first bool) ([]run, bool) {
	limit := dictLimit
	if first {
		limit = min(limit, max(16, t.len()/2))
	}
	if t.dict == nil {
		t.dict = map[string]uint32{}
	}
	for i := 0; i < t.len(); {
		v := t.at(i)
		j := i + 1
		for j < t.len() && string(t.at(j)) == string(v) {
			j++
		}
		at, ok := t.lookup(v, limit)
		if !ok {
			return runs, false
		}
		runs = append(runs, run{at, uint32(j - i)})
		i = j
	}
	return runs, true
}

// lookup returns the index of v, which it adds unless there are limit entries.
func (t *texts) lookup(v []byte, limit int) (uint32, bool) {
	last := &t.recent[0]
	if len(v) > 0 {
		last = &t.recent[v[len(v)-1]]
	}
	if *last > 0 && t.entries[*last-1] == string(v) {
		return *last - 1, true
	}
	at, ok := t.dict[string(v)]
	if !ok {
		if len(t.entries) == limit || t.size+4+len(v) > t.most {
			return 0, false
		}
		t.size += 4 + len(v)
		at = uint32(len(t.entries))
		t.entries = append(t.entries, string(v))
		t.dict[t.entries[at]] = at
	}
	*last = at + 1
	return at, true
}

func (t *texts) appendDict(dst []byte) []byte {
	for _, s := range t.entries {
		dst = binary.LittleEndian.AppendUint32(dst, uint32(len(s)))
		dst = append(dst, s...)
	}
	return dst
}

func (t *texts) encode(dst []byte, nullable bool) ([]byte, int) {
	if nullable {
		for i := range t.ends {
			v := t.at(i)
			dst = binary.LittleEndian.AppendUint32(dst, uint32(len(v)))
			dst = append(dst, v...)
		}
		return dst, encPlain
	}
	t.prefix, t.suffix = t.prefix[:0], t.suffix[:0]
	var prev []byte
	for i := range t.ends {
		v := t.at(i)
		n := common(prev, v)
		t.prefix = append(t.prefix, int32(n))
		t.suffix = append(t.suffix, int32(len(v)-n))
		prev = v
	}
	dst = appendDelta(dst, t.prefix)
	dst = appendDelta(dst, t.suffix)
	for i, n := range t.prefix {
		dst = append(dst, t.at(i)[n:]...)
	}
	return dst, encDeltaByteArray
}

// common is the length of the longest common prefix.
func common(a, b []byte) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

func (t *texts) count() {
	for i := range t.ends {
		t.widen(t.at(i))
	}
}

func (t *texts) widen(v []byte) {
	switch {
	case !t.seen:
		t.lo, t.hi, t.seen = string(v), string(v), true
	case string(v) < t.lo:
		t.lo = string(v)
	case string(v) > t.hi:
		t.hi = string(v)
	}
}

func (t *texts) bounds() (lo, hi []byte) {
	for _, s := range t.entries {
		t.widen([]byte(s))
	}
	if !t.seen || len(t.lo) > maxBound || len(t.hi) > maxBound {
		return nil, nil
	}
	return []byte(t.lo), []byte(t.hi)
}

// bools implements values for booleans: bit-packed, never a dictionary.
type bools struct {
	page    []byte
	n       int
	yes, no bool
}

func (b *bools) take(arr arrow.Array, lo, hi int) {
	a := arr.(*array.Boolean)
	for i := lo; i < hi; i++ {
		if b.n%8 == 0 {
			b.page = append(b.page, 0)
		}
		if a.Value(i) {
			b.page[b.n/8] |= 1 << (b.n % 8)
			b.yes = true
		} else {
			b.no = true
		}
		b.n++
	}
}

func (b *bools) len() int                                { return b.n }
func (b *bools) index(runs []run, _ bool) ([]run, bool)  { return runs, false }
func (b *bools) dictLen() int                            { return 0 }
func (b *bools) appendDict(dst []byte) []byte            { return dst }
func (b *bools) encode(dst []byte, _ bool) ([]byte, int) { return append(dst, b.page...), encPlain }
func (b *bools) count()                                  {}
func (b *bools) resetPage()                              { b.page, b.n = b.page[:0], 0 }
func (b *bools) resetChunk()                             { b.yes, b.no = false, false }

func (b *bools) bounds() (lo, hi []byte) {
	if !b.yes && !b.no {
		return nil, nil
	}
	bound := func(v bool) []byte {
		if v {
			return []byte{1}
		}
		return []byte{0}
	}
	return bound(!b.no), bound(b.yes)
}
