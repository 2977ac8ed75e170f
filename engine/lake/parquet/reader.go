package parquet

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/parquet/metadata"
)

// File is an opened Parquet file. Several goroutines may read it at once.
type File struct {
	name string
	src  io.ReaderAt
	size int64 // bytes
	meta *metadata.FileMetaData
}

// readBuffer is how much of a column chunk is read ahead.
const readBuffer = 64 << 10

// Source is where a file's bytes come from; an *os.File is one.
type Source interface {
	io.ReaderAt
	io.Seeker
}

// NewFile reads the footer; name is for messages. The caller closes src.
func NewFile(name string, src Source) (f *File, err error) {
	defer rescue(name, &err)
	f = &File{name: name, src: src}
	if f.size, err = src.Seek(0, io.SeekEnd); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if f.meta, err = f.footer(); err != nil {
		return nil, fmt.Errorf("%s is no Parquet file that can be read: %w", name, err)
	}
	var rows int64
	for i, g := range f.meta.RowGroups {
		if g.NumRows < 0 {
			return nil, fmt.Errorf("%s: row group %d says it has %d rows", name, i, g.NumRows)
		}
		rows += g.NumRows
	}
	if rows != f.Rows() {
		return nil, fmt.Errorf("%s: its footer says %d rows, its row groups %d", name, f.Rows(), rows)
	}
	return f, nil
}

// footer reads what the file says of itself: at its end, before its length and the
// magic. The library allocates by the sizes that are in it; skip bounds them.
func (f *File) footer() (*metadata.FileMetaData, error) {
	var end [8]byte
	if f.size < int64(len(magic)+len(end)) {
		return nil, fmt.Errorf("it has %d bytes", f.size)
	}
	if err := f.readAt(end[:], f.size-int64(len(end))); err != nil {
		return nil, err
	}
	switch string(end[4:]) {
	case string(magic):
	case "PARE":
		return nil, errors.New("it is encrypted")
	default:
		return nil, fmt.Errorf("it does not end with %s", magic)
	}
	size := int64(binary.LittleEndian.Uint32(end[:]))
	if size > f.size-int64(len(magic)+len(end)) {
		return nil, fmt.Errorf("its footer says that it has %d bytes itself, and the file has %d", size, f.size)
	}
	b := make([]byte, size)
	if err := f.readAt(b, f.size-int64(len(end))-size); err != nil {
		return nil, err
	}
	if _, err := skip(b, thriftStruct, thriftDepth); err != nil {
		return nil, fmt.Errorf("footer: %w", err)
	}
	meta, err := metadata.NewFileMetaData(b, nil)
	if err != nil {
		return nil, fmt.Errorf("footer: %w", err)
	}
	return meta, nil
}

// readAt fills b from offset at on.
func (f *File) readAt(b []byte, at int64) error {
	if n, err := f.src.ReadAt(b, at); n < len(b) {
		return fmt.Errorf("it ends at byte %d: %w", at+int64(n), noEOF(err))
	}
	return nil
}

// rescue turns a panic of the library into an error.
func rescue(name string, err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("%s is no Parquet file that can be read: %v", name, r)
	}
}

// Rows is the number of rows the footer states.
func (f *File) Rows() int64 { return f.meta.NumRows }

// Columns are the names of the top-level columns, in order.
func (f *File) Columns() []string {
	root := f.meta.Schema.Root()
	names := make([]string, root.NumFields())
	for i := range names {
		names[i] = root.Field(i).Name()
	}
	return names
}

// reading is one column of a Read.
type reading struct {
	column
	cast  *caster
	cur   arrow.Array // the page that is being handed out; nil before the first
	off   int
	base  int64   // row of the file that cur starts at
	after *vector // of a list: the page after cur, if it has been read
}

// Read streams the fields in batches of at most maxRows rows. A column the
// file does not have is an error, as is one that its type cannot hold.
func (f *File) Read(ctx context.Context, fields []Field, maxRows int) iter.Seq2[arrow.Record, error] {
	return func(yield func(arrow.Record, error) bool) {
		cols, err := f.readings(fields)
		if err != nil {
			yield(nil, err)
			return
		}
		defer func() {
			for _, c := range cols {
				c.drop()
			}
		}()
		s := schemaOf(fields)
		base := int64(0)
		for g, group := range f.meta.RowGroups {
			left := group.NumRows
			if err := f.openGroup(cols, g, base); err != nil {
				yield(nil, err)
				return
			}
			for left > 0 {
				rec, err := f.batch(ctx, s, cols, min(left, int64(maxRows)))
				if err != nil {
					yield(nil, err)
					return
				}
				left -= rec.NumRows()
				more := yield(rec, nil)
				rec.Release()
				if !more {
					return
				}
			}
			if err := f.endGroup(cols, g); err != nil {
				yield(nil, err)
				return
			}
			base += group.NumRows
		}
	}
}

// schemaOf is the Arrow schema of fields.
func schemaOf(fields []Field) *arrow.Schema {
	out := make([]arrow.Field, len(fields))
	for i, w := range fields {
		out[i] = arrow.Field{Name: w.Name, Type: w.Type, Nullable: w.Nullable}
	}
	return arrow.NewSchema(out, nil)
}

// readings finds the leaf of every field.
func (f *File) readings(fields []Field) (cols []*reading, err error) {
	defer rescue(f.name, &err)
	sc := f.meta.Schema
	for _, want := range fields {
		found := -1
		for i := range sc.NumColumns() {
			if sc.Column(i).ColumnPath()[0] != want.Name {
				continue
			}
			if found >= 0 {
				return nil, fmt.Errorf("%s: it has column %q twice, or one of several parts", f.name, want.Name)
			}
			found = i
		}
		if found < 0 {
			return nil, fmt.Errorf("%s: it has no column %q; its columns are %s", f.name, want.Name, shorten(f.Columns()))
		}
		leaf := sc.Column(found)
		_, list := want.Type.(*arrow.ListType)
		if list != (leaf.MaxRepetitionLevel() == 1) || !list && leaf.MaxDefinitionLevel() > 1 {
			return nil, fmt.Errorf("%s: column %q is stored as %s, expected %s", f.name, want.Name, sc.Root().Field(sc.Root().FieldIndexByName(want.Name)), want.Type)
		}
		cast, err := newCaster(leaf, want)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.name, err)
		}
		cols = append(cols, &reading{column: column{leaf: leaf, index: found}, cast: cast})
	}
	return cols, nil
}

func shorten(names []string) string {
	if len(names) > 12 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:12], ", "), len(names)-12)
	}
	return strings.Join(names, ", ")
}

func (f *File) openGroup(cols []*reading, g int, base int64) (err error) {
	defer rescue(f.name, &err)
	for _, c := range cols {
		c.drop()
		c.base, c.after = base, nil
		if err := c.open(f, g); err != nil {
			return fmt.Errorf("%s: column %q of row group %d: %w", f.name, c.cast.want.Name, g, err)
		}
	}
	return nil
}

// drop lets go of the current page.
func (c *reading) drop() {
	if c.cur != nil {
		c.cur.Release()
		c.cur, c.off = nil, 0
	}
}

// fill makes sure that the column has rows at hand.
func (c *reading) fill() error {
	for c.cur == nil || c.off == c.cur.Len() {
		if c.cur != nil {
			c.base += int64(c.cur.Len())
			c.drop()
		}
		cur, err := c.page()
		if err != nil {
			return err
		}
		c.cur = cur
	}
	return nil
}

// page reads the next page, or those of a list that hold whole rows; io.EOF at the
// chunk's end.
func (c *reading) page() (arrow.Array, error) {
	if c.leaf.MaxRepetitionLevel() > 0 {
		return c.listPage()
	}
	v, ok, err := c.next()
	if err != nil {
		return nil, fmt.Errorf("page at row %d: %w", c.base, err)
	}
	if !ok {
		return nil, io.EOF
	}
	return c.cast.array(v, c.base)
}

// maxListLevels bounds the items of pages that have to be kept until one begins with a
// row.
const maxListLevels = 4 * maxPage

// listPage is page for lists: only the page after them tells that the rows of one are
// whole.
func (c *reading) listPage() (arrow.Array, error) {
	var pages []vector
	levels := 0
	if c.after != nil {
		pages, levels, c.after = append(pages, *c.after), c.after.n, nil
	}
	for {
		v, ok, err := c.next()
		switch {
		case err != nil:
			return nil, fmt.Errorf("page at row %d or after: %w", c.base, err)
		case !ok && len(pages) == 0:
			return nil, io.EOF
		case !ok:
			return c.cast.listArray(c.leaf, pages, c.base)
		case v.n == 0:
			continue
		case v.repeat[0] == 0 && len(pages) > 0:
			c.after = &v
			return c.cast.listArray(c.leaf, pages, c.base)
		case v.repeat[0] != 0 && len(pages) == 0:
			return nil, fmt.Errorf("page at row %d: it goes on with a list that has not begun", c.base)
		}
		if levels += v.n; levels > maxListLevels {
			return nil, fmt.Errorf("page at row %d: the items up to the next page that begins with a row are more than %d", c.base, maxListLevels)
		}
		pages = append(pages, v)
	}
}

// batch cuts the next record of at most n rows.
func (f *File) batch(ctx context.Context, s *arrow.Schema, cols []*reading, n int64) (rec arrow.Record, err error) {
	defer rescue(f.name, &err)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	for _, c := range cols {
		if err := c.fill(); err == io.EOF {
			return nil, fmt.Errorf("%s: column %q ends at row %d, before its row group does", f.name, c.cast.want.Name, c.base)
		} else if err != nil {
			return nil, fmt.Errorf("%s: column %q: %w", f.name, c.cast.want.Name, err)
		}
		n = min(n, int64(c.cur.Len()-c.off))
	}
	arrays := make([]arrow.Array, len(cols))
	for i, c := range cols {
		arrays[i] = array.NewSlice(c.cur, int64(c.off), int64(c.off)+n)
		c.off += int(n)
	}
	rec = array.NewRecord(s, arrays, n)
	for _, a := range arrays {
		a.Release()
	}
	return rec, nil
}

// endGroup checks that no column has more rows than its row group.
func (f *File) endGroup(cols []*reading, g int) (err error) {
	defer rescue(f.name, &err)
	for _, c := range cols {
		if err := c.fill(); err == nil {
			return fmt.Errorf("%s: column %q has more rows than its row group %d", f.name, c.cast.want.Name, g)
		} else if err != io.EOF {
			return fmt.Errorf("%s: column %q: %w", f.name, c.cast.want.Name, err)
		}
	}
	return nil
}
