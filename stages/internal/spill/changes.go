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
	le := binary.LittleEndian
	n := len(dst)
	if most := n + mostChanges(len(rec)); most > cap(dst) {
		dst = append(make([]byte, 0, 2*most), dst...)
	}
	dst = dst[:cap(dst)]
	for len(rec) > 0 {
		words := min(maskWords, len(rec)/wordBytes)
		at := n
		n += wordBytes
		mask := uint64(0)
		// Every word is written; one that is the same is overwritten by the next. So
		// there is no branch to mispredict, and one word more than those that count.
		for i := range words {
			w := le.Uint64(rec[i*wordBytes:])
			d := w ^ le.Uint64(before[i*wordBytes:])
			differs := (d | -d) >> 63
			mask |= differs << i
			le.PutUint64(dst[n:], w)
			n += int(differs) * wordBytes
		}
		le.PutUint64(dst[at:], mask)
		rec, before = rec[words*wordBytes:], before[words*wordBytes:]
	}
	return dst[:n]
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
