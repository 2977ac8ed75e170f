package parquet

import (
	"fmt"
	"io"
	"slices"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/parquet/metadata"
)

// passing is a file that columns are taken from as they are: their encoded
// chunks are copied, which gives the bytes that encoding them again would give.
type passing struct {
	from    *File
	columns []int // by column of the file that is written: the one of from; -1: encoded here
	column  column
	buf     []byte // the chunk being copied
}

// Extends tells whether NewExtending can take the columns of s that are not in
// adds from f: f is of this writer and has them, of the same type.
func (f *File) Extends(s *arrow.Schema, adds []string) bool {
	w, err := NewWriter(io.Discard, s, 1)
	if err != nil {
		return false
	}
	_, err = f.passing(w, adds)
	return err == nil
}

// NewExtending starts a file of schema s whose rows are those of from: Write takes
// the columns adds only, in the schema's order, for the same number of rows, and
// the others are copied. It fails where Extends is false. The bytes are those of
// a file that is given all columns.
func NewExtending(w io.Writer, s *arrow.Schema, workers int, from *File, adds []string) (*Writer, error) {
	p, err := NewWriter(w, s, workers)
	if err != nil {
		return nil, err
	}
	if p.pass, err = from.passing(p, adds); err != nil {
		return nil, err
	}
	var fields []arrow.Field
	var own []*chunk
	for i, f := range s.Fields() {
		if p.pass.columns[i] < 0 {
			fields, own = append(fields, f), append(own, p.chunks[i])
		}
	}
	p.schema, p.chunks = arrow.NewSchema(fields, nil), own
	return p, nil
}

// passing finds the columns of w that are not in adds.
func (f *File) passing(w *Writer, adds []string) (p *passing, err error) {
	defer rescue(f.name, &err)
	md := f.meta
	if md.GetCreatedBy() != createdBy {
		return nil, fmt.Errorf("%s was written by %s", f.name, md.GetCreatedBy())
	}
	for i, g := range md.RowGroups {
		if n := g.NumRows; n != RowGroupRows && (i+1 < len(md.RowGroups) || n > RowGroupRows) {
			return nil, fmt.Errorf("%s: row group %d has %d rows", f.name, i, n)
		}
	}
	p = &passing{from: f}
	for i := range w.columns.NumColumns() {
		leaf := w.columns.Column(i)
		name := leaf.ColumnPath()[0]
		at := -1
		if !slices.Contains(adds, name) {
			at = md.Schema.ColumnIndexByName(leaf.Path())
			if at < 0 || !md.Schema.Column(at).SchemaNode().Equals(leaf.SchemaNode()) {
				return nil, fmt.Errorf("%s has no column %q as %s", f.name, name, leaf.SchemaNode())
			}
		}
		p.columns = append(p.columns, at)
	}
	return p, nil
}

// copy appends the chunk of a column of row group g to the file and describes it.
func (p *Writer) copy(b *metadata.ColumnChunkMetaDataBuilder, g, column int) (size int64, err error) {
	from := p.pass.from
	defer rescue(from.name, &err)
	groups := from.meta.RowGroups
	if g >= len(groups) || groups[g].NumRows != int64(p.inGroup) {
		return 0, fmt.Errorf("%s does not have the %d rows that were written beside it", from.name, p.rows)
	}
	dict, err := p.pass.chunk(g, column)
	if err != nil {
		return 0, fmt.Errorf("%s: column %q of row group %d: %w", from.name, from.meta.Schema.Column(column).ColumnPath()[0], g, err)
	}
	src := groups[g].Columns[column].MetaData
	info := metadata.ChunkMetaInfo{
		NumValues: src.NumValues, IndexPageOffset: -1, DataPageOffset: p.pos + int64(dict),
		CompressedSize: src.TotalCompressedSize, UncompressedSize: src.TotalUncompressedSize,
	}
	if dict > 0 {
		info.DictPageOffset = p.pos
	}
	p.write(p.pass.buf)
	if err := b.Finish(info, dict > 0, false, metadata.EncodingStats{}, nil); err != nil {
		return 0, err
	}
	dst := b.Contents().MetaData
	dst.Statistics, dst.Encodings, dst.EncodingStats = src.Statistics, src.Encodings, src.EncodingStats
	return src.TotalUncompressedSize, p.err
}

// chunk reads a chunk into p.buf and returns the length of its dictionary. Its pages
// have to fit their checksums and what the footer says of them: what is damaged is
// not passed on.
func (p *passing) chunk(g, index int) (dict int, err error) {
	c := &p.column
	c.leaf, c.index = p.from.meta.Schema.Column(index), index
	if err := c.open(p.from, g); err != nil {
		return 0, err
	}
	p.buf = p.buf[:0]
	var size int64
	for c.left > 0 {
		left, at := c.left, len(p.buf)
		h, err := c.header()
		if err != nil {
			return 0, err
		}
		p.buf = h.append(p.buf)
		if int64(len(p.buf)-at) != left-c.left || !h.summed || !slices.Contains(c.place.encodings, h.encoding) {
			return 0, errHeader
		}
		size += int64(len(p.buf) - at + h.uncompressed)
		if err := c.load(h); err != nil {
			return 0, err
		}
		p.buf = append(p.buf, c.stored...)
		switch {
		case h.kind == pageTypeDictionary && at == 0:
			dict = len(p.buf)
			err = c.entries(h)
		case h.kind == pageTypeData:
			err = c.indices(h)
		default:
			err = errHeader
		}
		if err != nil {
			return 0, err
		}
	}
	if size != c.place.uncompressed || c.seen != c.place.values {
		return 0, errHeader
	}
	return dict, nil
}

// entries checks that the dictionary that is loaded is what its header says.
func (c *column) entries(h pageHeader) error {
	if err := c.dictionary(h); err != nil {
		return err
	}
	if h.encoding != encPlain || c.dict.plainSize() != h.uncompressed {
		return errHeader
	}
	return nil
}

// indices checks the encoding of the data page that is loaded, which its checksum does
// not cover: it is decoded where the chunk may have both pages with indices and others.
func (c *column) indices(h pageHeader) error {
	c.seen += int64(h.values)
	if c.dict.values == 0 || h.encoding == encRLEDictionary && c.dict.values < dictLimit {
		return nil
	}
	_, err := c.data(h)
	return err
}
