package lake

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/apache/arrow/go/v17/arrow"

	"dag/engine/addr"
	"dag/engine/contract"
	"dag/engine/lake/index"
	"dag/engine/lake/parquet"
	"dag/engine/manifest"
)

// BatchRows is how many rows Read puts into one batch at most.
const BatchRows = parquet.PageRows

// Partition is an opened input partition: its files stay what they are, even
// if the folder is replaced. Several goroutines may read it at once.
type Partition struct {
	addr   addr.Partition
	table  *table
	fields []parquet.Field
	schema *arrow.Schema
	trace  manifest.Trace
	lake   *Lake
	stamp  index.Stamp     // of its folder
	made   []manifest.File // what its manifest records; none for another tool's
	rel    string          // its folder, for messages
	files  []*os.File
	parts  []*parquet.File     // the rows
	beside map[string]*os.File // further tables and binary files, by file name
}

// OpenPartition opens a partition that has data; for any other the error says
// what its folder lacks. Close frees its files.
func (l *Lake) OpenPartition(p addr.Partition) (*Partition, error) {
	t, err := l.table(p.Dataset, false)
	if err != nil {
		return nil, err
	}
	rel, err := t.folder(p.Keys)
	if err != nil {
		return nil, err
	}
	for range 3 { // a folder replaced between reading and opening is opened anew
		c, err := l.readContent(l.path(rel), l.indexed(p))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p, err)
		}
		if !c.trace.State.HasData() {
			l.remember(p, c.trace, index.Stamp{}) // the next listing reads the folder again, and plans it
			return nil, fmt.Errorf("%s %s: %s; apply again to make it anew (%s)", p, describe(c.trace.State), c.why, rel)
		}
		if len(c.files) == 0 {
			return nil, fmt.Errorf("%s has no data files: no part-*.parquet in %s", p, rel)
		}
		out := &Partition{addr: p, table: t, fields: fieldsOf(t.Contract), schema: t.Contract.Schema, trace: c.trace, lake: l, stamp: c.stamp, rel: rel, beside: map[string]*os.File{}}
		if c.trace.State == manifest.Complete {
			out.made = c.m.Files
		}
		err = out.open(l.path(rel), c)
		info, serr := os.Stat(l.path(rel))
		if serr == nil && stampOf(info) == c.stamp {
			if err != nil {
				return nil, errors.Join(fmt.Errorf("%s: %w", p, err), out.Close())
			}
			return out, nil
		}
		if err := out.Close(); err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("%s is being replaced over and over; is another process writing this lake?", p)
}

// fixedPoint is how a contract's documentation says that an integer column counts
// units of 1e-9, which other writers store as a number of whole units.
const fixedPoint = "1e-9"

// fieldsOf is the contract as the reader of files wants it.
func fieldsOf(c *contract.Contract) []parquet.Field {
	var out []parquet.Field
	for i, f := range c.Schema.Fields() {
		doc := ""
		if i < len(c.Docs) {
			doc = c.Docs[i]
		}
		out = append(out, parquet.Field{Name: f.Name, Type: f.Type, Nullable: f.Nullable, FixedPoint: strings.Contains(doc, fixedPoint)})
	}
	return out
}

func (p *Partition) open(dir string, c content) error {
	var rows int64
	for _, name := range c.files {
		f, err := os.Open(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		p.files = append(p.files, f)
		if !isRows(name) {
			p.beside[name] = f
			continue
		}
		part, err := parquet.NewFile(path.Join(p.rel, name), f)
		if err != nil {
			return err
		}
		p.parts = append(p.parts, part)
		rows += part.Rows()
	}
	if rows != c.trace.Rows {
		return fmt.Errorf("the files in %s hold %d rows, expected %d", p.rel, rows, c.trace.Rows)
	}
	return nil
}

// Keys of the partition.
func (p *Partition) Keys() addr.Keys { return p.addr.Keys }

// Rows is the number of rows.
func (p *Partition) Rows() int64 { return p.trace.Rows }

// Bytes is the size of the data files.
func (p *Partition) Bytes() int64 { return p.trace.Bytes }

// Digest is the content digest of what was opened.
func (p *Partition) Digest() manifest.Sum { return p.trace.Digest }

// Schema is the contract's.
func (p *Partition) Schema() *arrow.Schema { return p.schema }

// Read streams the named columns, in the named order, as the contract types
// them, in batches of at most BatchRows rows; no names mean all columns. Files
// of other writers are cast, and what cannot be cast without loss is an error.
func (p *Partition) Read(ctx context.Context, columns ...string) Batches {
	return func(yield func(arrow.Record, error) bool) {
		fields, err := p.pick(p.fields, columns)
		if err != nil {
			yield(nil, err)
			return
		}
		for _, part := range p.parts {
			if !p.stream(ctx, part, fields, yield) {
				return
			}
		}
	}
}

// stream yields a file's batches until it is told to stop or fails.
func (p *Partition) stream(ctx context.Context, part *parquet.File, fields []parquet.Field, yield func(arrow.Record, error) bool) bool {
	for rec, err := range ahead(part.Read(ctx, fields, BatchRows)) {
		if err != nil && ctx.Err() == nil {
			err = fmt.Errorf("%s: %w", p.addr, p.suspect(ctx, err))
		}
		if !yield(rec, err) || err != nil {
			return false
		}
	}
	return true
}

// suspect looks for the cause of an error in reading: if the files are not what the
// manifest records, the index is told, so that the next plan makes the partition anew.
func (p *Partition) suspect(ctx context.Context, err error) error {
	for i, want := range p.made {
		if i == len(p.files) {
			break
		}
		got, herr := hashAll(ctx, want.Name, io.NewSectionReader(p.files[i], 0, math.MaxInt64))
		if herr != nil {
			return err // what cannot be read now may be whole
		}
		if got != want {
			p.lake.remember(p.addr, manifest.Trace{State: manifest.OutputChanged}, p.stamp)
			return fmt.Errorf("%s was changed after it was written; apply again to make it anew: %w", path.Join(p.rel, want.Name), err)
		}
	}
	return err
}

// Table streams columns of a table that the partition holds beside its rows, as
// Read does.
func (p *Partition) Table(ctx context.Context, name string, columns ...string) Batches {
	return func(yield func(arrow.Record, error) bool) {
		c, f := p.table.Tables[name], p.beside[manifest.TableName(name)]
		if c == nil || f == nil {
			yield(nil, fmt.Errorf("%s holds no table %q (%s)", p.addr, name, p.rel))
			return
		}
		fields, err := p.pick(fieldsOf(c), columns)
		if err != nil {
			yield(nil, err)
			return
		}
		part, err := parquet.NewFile(path.Join(p.rel, manifest.TableName(name)), f)
		if err != nil {
			yield(nil, fmt.Errorf("%s: %w", p.addr, err))
			return
		}
		p.stream(ctx, part, fields, yield)
	}
}

// File gives a binary file that the partition holds, and its size.
func (p *Partition) File(name string) (io.ReaderAt, int64, error) {
	f := p.beside[name]
	if f == nil {
		return nil, 0, fmt.Errorf("%s holds no file %q (%s)", p.addr, name, p.rel)
	}
	info, err := f.Stat()
	if err != nil {
		return nil, 0, err
	}
	return f, info.Size(), nil
}

// pick returns the fields of columns.
func (p *Partition) pick(all []parquet.Field, columns []string) ([]parquet.Field, error) {
	if len(columns) == 0 {
		return all, nil
	}
	var out []parquet.Field
	for _, name := range columns {
		i := slices.IndexFunc(all, func(f parquet.Field) bool { return f.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("%s: its contract has no column %q", p.addr, name)
		}
		out = append(out, all[i])
	}
	return out, nil
}

// Close closes the files.
func (p *Partition) Close() error {
	var err error
	for _, f := range p.files {
		err = errors.Join(err, f.Close())
	}
	p.files, p.parts, p.beside = nil, nil, nil
	return err
}
