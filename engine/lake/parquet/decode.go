package parquet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"unsafe"

	"github.com/apache/arrow/go/v17/arrow"
)

var errShort = errors.New("a page ends before its values do")

// uvarint takes a number off b.
func uvarint(b []byte) (uint64, []byte, error) {
	v, n := binary.Uvarint(b)
	if n <= 0 {
		return 0, nil, errShort
	}
	return v, b[n:], nil
}

// eachRun walks n values of the RLE and bit-packing hybrid: equal is told of a
// repeated value, packed of count values packed into bits (which has room for
// them). It returns what follows.
func eachRun(b []byte, n, width int, equal func(v uint64, count int) error, packed func(bits []byte, count int) error) ([]byte, error) {
	for n > 0 {
		h, rest, err := uvarint(b)
		if err != nil {
			return nil, err
		}
		b = rest
		if h&1 == 0 {
			size := (width + 7) / 8
			if len(b) < size || h>>1 == 0 {
				return nil, errShort
			}
			var v uint64
			for i := range size {
				v |= uint64(b[i]) << (8 * i)
			}
			b = b[size:]
			count := int(min(h>>1, uint64(n)))
			if err := equal(v, count); err != nil {
				return nil, err
			}
			n -= count
			continue
		}
		groups := h >> 1
		if groups == 0 || groups > 1<<28 {
			return nil, errShort
		}
		count := min(int(groups)*8, n)
		size := int(groups) * width
		if need := (count*width + 7) / 8; len(b) < need {
			return nil, errShort
		}
		size = min(size, len(b)) // some writers cut the padding of the last group
		if err := packed(b[:size], count); err != nil {
			return nil, err
		}
		b = b[size:]
		n -= count
	}
	return b, nil
}

// unpack calls f for count values of width bits.
func unpack(b []byte, count, width int, f func(i int, v uint64)) {
	var acc uint64
	have, at := 0, 0
	mask := uint64(1)<<width - 1
	for i := range count {
		for have < width {
			if have <= 32 && at+4 <= len(b) {
				acc |= uint64(binary.LittleEndian.Uint32(b[at:])) << have
				at, have = at+4, have+32
			} else if at < len(b) {
				acc |= uint64(b[at]) << have
				at, have = at+1, have+8
			} else {
				return // checked by eachRun: cannot happen
			}
		}
		f(i, acc&mask)
		acc >>= width
		have -= width
	}
}

// decodeIndices fills out from a dictionary by the indices in b.
func decodeIndices[T any](out, dict []T, b []byte) error {
	if len(out) == 0 {
		return nil
	}
	if len(b) == 0 {
		return errShort
	}
	width := int(b[0])
	if width > 31 {
		return fmt.Errorf("dictionary indices of %d bits", width)
	}
	at := 0
	bad := func(v uint64) error { return fmt.Errorf("dictionary index %d of %d entries", v, len(dict)) }
	_, err := eachRun(b[1:], len(out), width, func(v uint64, count int) error {
		if v >= uint64(len(dict)) {
			return bad(v)
		}
		x := dict[v]
		for i := range out[at:][:count] {
			out[at+i] = x
		}
		at += count
		return nil
	}, func(packed []byte, count int) error {
		worst := uint64(0)
		dst := out[at:][:count]
		unpack(packed, count, width, func(i int, v uint64) {
			if v < uint64(len(dict)) {
				dst[i] = dict[v]
			} else {
				worst = max(worst, v)
			}
		})
		at += count
		if worst > 0 || len(dict) == 0 {
			return bad(worst)
		}
		return nil
	})
	return err
}

// decodeLevels returns n levels of up to most.
func decodeLevels(b []byte, n, most int) ([]uint8, error) {
	out := make([]uint8, n)
	at := 0
	_, err := eachRun(b, n, bits.Len(uint(most)), func(v uint64, count int) error {
		for i := range count {
			out[at+i] = uint8(v)
		}
		at += count
		return nil
	}, func(packed []byte, count int) error {
		unpack(packed, count, bits.Len(uint(most)), func(i int, v uint64) { out[at+i] = uint8(v) })
		at += count
		return nil
	})
	return out, err
}

// decodeValidity returns n definition levels of 0 or 1 as a bitmap and the
// number of ones; the bitmap is nil when all are.
func decodeValidity(b []byte, n int) ([]byte, int, error) {
	valid := make([]byte, 0, (n+7)/8+1)
	at := 0
	_, err := eachRun(b, n, 1, func(v uint64, count int) error {
		if v == 1 {
			valid = setBits(valid, at, count)
		}
		at += count
		return nil
	}, func(packed []byte, count int) error {
		valid = growBits(valid, at+count)
		if at%8 == 0 {
			copy(valid[at/8:], packed[:(count+7)/8])
		} else {
			unpack(packed, count, 1, func(i int, v uint64) { valid[(at+i)/8] |= byte(v) << ((at + i) % 8) })
		}
		at += count
		return nil
	})
	if err != nil {
		return nil, 0, err
	}
	valid = growBits(valid, n)
	if n%8 != 0 {
		valid[n/8] &= 1<<(n%8) - 1
	}
	ones := 0
	for _, x := range valid {
		ones += bits.OnesCount8(x)
	}
	if ones == n {
		return nil, n, nil
	}
	return valid, ones, nil
}

// decodeDelta reads DELTA_BINARY_PACKED: as many values as are there, but at
// most limit. It returns what follows.
func decodeDelta[T int32 | int64](b []byte, limit int) ([]T, []byte, error) {
	var h [3]uint64 // block size, miniblocks, values
	var err error
	for i := range h {
		if h[i], b, err = uvarint(b); err != nil {
			return nil, nil, err
		}
	}
	first, n := binary.Varint(b)
	if n <= 0 {
		return nil, nil, errShort
	}
	b = b[n:]
	if h[1] == 0 || h[1] > 512 || h[0] == 0 || h[0] > 1<<20 || h[0]%h[1] != 0 || h[0]/h[1]%8 != 0 || h[2] > uint64(limit) {
		return nil, nil, fmt.Errorf("a delta page with blocks of %d in %d parts and %d values where %d are expected", h[0], h[1], h[2], limit)
	}
	out := make([]T, 0, h[2])
	if h[2] == 0 {
		return out, b, nil
	}
	per, minis := int(h[0]/h[1]), int(h[1])
	out = append(out, T(first))
	for uint64(len(out)) < h[2] {
		least, n := binary.Varint(b)
		if n <= 0 || len(b) < n+minis {
			return nil, nil, errShort
		}
		widths := b[n : n+minis]
		b = b[n+minis:]
		for _, w := range widths {
			left := int(h[2]) - len(out)
			if left == 0 {
				break
			}
			size := per / 8 * int(w)
			if w > 64 || len(b) < size {
				return nil, nil, errShort
			}
			out = addMini(out, b[:size], min(per, left), int(w), T(least))
			b = b[size:]
		}
	}
	return out, b, nil
}

// addMini appends the values of a miniblock.
func addMini[T int32 | int64](out []T, b []byte, count, width int, least T) []T {
	prev := out[len(out)-1]
	if width <= 32 {
		unpack(b, count, width, func(_ int, v uint64) {
			prev += least + T(v)
			out = append(out, prev)
		})
		return out
	}
	for i := range count {
		var v uint64
		for k := 0; k < width; k++ {
			bit := i*width + k
			v |= uint64(b[bit/8]>>(bit%8)&1) << k
		}
		prev += least + T(v)
		out = append(out, prev)
	}
	return out
}

// decodePlain reads n fixed-width values.
func decodePlain[T int32 | int64](b []byte, n int) ([]T, error) {
	var zero T
	if len(b)/int(unsafe.Sizeof(zero)) < n {
		return nil, errShort
	}
	out := make([]T, n)
	switch out := any(out).(type) {
	case []int32:
		copy(arrow.Int32Traits.CastToBytes(out), b)
	case []int64:
		copy(arrow.Int64Traits.CastToBytes(out), b)
	}
	return out, nil
}

// decodeSplit reads n values of BYTE_STREAM_SPLIT.
func decodeSplit[T int32 | int64](b []byte, n, size int) ([]T, error) {
	if len(b) < size*n {
		return nil, errShort
	}
	out := make([]T, n)
	for k := range size {
		for i, x := range b[k*n:][:n] {
			out[i] |= T(x) << (8 * k)
		}
	}
	return out, nil
}
