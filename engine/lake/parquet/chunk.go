package parquet

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/parquet/metadata"
	"github.com/apache/arrow/go/v17/parquet/schema"
)

// chunk collects one column of the current row group: the page being filled
// and the encoded pages before it. Used by one goroutine at a time.
type chunk struct {
	values   values
	nullable bool
	room     room // of a page

	// The page being filled. levels are the definition levels of a nullable
	// column as a bitmap, empty while no null has come; repeat and define are
	// used by lists instead.
	rows   int
	nulls  int
	levels []byte
	list   *listLevels

	// The row group so far.
	pages        []byte // headers and compressed pages, without the dictionary
	dataPages    int
	chunkNulls   int64
	numValues    int64
	uncompressed int64
	dict         bool // pages so far, if any, have indices
	mixed        bool // the dictionary was given up after some pages
	encoding     int  // of pages without dictionary, once there is one

	runs    []run
	literal []uint32
	raw     []byte
	packed  []byte
}

// listLevels are the levels of a list column's page, as runs.
type listLevels struct {
	item, most     uint32 // definition levels from which an item is there, and not null
	repeat, define []run
	n              int // levels in the page
}

// newChunk makes the chunk of a field, which is stored in the given leaf.
func newChunk(f arrow.Field, leaf *schema.Column) (*chunk, error) {
	c := &chunk{nullable: f.Nullable, dict: true, room: pageRoom}
	t := f.Type
	if l, ok := t.(*arrow.ListType); ok {
		c.list = &listLevels{item: uint32(repeatedLevel(leaf)), most: uint32(leaf.MaxDefinitionLevel())}
		c.nullable = true
		t = l.Elem()
	}
	switch t.ID() {
	case arrow.INT64:
		c.values = newInts(func(a arrow.Array) []int64 { return a.(*array.Int64).Int64Values() })
	case arrow.INT32:
		c.values = newInts(func(a arrow.Array) []int32 { return a.(*array.Int32).Int32Values() })
	case arrow.FLOAT64:
		c.values = newDoubles()
	case arrow.FLOAT32:
		c.values = newFloats()
	case arrow.STRING:
		c.values = &texts{most: c.room.bytes}
	case arrow.BOOL:
		c.values = &bools{}
	default:
		return nil, fmt.Errorf("column %q: type %s is not one that is stored; use long, int, double, float, string, boolean or an array of them", f.Name, f.Type)
	}
	return c, nil
}

// add appends rows [lo,hi) of arr, each of which a page has room for. The page ends
// before rows that it has no room for.
func (c *chunk) add(arr arrow.Array, lo, hi int) {
	for lo < hi {
		n := c.fitting(arr, lo, hi)
		if n > 0 {
			c.addRows(arr, lo, lo+n)
		}
		if lo += n; lo < hi {
			c.flush()
		}
	}
}

// addRows appends rows [lo,hi) of arr to the page.
func (c *chunk) addRows(arr arrow.Array, lo, hi int) {
	c.rows += hi - lo
	if c.list != nil {
		c.addLists(arr.(*array.List), lo, hi)
		return
	}
	if arr.NullN() == 0 {
		c.values.take(arr, lo, hi)
		if c.levels != nil {
			c.levels = setBits(c.levels, c.rows-(hi-lo), hi-lo)
		}
		return
	}
	for i := lo; i < hi; {
		j := i
		for j < hi && arr.IsValid(j) {
			j++
		}
		if j > i {
			c.values.take(arr, i, j)
		}
		k := j
		for k < hi && arr.IsNull(k) {
			k++
		}
		at := c.rows - (hi - i)
		if c.levels == nil && k > j {
			c.levels = setBits(make([]byte, 0, PageRows/8), 0, at)
		}
		if c.levels != nil {
			c.levels = setBits(c.levels, at, j-i)
			c.levels = growBits(c.levels, at+k-i)
		}
		c.nulls += k - j
		i = k
	}
}

// growBits extends a bitmap with zeros to hold n bits.
func growBits(b []byte, n int) []byte {
	for len(b)*8 < n {
		b = append(b, 0)
	}
	return b
}

// setBits sets bits [from, from+n), growing the bitmap.
func setBits(b []byte, from, n int) []byte {
	b = growBits(b, from+n)
	i, end := from, from+n
	for ; i < end && i%8 != 0; i++ {
		b[i/8] |= 1 << (i % 8)
	}
	for ; i+8 <= end; i += 8 {
		b[i/8] = 0xff
	}
	for ; i < end; i++ {
		b[i/8] |= 1 << (i % 8)
	}
	return b
}

// addLists appends whole lists: their items and levels.
func (c *chunk) addLists(arr *array.List, lo, hi int) {
	l := c.list
	items := arr.ListValues()
	for i := lo; i < hi; i++ {
		from, to := arr.ValueOffsets(i)
		switch {
		case arr.IsNull(i):
			l.add(0, l.item-2)
		case from == to:
			l.add(0, l.item-1)
		}
		if arr.IsNull(i) || from == to {
			c.nulls++
			continue
		}
		for k := int(from); k < int(to); k++ {
			level := l.most
			if items.IsNull(k) {
				level--
				c.nulls++
			} else {
				c.values.take(items, k, k+1)
			}
			l.add(min(1, uint32(k-int(from))), level)
		}
	}
}

func (l *listLevels) add(repeat, define uint32) {
	l.n++
	l.repeat = addRun(l.repeat, repeat)
	l.define = addRun(l.define, define)
}

func addRun(runs []run, v uint32) []run {
	if n := len(runs); n > 0 && runs[n-1].value == v {
		runs[n-1].n++
		return runs
	}
	return append(runs, run{v, 1})
}

// flush encodes and compresses the page.
func (c *chunk) flush() {
	if c.rows == 0 {
		return
	}
	raw := c.appendLevels(c.raw[:0])
	enc := encRLEDictionary
	if c.dict {
		var ok bool
		if c.runs, ok = c.values.index(c.runs[:0], c.dataPages == 0); ok {
			width := widthOf(uint32(max(0, c.values.dictLen()-1)))
			raw = append(raw, byte(width))
			raw, c.literal = appendRuns(raw, c.runs, width, c.literal)
		} else {
			c.dict, c.mixed = false, c.dataPages > 0
		}
	}
	if !c.dict {
		c.values.count()
		raw, enc = c.values.encode(raw, c.nullable)
		c.encoding = enc
	}
	c.raw = raw
	n := c.rows
	if c.list != nil {
		n = c.list.n
	}
	c.pages = c.appendPage(c.pages, raw, pageHeader{kind: pageTypeData, values: n, encoding: enc})
	c.dataPages++
	c.numValues += int64(n)
	c.chunkNulls += int64(c.nulls)
	c.resetPage()
}

// appendLevels writes the page's levels, each list of them after its length.
func (c *chunk) appendLevels(dst []byte) []byte {
	sized := func(dst []byte, add func([]byte) []byte) []byte {
		at := len(dst)
		dst = add(append(dst, 0, 0, 0, 0))
		binary.LittleEndian.PutUint32(dst[at:], uint32(len(dst)-at-4))
		return dst
	}
	hybrid := func(runs []run, most uint32) func([]byte) []byte {
		return func(dst []byte) []byte {
			dst, c.literal = appendRuns(dst, runs, widthOf(most), c.literal)
			return dst
		}
	}
	if l := c.list; l != nil {
		return sized(sized(dst, hybrid(l.repeat, 1)), hybrid(l.define, l.most))
	}
	switch {
	case !c.nullable:
		return dst
	case c.nulls == 0:
		return sized(dst, hybrid([]run{{1, uint32(c.rows)}}, 1))
	case c.nulls == c.rows:
		return sized(dst, hybrid([]run{{0, uint32(c.rows)}}, 1))
	}
	return sized(dst, func(dst []byte) []byte { // a bitmap is a bit-packed run of width 1
		dst = appendUvarint(dst, uint64(len(c.levels))<<1|1)
		return append(dst, c.levels...)
	})
}

// appendPage appends header and compressed content.
func (c *chunk) appendPage(dst, raw []byte, h pageHeader) []byte {
	c.packed = squeeze(c.packed[:0], raw)
	h.uncompressed, h.compressed, h.sum = len(raw), len(c.packed), crc32.ChecksumIEEE(c.packed)
	at := len(dst)
	dst = h.append(dst)
	c.uncompressed += int64(len(dst) - at + len(raw))
	return append(dst, c.packed...)
}

func (c *chunk) resetPage() {
	c.values.resetPage()
	c.rows, c.nulls = 0, 0
	c.levels = nil
	if c.list != nil {
		c.list.repeat, c.list.define, c.list.n = c.list.repeat[:0], c.list.define[:0], 0
	}
}

// dictionary returns the dictionary page of the row group, if it has one.
func (c *chunk) dictionary() []byte {
	if !c.dict && !c.mixed {
		return nil
	}
	c.raw = c.values.appendDict(c.raw[:0])
	return c.appendPage(nil, c.raw, pageHeader{kind: pageTypeDictionary, values: c.values.dictLen(), encoding: encPlain})
}

// finish describes the chunk, which starts at pos with its dictionary of the
// given length, and makes ready for the next row group.
func (c *chunk) finish(b *metadata.ColumnChunkMetaDataBuilder, pos int64, dict int) error {
	stats := metadata.EncodedStatistics{}
	stats.SetNullCount(c.chunkNulls)
	if lo, hi := c.values.bounds(); lo != nil {
		stats.SetMin(lo).SetMax(hi)
	}
	stats.Signed = true
	if _, ok := c.values.(*texts); ok {
		stats.Signed = false
	}
	b.SetStats(stats)
	info := metadata.ChunkMetaInfo{
		NumValues:        c.numValues,
		IndexPageOffset:  -1,
		DataPageOffset:   pos + int64(dict),
		CompressedSize:   int64(dict + len(c.pages)),
		UncompressedSize: c.uncompressed,
	}
	if dict > 0 {
		info.DictPageOffset = pos
	}
	if err := b.Finish(info, dict > 0, c.mixed, metadata.EncodingStats{}, nil); err != nil {
		return err
	}
	md := b.Contents().MetaData
	enc := md.Encodings[:0]
	if dict > 0 {
		enc = append(enc, encPlain, encRLEDictionary)
	}
	switch {
	case c.dict:
	case c.encoding == encDeltaBinary:
		enc = append(enc, encDeltaBinary)
	case c.encoding == encDeltaByteArray:
		enc = append(enc, encDeltaByteArray)
	case dict == 0:
		enc = append(enc, encPlain)
	}
	if c.nullable {
		enc = append(enc, encRLE)
	}
	md.Encodings, md.EncodingStats = enc, nil
	c.pages = c.pages[:0]
	c.dataPages, c.chunkNulls, c.numValues, c.uncompressed = 0, 0, 0, 0
	c.dict, c.mixed, c.encoding = true, false, 0
	c.values.resetChunk()
	return nil
}
