package manifest

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
)

// Hasher computes a Sum of strings and sums. Every part is preceded by its
// length, so that no two lists of parts look alike. The zero value is not
// ready; use NewHasher.
type Hasher struct {
	h   hash.Hash
	buf []byte
}

// NewHasher starts a sum; kind keeps sums of different things apart.
func NewHasher(kind string) *Hasher {
	h := &Hasher{h: sha256.New()}
	h.Text(kind)
	return h
}

// Reset starts another sum with the same memory.
func (h *Hasher) Reset(kind string) *Hasher {
	h.h.Reset()
	return h.Text(kind)
}

// Text adds one string.
func (h *Hasher) Text(s string) *Hasher {
	n := len(s)
	h.buf = append(h.buf[:0], byte(n), byte(n>>8), byte(n>>16), byte(n>>24))
	h.buf = append(h.buf, s...)
	h.h.Write(h.buf)
	return h
}

// Int adds one number.
func (h *Hasher) Int(n int64) *Hasher {
	h.buf = binary.LittleEndian.AppendUint64(h.buf[:0], uint64(n))
	h.h.Write(h.buf)
	return h
}

// Sum adds one sum.
func (h *Hasher) Sum(s Sum) *Hasher {
	h.h.Write(s[:])
	return h
}

// Done returns the sum of everything added.
func (h *Hasher) Done() Sum {
	var full [sha256.Size]byte
	var s Sum
	copy(s[:], h.h.Sum(full[:0]))
	return s
}

// Halves are the two halves of the sum as numbers.
func (s Sum) Halves() (hi, lo uint64) {
	return binary.BigEndian.Uint64(s[:8]), binary.BigEndian.Uint64(s[8:])
}

// ParseSum is the inverse of Sum.String.
func ParseSum(s string) (Sum, error) {
	var out Sum
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(out) {
		return out, fmt.Errorf("%q is not a digest of %d hex digits", s, 2*len(out))
	}
	copy(out[:], b)
	return out, nil
}

// ContentDigest is the digest of a partition's content: names and hashes of
// its data files, in the order given (by name).
func ContentDigest(files []File) Sum {
	h := NewHasher("content")
	for _, f := range files {
		h.Text(f.Name).Text(f.SHA256)
	}
	return h.Done()
}
