package parquet

import (
	"math"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
)

// values holds the values of one column's page that are not null, and the
// dictionary of its chunk. Used by one goroutine at a time.
type values interface {
	// take appends the elements [lo,hi) of arr, none of them null.
	take(arr arrow.Array, lo, hi int)
	len() int
	// index puts the page's values into the dictionary and appends their
	// indices to runs; false when the chunk is better off without dictionary.
	index(runs []run, first bool) ([]run, bool)
	dictLen() int
	appendDict(dst []byte) []byte
	// encode appends the page without dictionary; nullable forbids delta.
	encode(dst []byte, nullable bool) ([]byte, int)
	// count adds the page, which is not in the dictionary, to the chunk's
	// least and greatest value.
	count()
	// bounds returns least and greatest value of the chunk, plainly encoded;
	// nil when there is none that orders (no value, or NaN alone).
	bounds() (lo, hi []byte)
	resetPage()
	resetChunk()
}

// fixed implements values for numbers. Floats are held as their bits, so that
// every NaN equals itself and 0 differs from -0.
type fixed[T int32 | int64] struct {
	slice   func(arrow.Array) []T
	inf     T   // bits of infinity for floats; 0 for integers
	max     T   // greatest T, all bits but the sign; floats only
	page    []T // in own, or a whole page where it lies in a batch
	own     []T
	entries []T
	table   []uint32 // index into entries plus one; the length a power of two
	shift   uint
	lo, hi  T
	seen    bool
}

// take copies, but for a whole page: that is encoded before the batch is let go of.
func (f *fixed[T]) take(arr arrow.Array, lo, hi int) {
	if hi-lo == PageRows {
		f.page = f.slice(arr)[lo:hi]
		return
	}
	f.own = append(f.own[:len(f.page)], f.slice(arr)[lo:hi]...)
	f.page = f.own
}

func (f *fixed[T]) len() int     { return len(f.page) }
func (f *fixed[T]) dictLen() int { return len(f.entries) }
func (f *fixed[T]) resetPage()   { f.page = nil }
func (f *fixed[T]) resetChunk() {
	f.entries = f.entries[:0]
	clear(f.table)
	f.seen = false
}

func (f *fixed[T]) index(runs []run, first bool) ([]run, bool) {
	limit := dictLimit
	if first {
		limit = min(limit, max(16, len(f.page)/2))
	}
	if len(f.table) == 0 {
		f.grow()
	}
	page := f.page
	for i := 0; i < len(page); {
		v := page[i]
		j := i + 1
		for j < len(page) && page[j] == v {
			j++
		}
		at, ok := f.lookup(v, limit)
		if !ok {
			return runs, false
		}
		runs = append(runs, run{at, uint32(j - i)})
		i = j
	}
	return runs, true
}

// hash spreads v over the slots (Fibonacci hashing).
func (f *fixed[T]) hash(v T) uint64 { return uint64(v) * 0x9E3779B97F4A7C15 >> f.shift }

// lookup returns the index of v, which it adds unless there are limit entries.
func (f *fixed[T]) lookup(v T, limit int) (uint32, bool) {
	mask := uint64(len(f.table) - 1)
	for s := f.hash(v); ; s = (s + 1) & mask {
		at := f.table[s]
		if at == 0 {
			if len(f.entries) >= limit {
				return 0, false
			}
			f.entries = append(f.entries, v)
			f.table[s] = uint32(len(f.entries))
			if 2*len(f.entries) > len(f.table) {
				f.grow()
			}
			return uint32(len(f.entries) - 1), true
		}
		if f.entries[at-1] == v {
			return at - 1, true
		}
	}
}

// grow doubles the hash table, from 64 slots on, and fills it again.
func (f *fixed[T]) grow() {
	n := max(64, 2*len(f.table))
	f.table = make([]uint32, n)
	f.shift = 64
	for m := n; m > 1; m /= 2 {
		f.shift--
	}
	for i, v := range f.entries {
		s := f.hash(v)
		for f.table[s] != 0 {
			s = (s + 1) & uint64(n-1)
		}
		f.table[s] = uint32(i + 1)
	}
}

func (f *fixed[T]) appendDict(dst []byte) []byte { return appendPlain(dst, f.entries) }

func (f *fixed[T]) encode(dst []byte, nullable bool) ([]byte, int) {
	if nullable || f.inf != 0 {
		return appendPlain(dst, f.page), encPlain
	}
	return appendDelta(dst, f.page), encDeltaBinary
}

func appendPlain[T int32 | int64](dst []byte, v []T) []byte {
	switch v := any(v).(type) {
	case []int32:
		return append(dst, arrow.Int32Traits.CastToBytes(v)...)
	case []int64:
		return append(dst, arrow.Int64Traits.CastToBytes(v)...)
	}
	return dst
}

func (f *fixed[T]) count() { f.widen(f.page) }

func (f *fixed[T]) widen(vs []T) {
	for _, v := range vs {
		if f.inf != 0 {
			if v&f.max > f.inf { // NaN orders with nothing
				continue
			}
			v = f.ordered(v)
		}
		if !f.seen {
			f.lo, f.hi, f.seen = v, v, true
		}
		f.lo, f.hi = min(f.lo, v), max(f.hi, v)
	}
}

// ordered maps the bits of a float to an integer that orders as the float
// does, and back.
func (f *fixed[T]) ordered(bits T) T {
	if bits < 0 {
		return bits ^ f.max
	}
	return bits
}

func (f *fixed[T]) bounds() (lo, hi []byte) {
	f.widen(f.entries)
	if !f.seen {
		return nil, nil
	}
	if f.inf == 0 {
		return appendPlain(nil, []T{f.lo}), appendPlain(nil, []T{f.hi})
	}
	least, most := f.ordered(f.lo), f.ordered(f.hi)
	if least == 0 {
		least = ^f.max // -0: a bound holds for both zeros
	}
	if most == ^f.max {
		most = 0
	}
	return appendPlain(nil, []T{least}), appendPlain(nil, []T{most})
}

func newInts[T int32 | int64](slice func(arrow.Array) []T) *fixed[T] { return &fixed[T]{slice: slice} }

func newDoubles() *fixed[int64] {
	return &fixed[int64]{
		slice: func(a arrow.Array) []int64 {
			return arrow.Int64Traits.CastFromBytes(arrow.Float64Traits.CastToBytes(a.(*array.Float64).Float64Values()))
		},
		inf: int64(math.Float64bits(math.Inf(1))), max: math.MaxInt64,
	}
}

func newFloats() *fixed[int32] {
	return &fixed[int32]{
		slice: func(a arrow.Array) []int32 {
			return arrow.Int32Traits.CastFromBytes(arrow.Float32Traits.CastToBytes(a.(*array.Float32).Float32Values()))
		},
		inf: int32(math.Float32bits(float32(math.Inf(1)))), max: math.MaxInt32,
	}
}
