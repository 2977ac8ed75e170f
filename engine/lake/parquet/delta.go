package parquet

import (
	"encoding/binary"
	"math/bits"
)

// The shape of DELTA_BINARY_PACKED blocks, as other writers choose it.
const (
	deltaBlock     = 128
	deltaMinis     = 4
	deltaMiniBlock = deltaBlock / deltaMinis
)

// appendDelta encodes v as DELTA_BINARY_PACKED. Differences wrap around within
// the type, as the format wants.
func appendDelta[T int32 | int64](dst []byte, v []T) []byte {
	dst = appendUvarint(dst, deltaBlock)
	dst = appendUvarint(dst, deltaMinis)
	dst = appendUvarint(dst, uint64(len(v)))
	if len(v) == 0 {
		return appendZigzag(dst, 0)
	}
	dst = appendZigzag(dst, int64(v[0]))
	var block [deltaBlock]T
	for prev, rest := v[0], v[1:]; len(rest) > 0; {
		n := min(deltaBlock, len(rest))
		for i, x := range rest[:n] {
			block[i] = x - prev
			prev = x
		}
		rest = rest[n:]
		dst = appendDeltaBlock(dst, &block, n)
	}
	return dst
}

func appendDeltaBlock[T int32 | int64](dst []byte, block *[deltaBlock]T, n int) []byte {
	least := block[0]
	for _, d := range block[1:n] {
		least = min(least, d)
	}
	dst = appendZigzag(dst, int64(least))
	widths := len(dst)
	dst = append(dst, make([]byte, deltaMinis)...)
	var mini [deltaMiniBlock]uint64
	for m := 0; m*deltaMiniBlock < n; m++ {
		var all uint64
		count := min(deltaMiniBlock, n-m*deltaMiniBlock)
		for i, d := range block[m*deltaMiniBlock:][:count] {
			mini[i] = offset(d, least)
			all |= mini[i]
		}
		clear(mini[count:])
		width := bits.Len64(all)
		dst[widths+m] = byte(width)
		dst = appendMini(dst, &mini, width)
	}
	return dst
}

// offset is d - least without sign, wrapped to the width of T.
func offset[T int32 | int64](d, least T) uint64 {
	switch x := any(d - least).(type) {
	case int32:
		return uint64(uint32(x))
	case int64:
		return uint64(x)
	}
	return 0
}

// appendMini bit-packs a miniblock: width*4 bytes.
func appendMini(dst []byte, mini *[deltaMiniBlock]uint64, width int) []byte {
	var acc uint64
	n := 0
	for _, x := range mini {
		acc |= x << n
		if n += width; n >= 64 {
			dst = binary.LittleEndian.AppendUint64(dst, acc)
			n -= 64
			acc = x >> (width - n) // 0 when n is 0: the shift is 64 or x has no more bits
		}
	}
	for ; n > 0; n -= 8 {
		dst = append(dst, byte(acc))
		acc >>= 8
	}
	return dst
}
