package manifest

import (
	"crypto/sha256"
	"encoding/binary"
	"strings"
	"testing"
)

// TestHasherHashesAll: a sum is the SHA-256 of all parts behind one another,
// however many there are, and can be asked for on the way.
func TestHasherHashesAll(t *testing.T) {
	le := binary.LittleEndian
	h := NewHasher("")
	for _, length := range []int{0, 1, 100, hashAtOnce - 20, hashAtOnce, 3 * hashAtOnce} {
		text := strings.Repeat("x", length)
		h.Reset("kind")
		want := append(le.AppendUint32(nil, 4), "kind"...)
		for i := range 30 {
			of := Sum{byte(i), 1, 2}
			h.Text(text).Int(int64(-i)).Sum(of)
			want = append(le.AppendUint32(want, uint32(length)), text...)
			want = append(le.AppendUint64(want, uint64(-int64(i))), of[:]...)
			full := sha256.Sum256(want)
			if got := h.Done(); string(got[:]) != string(full[:len(got)]) {
				t.Fatalf("after %d texts of %d bytes: %s", i+1, length, got)
			}
		}
	}
}
