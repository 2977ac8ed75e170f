package parquet

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/compress"
	"github.com/apache/arrow/go/v17/parquet/metadata"
	"github.com/apache/arrow/go/v17/parquet/schema"
	"github.com/klauspost/compress/zstd"
)

var magic = []byte("PAR1")

// Writer writes one Parquet file. It is used by one goroutine at a time; it
// holds one page of raw values and one row group of encoded ones.
type Writer struct {
	w       io.Writer
	pos     int64 // of the next byte
	begun   bool  // something has been written
	rows    int64
	schema  *arrow.Schema
	chunks  []*chunk
	inPage  int
	inGroup int
	groups  int16
	columns *schema.Schema
	footer  *metadata.FileMetaDataBuilder
	workers int
	pass    *passing // nil: every column is encoded here; else chunks and schema are of those that are
	err     error    // the first; nothing is written after it
	closed  bool
}

// NewWriter starts a file of the given schema on w. Up to workers goroutines
// encode columns; 0 and 1 encode in Write itself.
func NewWriter(w io.Writer, s *arrow.Schema, workers int) (*Writer, error) {
	columns, err := columnsOf(s)
	if err != nil {
		return nil, err
	}
	p := &Writer{
		w: w, pos: int64(len(magic)), schema: s, columns: columns, workers: max(1, workers),
		footer: metadata.NewFileMetadataBuilder(columns, properties, nil),
	}
	for i, f := range s.Fields() { // a field is one leaf: newChunk refuses others
		c, err := newChunk(f, columns.Column(i))
		if err != nil {
			return nil, err
		}
		p.chunks = append(p.chunks, c)
	}
	return p, nil
}

// properties of every file.
var properties = parquet.NewWriterProperties(
	parquet.WithCompression(compress.Codecs.Zstd), parquet.WithCreatedBy(createdBy), parquet.WithVersion(parquet.V2_6))

// Rows and Bytes are what has been written; Bytes is complete after Close.
func (p *Writer) Rows() int64 { return p.rows }

// Bytes is the size of the file so far.
func (p *Writer) Bytes() int64 { return p.pos }

// Write appends a batch, whose columns must be those of the schema: it checks
// their number and types, and that no column holds null which cannot.
func (p *Writer) Write(rec arrow.Record) error {
	if p.err == nil {
		p.err = p.check(rec)
	}
	rows := int(rec.NumRows())
	for at := 0; at < rows && p.err == nil; {
		n := min(rows-at, PageRows-p.inPage)
		for i, c := range p.chunks {
			c.add(rec.Column(i), at, at+n)
		}
		at += n
		p.rows += int64(n)
		p.inPage += n
		if p.inPage == PageRows {
			p.flushPage()
		}
	}
	return p.err
}

func (p *Writer) check(rec arrow.Record) error {
	if p.closed {
		return fmt.Errorf("the file is closed")
	}
	if int(rec.NumCols()) != len(p.chunks) {
		return fmt.Errorf("a batch of %d columns for a file of %d", rec.NumCols(), len(p.chunks))
	}
	for i, f := range p.schema.Fields() {
		if a := rec.Column(i); !arrow.TypeEqual(a.DataType(), f.Type) {
			return fmt.Errorf("column %q: a batch has %s, the file %s", f.Name, a.DataType(), f.Type)
		} else if a.NullN() > 0 && !f.Nullable {
			return fmt.Errorf("column %q: %d nulls in a batch, and the column cannot be null", f.Name, a.NullN())
		} else if err := p.chunks[i].check(a, p.rows); err != nil {
			return fmt.Errorf("column %q: %w", f.Name, err)
		}
	}
	return nil
}

// encoder compresses the pages of all writers of the process, as many at once as
// there are cores: each takes some megabytes, and nothing is kept from one page to
// the next.
var encoder = sync.OnceValue(func() *zstd.Encoder { return newEncoder(nearWindow) })

// farEncoder is for pages that nearWindow does not hold: of long texts, mostly.
var farEncoder = sync.OnceValue(func() *zstd.Encoder { return newEncoder(8 << 20) })

// nearWindow is how far back encoder looks for what comes again. Each of its workers
// holds that much, and what it makes of a page that fits is what one with a larger
// window makes of it.
const nearWindow = 1 << 20

func newEncoder(window int) *zstd.Encoder {
	z, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.EncoderLevelFromZstd(3)), zstd.WithWindowSize(window),
		zstd.WithEncoderConcurrency(runtime.GOMAXPROCS(0)), zstd.WithLowerEncoderMem(true), zstd.WithEncoderCRC(false))
	if err != nil {
		panic(err) // the options are constant
	}
	return z
}

// squeeze appends a page, compressed, to dst.
func squeeze(dst, page []byte) []byte {
	if len(page) > nearWindow {
		return farEncoder().EncodeAll(page, dst)
	}
	return encoder().EncodeAll(page, dst)
}

// each calls f for every column, on up to p.workers goroutines.
func (p *Writer) each(f func(i int)) {
	var next atomic.Int64
	work := func() {
		for i := int(next.Add(1)) - 1; i < len(p.chunks); i = int(next.Add(1)) - 1 {
			f(i)
		}
	}
	var wg sync.WaitGroup
	for range min(p.workers, len(p.chunks)) - 1 {
		wg.Go(work)
	}
	work()
	wg.Wait()
}

func (p *Writer) flushPage() {
	p.each(func(i int) { p.chunks[i].flush() })
	p.inGroup += p.inPage
	p.inPage = 0
	if p.inGroup >= RowGroupRows {
		p.flushGroup()
	}
}

func (p *Writer) flushGroup() {
	dicts := make([][]byte, len(p.chunks))
	p.each(func(i int) { dicts[i] = p.chunks[i].dictionary() })
	group := p.footer.AppendRowGroup()
	group.SetNumRows(p.inGroup)
	var size int64
	own := 0
	for i := range p.columns.NumColumns() {
		if p.err != nil {
			return
		}
		if p.pass != nil && p.pass.columns[i] >= 0 {
			n, err := p.copy(group.NextColumnChunk(), int(p.groups), p.pass.columns[i])
			size, p.err = size+n, err
			continue
		}
		c, pos, dict := p.chunks[own], p.pos, dicts[own]
		own++
		p.write(dict)
		p.write(c.pages)
		size += c.uncompressed
		if p.err == nil {
			p.err = c.finish(group.NextColumnChunk(), pos, len(dict))
		}
	}
	if p.err == nil {
		p.err = group.Finish(size, p.groups)
	}
	p.groups++
	p.inGroup = 0
}

func (p *Writer) write(b []byte) {
	if p.err != nil || len(b) == 0 {
		return
	}
	p.pos += int64(len(b))
	if !p.begun { // the beginning goes with what follows: a small file is one write
		p.begun = true
		b = slices.Concat(magic, b)
	}
	_, p.err = p.w.Write(b)
}

// Close writes what is left and the footer. It does not close the underlying
// writer. Closing again does nothing.
func (p *Writer) Close() error {
	if p.closed || p.err != nil {
		return p.err
	}
	p.closed = true
	if p.inPage > 0 {
		p.flushPage()
	}
	if p.inGroup > 0 {
		p.flushGroup()
	}
	if p.err == nil && p.pass != nil && p.rows != p.pass.from.Rows() {
		p.err = fmt.Errorf("%d rows were written beside the %d of %s", p.rows, p.pass.from.Rows(), p.pass.from.name)
	}
	if p.err != nil {
		return p.err
	}
	meta, err := p.footer.Finish()
	if err != nil {
		return fmt.Errorf("footer: %w", err)
	}
	var end bytes.Buffer
	if _, err := meta.WriteTo(&end, nil); err != nil {
		return fmt.Errorf("footer: %w", err)
	}
	end.Write(binary.LittleEndian.AppendUint32(nil, uint32(end.Len())))
	end.Write(magic)
	p.write(end.Bytes())
	p.chunks = nil
	return p.err
}
