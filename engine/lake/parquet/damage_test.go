package parquet

import (
	"bytes"
	"slices"
	"testing"
)

// TestFlippedBitsAllocateLittle reads files of a few KB with any bit flipped: what
// the file says of its sizes is never believed where it cannot be.
func TestFlippedBitsAllocateLittle(t *testing.T) {
	rec := wideRows(60, 3)
	files := foreignFiles(t, rec)
	files["own"] = encode(t, wideSchema, 1, rec)
	for name, data := range files {
		t.Run(name, func(t *testing.T) {
			step := 29 // odd: all bits of a byte take turns
			if name == "own" {
				step = 3
			}
			read := func(b []byte) float64 {
				return allocated(func() { _, _ = decode(b, fieldsOf(wideSchema), PageRows) })
			}
			limit := 2*read(data) + 1<<20
			for bit := 0; bit < 8*len(data); bit += step {
				bad := bytes.Clone(data)
				bad[bit/8] ^= 1 << (bit % 8)
				if n := read(bad); n > limit {
					t.Errorf("bit %d of byte %d of %d: %.0f bytes are allocated", bit%8, bit/8, len(data), n)
				}
			}
		})
	}
}

// TestLongTextsAreRefused decodes pages that are small and whose texts are not: each
// is the one before, or an entry of the dictionary, of a MiB.
func TestLongTextsAreRefused(t *testing.T) {
	const n, size = maxPageBytes>>20 + 2, 1 << 20
	prefixes, suffixes := slices.Repeat([]int32{size}, n), make([]int32, n)
	prefixes[0], suffixes[0] = 0, size
	page := append(appendDelta(appendDelta(nil, prefixes), suffixes), make([]byte, size)...)
	texts := slices.Repeat([][]byte{make([]byte, size)}, n)
	used := allocated(func() {
		if _, err := deltaTexts(page, n); err != errLong {
			t.Errorf("prefixes: %v", err)
		}
		if _, err := textArray(vector{n: n, values: n, texts: texts}); err != errLong {
			t.Errorf("dictionary: %v", err)
		}
	})
	if used > 4*size {
		t.Errorf("%.0f bytes are allocated", used)
	}
}
