package lake

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"maps"
	"path/filepath"
	"slices"

	"github.com/apache/arrow/go/v17/arrow"

	"dag/engine/addr"
	"dag/engine/contract"
	"dag/engine/lake/parquet"
	"dag/engine/manifest"
	"dag/engine/zip"
)

// Writer takes the rows of one output partition, or of a table beside them; it
// is a stage.Writer. After an error nothing more is written, and the same error
// comes again.
type Writer struct {
	lake     *Lake
	p        addr.Partition
	table    *table
	contract *contract.Contract
	dir      string
	rel      string // where the partition will be, from the lake root
	file     *File
	pq       *parquet.Writer
	order    *sortCheck
	extends  *Partition         // whose rows these go on from; nil: nobody's
	blame    func(error) error  // finds the cause of an error in extends, if columns of it are copied
	zip      *zip.Zip           // with its columns, unless they are copied
	given    int64              // rows, of those of extends
	own      *contract.Contract // of what is given, where that is zipped
	err      error
	closed   bool
	moved    bool // its folder is published, and nothing took its place

	tables map[string]*Writer // beside the rows, by name
	files  map[string]*File   // binary, by name
}

func (l *Lake) newWriter(p addr.Partition, t *table, dir string, e *extension) (*Writer, error) {
	order, err := newSortCheck(t)
	if err != nil {
		return nil, err
	}
	if err := l.fs.Mkdir(dir); err != nil {
		return nil, err
	}
	w := &Writer{lake: l, p: p, table: t, contract: t.Contract, dir: dir, order: order, tables: map[string]*Writer{}, files: map[string]*File{}}
	if err := w.begin(e); err != nil {
		return nil, errors.Join(err, l.fs.RemoveAll(dir))
	}
	return w, nil
}

// begin opens the rows' file.
func (w *Writer) begin(e *extension) error {
	l, t := w.lake, w.table
	if e == nil {
		return w.create(manifest.DataName)
	}
	w.extends = e.in
	if !e.passes(t) {
		w.own = e.own(t.Contract)
		w.zip = zip.New(e.how, t.Contract.Schema, e.columns(t.Contract.Schema))
		return w.create(manifest.DataName)
	}
	w.contract, w.order = e.own(t.Contract), &sortCheck{}
	var err error
	if w.file, err = l.newFile(w.dir, manifest.DataName); err != nil {
		return err
	}
	w.blame = func(err error) error { return e.in.suspect(e.ctx, err) }
	if w.pq, err = parquet.NewExtending(w.file, t.Contract.Schema, l.o.Workers, e.in.parts[0], e.how.Adds); err != nil {
		w.file.abandon()
	}
	return err
}

// create opens the Parquet file of w.
func (w *Writer) create(name string) error {
	var err error
	if w.file, err = w.lake.newFile(w.dir, name); err != nil {
		return err
	}
	if w.pq, err = parquet.NewWriter(w.file, w.contract.Schema, w.lake.o.Workers); err != nil {
		w.file.abandon()
	}
	return err
}

// Table opens a table that the partition holds beside its rows, once. One of
// the dataset's that is never opened is committed empty.
func (w *Writer) Table(name string) (*Writer, error) {
	c := w.table.Tables[name]
	if c == nil || w.tables[name] != nil {
		return nil, fmt.Errorf("%s has no table %q to open, or opens it twice", w.p, name)
	}
	t := &Writer{lake: w.lake, p: w.p, table: w.table, contract: c, dir: w.dir, order: &sortCheck{}}
	if err := t.create(manifest.TableName(name)); err != nil {
		return nil, explain(err, "write "+w.p.String(), w.dir)
	}
	w.tables[name] = t
	return t, nil
}

// File opens a binary file that the partition holds beside its tables, once.
func (w *Writer) File(name string) (*File, error) {
	if err := addr.CheckValue(name); err != nil || w.files[name] != nil {
		return nil, fmt.Errorf("%s cannot hold a file %q, or opens it twice", w.p, name)
	}
	f, err := w.lake.newFile(w.dir, name)
	if err != nil {
		return nil, explain(err, "write "+w.p.String(), w.dir)
	}
	w.files[name] = f
	return f, nil
}

// Holds tells whether the binary file has been opened.
func (w *Writer) Holds(name string) bool { return w.files[name] != nil }

// Write appends a batch. It fails, naming every difference, if the batch is
// not what the contract says, and if its rows are not in the declared order.
func (w *Writer) Write(rec arrow.Record) error {
	if w.err != nil {
		return w.err
	}
	if w.closed {
		return fmt.Errorf("%s: its writer is closed", w.p)
	}
	w.given += rec.NumRows()
	if w.zip == nil {
		return w.write(rec)
	}
	err := w.own.Check(rec)
	if err == nil {
		err = w.zip.Each(rec, w.write)
	}
	if err != nil && w.err == nil {
		w.err = fmt.Errorf("%s: %w", w.p, err)
	}
	return w.err
}

func (w *Writer) write(rec arrow.Record) error {
	if err := w.contract.Check(rec); err != nil {
		w.err = fmt.Errorf("%s: %w", w.p, err)
		return w.err
	}
	if err := w.order.check(rec, w.pq.Rows()); err != nil {
		w.err = fmt.Errorf("%s: %w", w.p, err)
		return w.err
	}
	if err := w.pq.Write(rec); err != nil {
		w.err = explain(w.cause(err), "write "+w.p.String(), w.dir)
	}
	return w.err
}

// cause looks for an error's cause in what is copied.
func (w *Writer) cause(err error) error {
	if err == nil || w.blame == nil {
		return err
	}
	return w.blame(err)
}

// Rows is the number of rows written so far.
func (w *Writer) Rows() int64 { return w.pq.Rows() }

// Bytes is the size of the rows' file so far; complete after Close.
func (w *Writer) Bytes() int64 { return w.pq.Bytes() }

// Close ends the rows and frees their memory; Commit makes them durable. Closing
// again does nothing.
func (w *Writer) Close() error {
	if w.closed {
		return w.err
	}
	w.closed = true
	w.order.release()
	if w.zip != nil {
		if w.err == nil && w.extends == nil { // how many rows there are is known by reading
			if err := w.zip.End(); err != nil {
				w.err = fmt.Errorf("%s: %w", w.p, err)
			}
		}
		w.zip.Close()
	}
	if w.err == nil && w.extends != nil && w.given != w.extends.Rows() {
		w.err = fmt.Errorf("%s: %d rows were written for the %d of %s", w.p, w.given, w.extends.Rows(), w.extends.addr)
	}
	if w.err == nil {
		w.err = explain(w.cause(w.pq.Close()), "write "+w.p.String(), w.dir)
	}
	return w.err
}

// finish ends everything the partition holds, and describes it: the rows
// first, then tables and files by name.
func (w *Writer) finish() ([]manifest.File, error) {
	for name := range w.table.Tables {
		if w.tables[name] == nil {
			if _, err := w.Table(name); err != nil {
				return nil, err
			}
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	list := []manifest.File{w.file.record()}
	for _, name := range slices.Sorted(maps.Keys(w.tables)) {
		if err := w.tables[name].Close(); err != nil {
			return nil, err
		}
		list = append(list, w.tables[name].file.record())
	}
	for _, name := range slices.Sorted(maps.Keys(w.files)) {
		list = append(list, w.files[name].record())
	}
	return list, nil
}

// settle makes everything durable that the partition holds.
func (w *Writer) settle() error {
	err := w.file.settle()
	for _, t := range w.tables {
		err = errors.Join(err, t.file.settle())
	}
	for _, f := range w.files {
		err = errors.Join(err, f.settle())
	}
	return err
}

// abandon closes all files without ending them.
func (w *Writer) abandon() {
	if !w.closed {
		w.closed = true
		w.order.release()
		if w.zip != nil {
			w.zip.Close()
		}
	}
	w.file.abandon()
	for _, t := range w.tables {
		t.abandon()
	}
	for _, f := range w.files {
		f.abandon()
	}
}

// File is one file of a partition while it is written: counted and hashed.
type File struct {
	name   string
	file   writableFile
	hash   hash.Hash
	bytes  int64
	closed bool
}

func (l *Lake) newFile(dir, name string) (*File, error) {
	f, err := l.fs.Create(filepath.Join(dir, name))
	if err != nil {
		return nil, err
	}
	return &File{name: name, file: f, hash: sha256.New()}, nil
}

// Write appends b.
func (f *File) Write(b []byte) (int, error) {
	if f.closed {
		return 0, fmt.Errorf("%s is written after it was closed", f.name)
	}
	n, err := f.file.Write(b)
	f.hash.Write(b[:n])
	f.bytes += int64(n)
	return n, err
}

// Close ends the file. Closing again does nothing.
func (f *File) Close() error {
	f.closed = true
	return nil
}

// settle makes the file durable.
func (f *File) settle() error {
	f.closed = true
	if f.file == nil {
		return nil
	}
	err := errors.Join(f.file.Sync(), f.file.Close())
	f.file = nil
	return err
}

func (f *File) abandon() {
	f.closed = true
	if f.file != nil {
		_ = f.file.Close() // its content is of no use
		f.file = nil
	}
}

// record describes the closed file.
func (f *File) record() manifest.File {
	return manifest.File{Name: f.name, Bytes: f.bytes, SHA256: hex.EncodeToString(f.hash.Sum(nil))}
}
