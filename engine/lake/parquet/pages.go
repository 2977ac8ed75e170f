package parquet

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/compress"
	"github.com/apache/arrow/go/v17/parquet/metadata"
	"github.com/apache/arrow/go/v17/parquet/schema"
)

// What a page can hold. A header that claims more is corrupt: nothing is allocated
// for it.
const (
	maxPage      = 1 << 24 // values
	maxPageBytes = 1 << 30 // uncompressed
	maxHeader    = 16 << 20
)

// place is a column chunk of a file, as the footer tells it.
type place struct {
	start, size  int64 // bytes of the file
	uncompressed int64
	values       int64 // levels
	codec        compress.Compression
	encodings    []int
}

// place finds the chunk of a column and holds it against the file's size.
func (f *File) place(group, index int) (p place, err error) {
	columns := f.meta.RowGroups[group].Columns
	if index >= len(columns) || columns[index].MetaData == nil {
		return p, fmt.Errorf("row group %d has no column %d", group, index)
	}
	if columns[index].CryptoMetadata != nil {
		return p, errors.New("it is encrypted")
	}
	m := columns[index].MetaData
	p = place{
		start: m.DataPageOffset, size: m.TotalCompressedSize,
		uncompressed: m.TotalUncompressedSize, values: m.NumValues, codec: compress.Compression(m.Codec),
	}
	for _, e := range m.Encodings {
		p.encodings = append(p.encodings, int(e))
	}
	if d := m.DictionaryPageOffset; d != nil && *d > 0 && *d < p.start {
		p.start = *d
	}
	if p.start < 0 || p.size < 0 || p.start > f.size || p.size > f.size-p.start {
		return p, fmt.Errorf("row group %d has it in %d bytes from byte %d on, and the file has %d", group, p.size, p.start, f.size)
	}
	if f.meta.WriterVersion().LessThan(metadata.Parquet816FixedVersion) { // it left out the dictionary's header
		p.size += min(100, f.size-p.start-p.size)
	}
	return p, nil
}

// column reads the pages of one leaf of a file.
type column struct {
	leaf   *schema.Column
	index  int
	place  place
	r      *bufio.Reader
	left   int64 // bytes of the chunk that are not read
	seen   int64 // values of its pages so far
	most   int64 // values a page can hold at most
	dict   vector
	stored []byte // a page as it is in the file
	page   []byte
}

// open starts the chunk of a row group.
func (c *column) open(f *File, group int) error {
	p, err := f.place(group, c.index)
	if err != nil {
		return err
	}
	c.place, c.left, c.seen, c.dict = p, p.size, 0, vector{}
	c.most = min(maxPage, p.values)
	if c.leaf.MaxRepetitionLevel() == 0 {
		c.most = min(maxPage, f.meta.RowGroups[group].NumRows)
	}
	section := io.NewSectionReader(f.src, p.start, p.size)
	if size := int(min(readBuffer, p.size)); c.r == nil || c.r.Size() < size {
		c.r = bufio.NewReaderSize(section, size)
	} else {
		c.r.Reset(section)
	}
	return readable(p.codec)
}

// next decodes the next page with values; ok is false at the chunk's end.
func (c *column) next() (v vector, ok bool, err error) {
	for c.seen < c.place.values && c.left > 0 {
		h, err := c.header()
		if err != nil {
			return vector{}, false, err
		}
		if h.kind != pageTypeDictionary && h.kind != pageTypeData && h.kind != pageTypeDataV2 {
			if err := c.pass(h.compressed); err != nil {
				return vector{}, false, err
			}
			continue
		}
		if err := c.load(h); err != nil {
			return vector{}, false, err
		}
		if h.kind == pageTypeDictionary {
			if err := c.dictionary(h); err != nil {
				return vector{}, false, err
			}
			continue
		}
		c.seen += int64(h.values)
		v, err = c.data(h)
		return v, err == nil, err
	}
	if c.seen != c.place.values {
		return vector{}, false, errHeader
	}
	return vector{}, false, nil
}

// header reads the next page's header, of which only the parsing tells how long it is.
func (c *column) header() (pageHeader, error) {
	for want := int64(256); ; want *= 4 {
		n := int(min(want, c.left, maxHeader))
		if n > c.r.Size() {
			c.r = bufio.NewReaderSize(c.r, n)
		}
		b, err := c.r.Peek(n)
		if err != nil {
			return pageHeader{}, noEOF(err)
		}
		h, rest, err := parseHeader(b)
		if err == nil {
			return h, c.pass(n - len(rest))
		}
		if !errors.Is(err, errThrift) || int64(n) < want {
			return pageHeader{}, fmt.Errorf("page header: %w", err)
		}
	}
}

// pass goes on by n bytes, as far as the chunk does.
func (c *column) pass(n int) error {
	n, err := c.r.Discard(int(min(int64(n), c.left)))
	c.left -= int64(n)
	return noEOF(err)
}

// noEOF is err, where the end of a file is none.
func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// errHeader is of a header that can be read and is not true.
var errHeader = errors.New("a page header does not fit its page, or what the footer says of it: " + damaged)

// load reads what a header describes into c.stored, and checks it. No size that it
// states is allocated before it is found possible.
func (c *column) load(h pageHeader) error {
	if int64(h.compressed) > c.left {
		return fmt.Errorf("a page header says %d bytes where its column chunk has %d left", h.compressed, c.left)
	}
	if most := min(maxPageBytes, c.place.uncompressed); int64(h.uncompressed) > most {
		return fmt.Errorf("a page header says %d bytes uncompressed where %d can be at most", h.uncompressed, most)
	}
	c.stored = slices.Grow(c.stored[:0], h.compressed)[:h.compressed]
	if _, err := io.ReadFull(c.r, c.stored); err != nil {
		return noEOF(err)
	}
	c.left -= int64(h.compressed)
	return h.check(c.stored)
}

// raw uncompresses c.stored. What it returns is valid until the next page, or on
// where texts may lie in it.
func (c *column) raw(h pageHeader) ([]byte, error) {
	levels := h.repeat + h.define
	if levels > min(h.compressed, h.uncompressed) {
		return nil, errShort
	}
	if c.leaf.PhysicalType() == parquet.Types.ByteArray || cap(c.page) < h.uncompressed {
		c.page = make([]byte, h.uncompressed)
	}
	page := c.page[:h.uncompressed]
	codec := c.place.codec
	if h.plain {
		codec = compress.Codecs.Uncompressed
	}
	copy(page, c.stored[:levels])
	return page, inflate(codec, page[levels:], c.stored[levels:])
}
