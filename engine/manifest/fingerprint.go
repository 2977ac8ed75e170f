package manifest

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
)

// Hasher computes a Sum of strings and sums. Every part is preceded by its
// length, so that no two lists of parts look alike. Use NewHasher: a sum begins
// with its kind.
type Hasher struct {
	buf  []byte    // what has not been given to rest
	rest hash.Hash // nil while buf holds everything
}

// hashAtOnce is how much is gathered: the sums of plans are of less, and one call
// for all of it costs half of one for each part.
const hashAtOnce = 1 << 10

// NewHasher starts a sum; kind keeps sums of different things apart.
func NewHasher(kind string) *Hasher {
	return new(Hasher).Text(kind)
}

// Reset starts another sum with the same memory.
func (h *Hasher) Reset(kind string) *Hasher {
	h.buf, h.rest = h.buf[:0], nil
	return h.Text(kind)
}

// Text adds one string.
func (h *Hasher) Text(s string) *Hasher {
	n := len(s)
	h.buf = append(h.buf, byte(n), byte(n>>8), byte(n>>16), byte(n>>24))
	h.buf = append(h.buf, s...)
	return h.flush()
}

// Int adds one number.
func (h *Hasher) Int(n int64) *Hasher {
	h.buf = binary.LittleEndian.AppendUint64(h.buf, uint64(n))
	return h.flush()
}

// Sum adds one sum.
func (h *Hasher) Sum(s Sum) *Hasher {
	h.buf = append(h.buf, s[:]...)
	return h.flush()
}

// flush gives what is gathered to rest once it is much.
func (h *Hasher) flush() *Hasher {
	if len(h.buf) < hashAtOnce {
		return h
	}
	if h.rest == nil {
		h.rest = sha256.New()
	}
	h.rest.Write(h.buf)
	h.buf = h.buf[:0]
	return h
}

// Done returns the sum of everything added.
func (h *Hasher) Done() Sum {
	var s Sum
	if h.rest == nil {
		full := sha256.Sum256(h.buf)
		copy(s[:], full[:])
		return s
	}
	h.rest.Write(h.buf)
	h.buf = h.buf[:0]
	var full [sha256.Size]byte
	copy(s[:], h.rest.Sum(full[:0]))
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
