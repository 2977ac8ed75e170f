package parquet

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// TestFlippedBitsAllocateLittle reads files of a few KB with any bit flipped: what
// the file says of its sizes is never believed where it cannot be.
func TestFlippedBitsAllocateLittle(t *testing.T) {
	rec := wideRows(60, 3)
	files := foreignFiles(t, rec)
	files["own"] = encode(t, wideSchema, 1, rec)
	for name, data := range files {
		t.Run(name, func(t *testing.T) {
			step := 61 // odd: all bits of a byte take turns
			if name == "own" {
				step = 5
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

// mixedRows begin with few values, for which there is a dictionary, and go on with
// more than it can hold.
func mixedRows() arrow.Record {
	b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema([]arrow.Field{
		{Name: "n", Type: arrow.PrimitiveTypes.Int64}, {Name: "s", Type: arrow.BinaryTypes.String}, {Name: "f", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
	}, nil))
	defer b.Release()
	for i := range PageRows + dictLimit + 100 {
		v := max(0, i-PageRows)
		b.Field(0).(*array.Int64Builder).Append(int64(v))
		b.Field(1).(*array.StringBuilder).Append(fmt.Sprint(v))
		b.Field(2).(*array.Float64Builder).Append(float64(v))
	}
	return b.NewRecord()
}

// pageBits are the bits of all page headers of a file, and every step-th one of what
// is between them.
func pageBits(t *testing.T, data []byte, step int) (bits []int) {
	t.Helper()
	f, err := NewFile("test.parquet", bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	for g, group := range f.meta.RowGroups {
		for i := range group.Columns {
			p, err := f.place(g, i)
			if err != nil {
				t.Fatal(err)
			}
			for at, end := int(p.start), int(p.start+p.size); at < end; {
				h, rest, err := parseHeader(data[at:end])
				if err != nil {
					t.Fatal(err)
				}
				for body := end - len(rest); at < body; at++ {
					for bit := range 8 {
						bits = append(bits, 8*at+bit)
					}
				}
				at += h.compressed
				for bit := 8 * (at - h.compressed); bit < 8*at; bit += step {
					bits = append(bits, bit)
				}
			}
		}
	}
	return bits
}

// TestDamagedPagesAreNotRead flips bits of files of ours: what is read is an error, or
// what was written, where the header has bits that say nothing.
func TestDamagedPagesAreNotRead(t *testing.T) {
	for _, c := range []struct {
		rec  arrow.Record
		step int
	}{{wideRows(60, 3), 3}, {mixedRows(), 20_011}} {
		data := encode(t, c.rec.Schema(), 1, c.rec)
		want := array.NewTableFromRecords(c.rec.Schema(), []arrow.Record{c.rec})
		bits := pageBits(t, data, c.step)
		read := 0
		for _, bit := range bits {
			bad := bytes.Clone(data)
			bad[bit/8] ^= 1 << (bit % 8)
			got, err := decode(bad, fieldsOf(c.rec.Schema()), RowGroupRows)
			if err != nil {
				continue
			}
			read++
			if !array.TableEqual(array.NewTableFromRecords(c.rec.Schema(), got), want) {
				t.Errorf("bit %d of byte %d of %d is flipped, and other rows are read", bit%8, bit/8, len(data))
			}
		}
		t.Logf("%d of %d are read", read, len(bits))
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
