package parquet

import (
	"bytes"
	"io"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// allocated is the bytes that f asks the heap for.
func allocated(f func()) float64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return float64(after.TotalAlloc - before.TotalAlloc)
}

// drain reads all rows of some columns and returns how many there are.
func drain(t *testing.T, data io.ReaderAt, size int64, fields []Field) (rows int64) {
	t.Helper()
	f, err := NewFile("test.parquet", io.NewSectionReader(data, 0, size))
	if err != nil {
		t.Fatal(err)
	}
	for rec, err := range f.Read(t.Context(), fields, PageRows) {
		if err != nil {
			t.Fatal(err)
		}
		rows += rec.NumRows()
	}
	return rows
}

// TestFootersAreSmall opens files of few row groups and of many: a footer is all
// that grows with a file, so what it takes for a column of a row group is bounded.
func TestFootersAreSmall(t *testing.T) {
	const few, many = 1, 9
	s := arrow.NewSchema([]arrow.Field{
		{Name: "a", Type: arrow.PrimitiveTypes.Int64}, {Name: "b", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
		{Name: "c", Type: arrow.PrimitiveTypes.Int32}, {Name: "d", Type: arrow.BinaryTypes.String},
	}, nil)
	opening := func(groups int) float64 {
		data := encode(t, s, 1, constant(s, groups*RowGroupRows))
		return allocated(func() {
			if _, err := NewFile("test.parquet", bytes.NewReader(data)); err != nil {
				t.Fatal(err)
			}
		})
	}
	columns := float64((many - few) * s.NumFields())
	if n := (opening(many) - opening(few)) / columns; n > 2200 {
		t.Errorf("%.0f bytes for a column of a row group", n)
	}
}

// TestRowsAllocateNothing writes pages of more rows and of fewer: what is
// allocated goes by page and row group.
func TestRowsAllocateNothing(t *testing.T) {
	allocations := func(rows int) float64 {
		recs := bookRecords(rows, 4096, 1)
		return testing.AllocsPerRun(2, func() { encode(t, bookSchema(), 1, recs...) })
	}
	few, many := allocations(PageRows/4), allocations(PageRows)
	if perRow := (many - few) / (PageRows * 3 / 4); perRow > 0.3 {
		t.Errorf("%v allocations a row", perRow)
	}
}

// TestReadingAllocatesByPage reads many rows: no row costs an allocation.
func TestReadingAllocatesByPage(t *testing.T) {
	const rows = 2 * PageRows
	data := encode(t, bookSchema(), 1, bookRecords(rows, 4096, 1)...)
	n := testing.AllocsPerRun(2, func() {
		if got := drain(t, bytes.NewReader(data), int64(len(data)), fieldsOf(bookSchema())); got != rows {
			t.Fatalf("%d rows of %d", got, rows)
		}
	})
	if n/rows > 0.5 {
		t.Errorf("%v allocations a row", n/rows)
	}
}

// spy counts the bytes that are read.
type spy struct {
	*bytes.Reader
	read int64
}

func (s *spy) ReadAt(b []byte, at int64) (int, error) {
	n, err := s.Reader.ReadAt(b, at)
	s.read += int64(n)
	return n, err
}

// TestOtherColumnsAreNotRead asks for some columns of many.
func TestOtherColumnsAreNotRead(t *testing.T) {
	data := encode(t, bookSchema(), 1, bookRecords(RowGroupRows/4, 4096, 1)...)
	read := func(fields ...Field) int64 {
		s := &spy{Reader: bytes.NewReader(data)}
		drain(t, s, int64(len(data)), fields)
		return s.read
	}
	footer, all := read(), read(fieldsOf(bookSchema())...)
	for _, f := range fieldsOf(bookSchema())[8:11] {
		if one := read(f) - footer; one <= 0 || one > (all-footer)/10 {
			t.Errorf("column %s: %d of %d bytes are read", f.Name, one, all-footer)
		}
	}
}

// constant is rows that are all zero or empty.
func constant(s *arrow.Schema, rows int) arrow.Record {
	b := array.NewRecordBuilder(memory.DefaultAllocator, s)
	defer b.Release()
	for _, column := range b.Fields() {
		column.AppendEmptyValues(rows)
	}
	return b.NewRecord()
}

// TestWindowsMakeTheSame compresses pages with either encoder: a small window saves
// memory, and no byte depends on it.
func TestWindowsMakeTheSame(t *testing.T) {
	far := newEncoder(8 << 20)
	defer far.Close()
	r := rand.New(rand.NewPCG(1, 2))
	for range 30 {
		page := make([]byte, 1+r.IntN(nearWindow))
		for i := 0; i < len(page); {
			from := r.IntN(i + 1)
			if n := copy(page[i:], page[from:min(i, from+r.IntN(3000))]); n > 0 {
				i += n // as before, up to the whole page back
			}
			for end := min(len(page), i+r.IntN(50)); i < end; i++ {
				page[i] = byte(r.IntN(40))
			}
		}
		if !bytes.Equal(squeeze(nil, page), far.EncodeAll(page, nil)) {
			t.Fatalf("a page of %d bytes is compressed differently", len(page))
		}
	}
	long := make([]byte, nearWindow+1)
	if !bytes.Equal(squeeze(nil, long), far.EncodeAll(long, nil)) {
		t.Error("a page beyond the window is compressed differently")
	}
}
