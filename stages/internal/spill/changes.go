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
// and which they are. The words that are not of a group of four come first: so a
// group is a level of an MBP-10 book, most of which are as they were.
func putChanges(dst []byte, n int, before, rec []byte) (end int, mask uint64) {
	le := binary.LittleEndian
	i := 0
	// One word is written whether it differs or not, and overwritten by the next if
	// not: there is no branch to mispredict.
	put := func(w, d uint64) {
		differs := (d | -d) >> 63
		mask |= differs << (i & 63)
		le.PutUint64(dst[n:], w)
		n += int(differs) * wordBytes
		i++
	}
	for len(rec)/wordBytes%4 != 0 {
		w := le.Uint64(rec)
		put(w, w^le.Uint64(before))
		rec, before = rec[wordBytes:], before[wordBytes:]
	}
	for len(rec) >= 4*wordBytes && len(before) >= 4*wordBytes {
		w0, w1, w2, w3 := le.Uint64(rec), le.Uint64(rec[8:]), le.Uint64(rec[16:]), le.Uint64(rec[24:])
		d0, d1, d2, d3 := w0^le.Uint64(before), w1^le.Uint64(before[8:]), w2^le.Uint64(before[16:]), w3^le.Uint64(before[24:])
		rec, before = rec[4*wordBytes:], before[4*wordBytes:]
		if d0|d1|d2|d3 == 0 {
			i += 4
			continue
		}
		put(w0, d0)
		put(w1, d1)
		put(w2, d2)
		put(w3, d3)
	}
	return n, mask
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
