package parquet

import "math/bits"

// run is a stretch of equal small integers.
type run struct{ value, n uint32 }

// appendRuns encodes runs in the RLE and bit-packing hybrid of the format:
// stretches of at least 8 as runs, the rest bit-packed in groups of 8.
func appendRuns(dst []byte, runs []run, width int, lit []uint32) ([]byte, []uint32) {
	lit = lit[:0]
	for _, r := range runs {
		if r.n >= 8 {
			if fill := uint32(-len(lit) & 7); fill > 0 { // a bit-packed group cannot end early
				for range fill {
					lit = append(lit, r.value)
				}
				r.n -= fill
			}
		}
		if r.n >= 8 {
			dst = appendPacked(dst, lit, width)
			lit = lit[:0]
			dst = appendUvarint(dst, uint64(r.n)<<1)
			for b := 0; b < width; b += 8 {
				dst = append(dst, byte(r.value>>b))
			}
			continue
		}
		for range r.n {
			lit = append(lit, r.value)
		}
	}
	return appendPacked(dst, lit, width), lit
}

// appendPacked writes one bit-packed run, padded with zeros to a multiple of 8.
func appendPacked(dst []byte, v []uint32, width int) []byte {
	if len(v) == 0 {
		return dst
	}
	groups := (len(v) + 7) / 8
	dst = appendUvarint(dst, uint64(groups)<<1|1)
	end := len(dst) + groups*width
	var acc uint64
	n := 0
	for _, x := range v {
		acc |= uint64(x) << n
		for n += width; n >= 8; n -= 8 {
			dst = append(dst, byte(acc))
			acc >>= 8
		}
	}
	if n > 0 {
		dst = append(dst, byte(acc))
	}
	for len(dst) < end {
		dst = append(dst, 0)
	}
	return dst
}

// widthOf is the number of bits that hold every value up to limit.
func widthOf(limit uint32) int { return bits.Len32(limit) }

func appendUvarint(dst []byte, v uint64) []byte {
	for v >= 0x80 {
		dst = append(dst, byte(v)|0x80)
		v >>= 7
	}
	return append(dst, byte(v))
}

func appendZigzag(dst []byte, v int64) []byte {
	return appendUvarint(dst, uint64(v<<1)^uint64(v>>63))
}
