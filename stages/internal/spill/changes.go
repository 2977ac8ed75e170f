package spill

import (
	"encoding/binary"
	"math/bits"
)

// Spilled records are written as changes, since what follows one another in a book
// differs in few places: for every 64 words of 8 bytes, the last ones maybe fewer, a
// mask of those that differ from the record before, then these words.
const (
	wordBytes = 8
	maskWords = 64
)

// mostChanges is how many bytes the changes of a record of size bytes take at most.
func mostChanges(size int) int {
	return size + (size/wordBytes+maskWords-1)/maskWords*wordBytes
}

// appendChanges appends what rec changes of the record before.
func appendChanges(dst, before, rec []byte) []byte {
	n := len(dst)
	if most := n + mostChanges(len(rec)); most > cap(dst) {
		dst = append(make([]byte, 0, 2*most), dst...)
	}
	dst = dst[:cap(dst)]
	for len(rec) > 0 {
		size := min(maskWords*wordBytes, len(rec))
		at := n
		var mask uint64
		n, mask = putChanges(dst, n+wordBytes, before[:size], rec[:size])
		binary.LittleEndian.PutUint64(dst[at:], mask)
		rec, before = rec[size:], before[size:]
	}
	return dst[:n]
}

// putChanges writes words that differ to dst from n on, and returns where they end
// and which they are. Both records are of the same size.
func putChanges(dst []byte, n int, before, rec []byte) (end int, mask uint64) {
	le := binary.LittleEndian
	mask = changed(before, rec)
	for m := mask; m != 0; m &= m - 1 {
		le.PutUint64(dst[n:], le.Uint64(rec[bits.TrailingZeros64(m)*wordBytes:]))
		n += wordBytes
	}
	return n, mask
}

// changed tells which words differ. The words that are not of a group of four come
// first: so a group is a level of an MBP-10 book, most of which are as they were.
func changed(before, rec []byte) (mask uint64) {
	le := binary.LittleEndian
	i := 0
	for ; len(rec)/wordBytes%4 != 0 && len(before) >= wordBytes; i++ {
		d := le.Uint64(rec) ^ le.Uint64(before)
		mask |= (d | -d) >> 63 << (i & 63)
		rec, before = rec[wordBytes:], before[wordBytes:]
	}
	before = before[:len(rec)]
	for at := 0; at+4*wordBytes <= len(rec); at, i = at+4*wordBytes, i+4 {
		r, b := rec[at:at+4*wordBytes:at+4*wordBytes], before[at:at+4*wordBytes:at+4*wordBytes]
		d0, d1 := le.Uint64(r)^le.Uint64(b), le.Uint64(r[8:])^le.Uint64(b[8:])
		d2, d3 := le.Uint64(r[16:])^le.Uint64(b[16:]), le.Uint64(r[24:])^le.Uint64(b[24:])
		if d0|d1|d2|d3 != 0 {
			four := (d0|-d0)>>63 | (d1|-d1)>>63<<1 | (d2|-d2)>>63<<2 | (d3|-d3)>>63<<3
			mask |= four << (i & 63)
		}
	}
	return mask
}

// applyChanges makes rec, which is the record before or a copy of it, the record
// whose changes src begins with, and returns the rest of src; false: src is too short.
func applyChanges(rec, src []byte) (rest []byte, ok bool) {
	le := binary.LittleEndian
	for len(rec) > 0 {
		words := min(maskWords, len(rec)/wordBytes)
		if len(src) < wordBytes {
			return src, false
		}
		mask := le.Uint64(src)
		src = src[wordBytes:]
		if len(src) < bits.OnesCount64(mask)*wordBytes || bits.Len64(mask) > words {
			return src, false
		}
		for ; mask != 0; mask &= mask - 1 {
			copy(rec[bits.TrailingZeros64(mask)*wordBytes:][:wordBytes], src)
			src = src[wordBytes:]
		}
		rec = rec[words*wordBytes:]
	}
	return src, true
}
