package parquet

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"pgregory.net/rapid"
)

// narrow writes records with pages that have room for little.
func narrow(t interface{ Fatal(...any) }, r room, s *arrow.Schema, recs ...arrow.Record) ([]byte, error) {
	var buf bytes.Buffer
	w, err := NewWriter(&buf, s, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range w.chunks {
		c.room = r
		if t, ok := c.values.(*texts); ok {
			t.most = r.bytes
		}
	}
	for _, rec := range recs {
		if err := w.Write(rec); err != nil {
			return nil, err
		}
	}
	err = w.Close()
	return buf.Bytes(), err
}

// pagesOf are the headers of a column's data pages, and whether there is a dictionary.
func pagesOf(t interface{ Fatal(...any) }, data []byte, index int) (pages []pageHeader, dict bool) {
	f, err := NewFile("test.parquet", bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	for g := range f.meta.RowGroups {
		c := column{leaf: f.meta.Schema.Column(index), index: index}
		if err := c.open(f, g); err != nil {
			t.Fatal(err)
		}
		for c.left > 0 {
			h, err := c.header()
			if err != nil {
				t.Fatal(err)
			}
			if err := c.pass(h.compressed); err != nil {
				t.Fatal(err)
			}
			if h.kind == pageTypeDictionary {
				dict = true
			} else {
				pages = append(pages, h)
			}
		}
	}
	return pages, dict
}

// textSchema has texts and lists, with null and without.
var textSchema = arrow.NewSchema([]arrow.Field{
	{Name: "s", Type: arrow.BinaryTypes.String},
	{Name: "null", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "list", Type: arrow.ListOf(arrow.BinaryTypes.String), Nullable: true},
	{Name: "whole", Type: arrow.ListOfNonNullable(arrow.BinaryTypes.String)},
	{Name: "n", Type: arrow.ListOf(arrow.PrimitiveTypes.Int64), Nullable: true},
}, nil)

// drawTexts draws rows of textSchema.
func drawTexts(t *rapid.T, rows int) arrow.Record {
	b := array.NewRecordBuilder(memory.DefaultAllocator, textSchema)
	defer b.Release()
	seed := rapid.Uint64().Draw(t, "seed")
	next := func() uint64 { seed = seed*6364136223846793005 + 1442695040888963407; return seed >> 33 }
	for c, f := range textSchema.Fields() {
		for range rows {
			if f.Nullable && next()%5 == 0 {
				b.Field(c).AppendNull()
			} else {
				appendAny(b.Field(c), int64(next()%1000), next)
			}
		}
	}
	return b.NewRecord()
}

// TestPagesHaveRoom writes rows that do not fit one page: no page holds more than it
// has room for, whatever the batches the file is the same, and it is read back.
func TestPagesHaveRoom(t *testing.T) {
	r := room{levels: 20, bytes: 150}
	rapid.Check(t, func(t *rapid.T) {
		rec := drawTexts(t, rapid.SampledFrom([]int{0, 1, 50, 300}).Draw(t, "rows"))
		whole, err := narrow(t, r, textSchema, rec)
		if err != nil {
			t.Fatal(err)
		}
		var parts []arrow.Record
		for at := int64(0); at < rec.NumRows(); {
			n := min(rec.NumRows()-at, int64(rapid.IntRange(1, 90).Draw(t, "batch")))
			parts = append(parts, rec.NewSlice(at, at+n))
			at += n
		}
		again, err := narrow(t, r, textSchema, parts...)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(whole, again) {
			t.Fatalf("%d batches give other bytes than one", len(parts))
		}
		for i, f := range textSchema.Fields() {
			pages, _ := pagesOf(t, whole, i)
			for _, h := range pages {
				if _, list := f.Type.(*arrow.ListType); list && h.values > r.levels {
					t.Fatalf("a page of %s has %d levels", f.Name, h.values)
				}
			}
		}
		got, err := decode(whole, fieldsOf(textSchema), rapid.IntRange(1, 100).Draw(t, "read"))
		if err != nil {
			t.Fatal(err)
		}
		equal(t, rowsOf(got), rowsOf([]arrow.Record{rec}))
	})
}

// TestFullPages writes as many items and bytes as a page has room for, and more.
func TestFullPages(t *testing.T) {
	s := arrow.NewSchema([]arrow.Field{
		{Name: "s", Type: arrow.BinaryTypes.String, Nullable: true}, {Name: "l", Type: arrow.ListOf(arrow.BinaryTypes.String), Nullable: true},
	}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, s)
	for i := range 4 { // two rows of either column fill a page: 2*(4+16) bytes, 2*2 levels
		b.Field(0).(*array.StringBuilder).Append(fmt.Sprintf("%016d", i))
		l := b.Field(1).(*array.ListBuilder)
		l.Append(true)
		for k := range 2 {
			l.ValueBuilder().(*array.StringBuilder).Append(fmt.Sprintf("%06d", 2*i+k))
		}
	}
	rec := b.NewRecord()
	for _, c := range []struct {
		room          room
		texts, levels int // pages of either column
		err           string
	}{
		{room{4, 40}, 2, 2, ""},
		{room{4, 39}, 4, 4, ""},
		{room{3, 40}, 2, 4, ""},
		{room{8, 80}, 1, 1, ""},
		{room{7, 80}, 1, 2, ""},
		{room{2, 20}, 4, 4, ""},
		{room{2, 19}, 0, 0, `column "s": row 0 has 1 items and 20 bytes of text, and a page holds 2 and 19`},
		{room{1, 20}, 0, 0, `column "l": row 0 has 2 items and 20 bytes of text, and a page holds 1 and 20`},
	} {
		data, err := narrow(t, c.room, s, rec)
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%v: %v", c.room, err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		first, _ := pagesOf(t, data, 0)
		second, _ := pagesOf(t, data, 1)
		if len(first) != c.texts || len(second) != c.levels {
			t.Errorf("%v: %d and %d pages, want %d and %d", c.room, len(first), len(second), c.texts, c.levels)
		}
		equal(t, rowsOf(library(t, data)), rowsOf([]arrow.Record{rec}))
		got, err := decode(data, fieldsOf(s), 100)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, rowsOf(got), rowsOf([]arrow.Record{rec}))
	}
}

// TestDictionaryHasRoom gives up a dictionary whose texts outgrow its page.
func TestDictionaryHasRoom(t *testing.T) {
	s := arrow.NewSchema([]arrow.Field{{Name: "s", Type: arrow.BinaryTypes.String}}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, s)
	for i := range 40 { // 20 bytes each with its length, two of a kind
		b.Field(0).(*array.StringBuilder).Append(fmt.Sprintf("%016d", i/2))
	}
	rec := b.NewRecord()
	data, err := narrow(t, room{levels: 100, bytes: 10 * 20}, s, rec)
	if err != nil {
		t.Fatal(err)
	}
	pages, dict := pagesOf(t, data, 0)
	if len(pages) != 4 || !dict || pages[1].encoding != encRLEDictionary || pages[2].encoding != encDeltaByteArray {
		t.Errorf("dictionary: %v, pages: %+v", dict, pages)
	}
	got, err := decode(data, fieldsOf(s), 100)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, rowsOf(got), rowsOf([]arrow.Record{rec}))
}

// TestLongLists writes more items than a page can be read with.
func TestLongLists(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes some hundred MB")
	}
	s := arrow.NewSchema([]arrow.Field{{Name: "l", Type: arrow.ListOfNonNullable(arrow.PrimitiveTypes.Float32), Nullable: true}}, nil)
	const items = maxPage/PageRows + 1
	ends := make([]int32, PageRows+1)
	for i := range ends {
		ends[i] = int32(i * items)
	}
	values := array.NewData(arrow.PrimitiveTypes.Float32, PageRows*items, []*memory.Buffer{nil, memory.NewBufferBytes(make([]byte, 4*PageRows*items))}, nil, 0, 0)
	list := array.NewListData(array.NewData(s.Field(0).Type, PageRows, []*memory.Buffer{nil, memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(ends))}, []arrow.ArrayData{values}, 0, 0))
	rec := array.NewRecord(s, []arrow.Array{list}, PageRows)
	data := encode(t, s, 1, rec)
	if got, _ := pagesOf(t, data, 0); len(got) != 2 {
		t.Errorf("%d pages, want 2", len(got))
	}
	got, err := decode(data, fieldsOf(s), PageRows)
	if err != nil {
		t.Fatal(err)
	}
	sameColumns(t, got, []arrow.Record{rec})
}
