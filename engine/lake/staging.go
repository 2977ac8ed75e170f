package lake

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"github.com/apache/arrow/go/v17/arrow"

	"dag/engine/addr"
	"dag/engine/lake/lease"
	"dag/engine/lake/parquet"
	"dag/engine/manifest"
	"dag/engine/stage"
)

// Staging holds the outputs of one unit until Commit publishes them: a folder
// in .dag/tmp, on the lake's own file system. Its methods may be called by
// several goroutines; each Writer belongs to one.
type Staging struct {
	lake *Lake
	dir  string

	mu      sync.Mutex
	writers map[addr.Partition]*Writer
	scratch []*os.File
	gone    bool
}

// ownerName is the file by which Sweep knows whose a staging folder is.
const ownerName = "owner.json"

// stagingOwner is the content of that file.
type stagingOwner struct {
	Unit string `json:"unit"`
	lease.Owner
}

// Begin makes the staging folder of one unit, whose name is for people.
func (l *Lake) Begin(unit string) (*Staging, error) {
	if l.o.NoWrite {
		return nil, errNoWrite
	}
	fail := func(err error) (*Staging, error) { return nil, explain(err, "stage "+unit, l.path(tmpDir)) }
	if err := mkdirAll(l.fs, l.path(tmpDir)); err != nil {
		return fail(err)
	}
	for {
		dir := filepath.Join(l.path(tmpDir), l.o.RunID+"-"+strconv.FormatInt(l.unit.Add(1), 10))
		err := l.fs.Mkdir(dir)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return fail(err)
		}
		s := &Staging{lake: l, dir: dir, writers: map[addr.Partition]*Writer{}}
		b, err := json.MarshalIndent(stagingOwner{unit, l.self()}, "", "  ")
		if err == nil {
			err = writeFile(l.fs, filepath.Join(dir, ownerName), append(b, '\n'))
		}
		if err != nil {
			_ = s.Discard() // the error before matters; Sweep takes what is left
			return fail(err)
		}
		return s, nil
	}
}

// Scratch opens a new temporary file, which goes with the staging folder.
func (s *Staging) Scratch() (stage.ScratchFile, error) {
	f, err := os.CreateTemp(s.dir, "scratch-*")
	if err != nil {
		return nil, explain(err, "scratch file", s.dir)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.scratch = append(s.scratch, f)
	return f, nil
}

// Partition opens the writer of an output partition, once for each.
func (s *Staging) Partition(p addr.Partition) (*Writer, error) {
	t, err := s.lake.table(p.Dataset, false)
	if err != nil {
		return nil, err
	}
	if _, err := t.folder(p.Keys); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone {
		return nil, fmt.Errorf("%s: its unit has been committed or discarded", p)
	}
	if s.writers[p] != nil {
		return nil, fmt.Errorf("%s is opened twice by one unit", p)
	}
	dir := filepath.Join(s.dir, strconv.Itoa(len(s.writers)))
	w, err := s.lake.newWriter(p, t, dir)
	if err != nil {
		return nil, explain(err, "write "+p.String(), dir)
	}
	s.writers[p] = w
	return w, nil
}

// Discard removes the staging folder. After Commit, and a second time, it does
// nothing.
func (s *Staging) Discard() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone {
		return nil
	}
	s.gone = true
	for _, f := range s.scratch {
		_ = f.Close() // closed already, mostly
	}
	for _, w := range s.writers {
		w.abandon()
	}
	return explain(s.lake.fs.RemoveAll(s.dir), "discard", s.dir)
}

// Writer takes the rows of one output partition; it is a stage.Writer. After
// an error nothing more is written, and the same error comes again.
type Writer struct {
	lake   *Lake
	p      addr.Partition
	table  *table
	dir    string
	file   writableFile
	hash   hash.Hash
	pq     *parquet.Writer
	order  *sortCheck
	err    error
	closed bool
}

func (l *Lake) newWriter(p addr.Partition, t *table, dir string) (*Writer, error) {
	order, err := newSortCheck(t)
	if err != nil {
		return nil, err
	}
	if err := l.fs.Mkdir(dir); err != nil {
		return nil, err
	}
	f, err := l.fs.Create(filepath.Join(dir, manifest.DataName))
	if err != nil {
		return nil, err
	}
	w := &Writer{lake: l, p: p, table: t, dir: dir, file: f, hash: sha256.New(), order: order}
	if w.pq, err = parquet.NewWriter(hashingWriter{w}, t.Contract.Schema, l.o.Workers); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return w, nil
}

// hashingWriter hashes what goes into the file.
type hashingWriter struct{ w *Writer }

func (h hashingWriter) Write(b []byte) (int, error) {
	n, err := h.w.file.Write(b)
	h.w.hash.Write(b[:n])
	return n, err
}

// Write appends a batch. It fails, naming every difference, if the batch is
// not what the contract says, and if its rows are not in the declared order.
func (w *Writer) Write(rec arrow.Record) error {
	if w.err != nil {
		return w.err
	}
	if w.closed {
		return fmt.Errorf("%s: its writer is closed", w.p)
	}
	if err := w.table.Contract.Check(rec); err != nil {
		w.err = fmt.Errorf("%s: %w", w.p, err)
		return w.err
	}
	if err := w.order.check(rec, w.pq.Rows()); err != nil {
		w.err = fmt.Errorf("%s: %w", w.p, err)
		return w.err
	}
	if err := w.pq.Write(rec); err != nil {
		w.err = explain(err, "write "+w.p.String(), w.dir)
	}
	return w.err
}

// Rows is the number of rows written so far.
func (w *Writer) Rows() int64 { return w.pq.Rows() }

// Bytes is the size of the data file so far; complete after Close.
func (w *Writer) Bytes() int64 { return w.pq.Bytes() }

// Close ends the data file and makes it durable. Closing again does nothing.
func (w *Writer) Close() error {
	if w.closed {
		return w.err
	}
	w.closed = true
	w.order.release()
	if w.err == nil {
		err := w.pq.Close()
		if err == nil {
			err = w.file.Sync()
		}
		w.err = explain(err, "write "+w.p.String(), w.dir)
	}
	if err := w.file.Close(); err != nil && w.err == nil {
		w.err = explain(err, "write "+w.p.String(), w.dir)
	}
	return w.err
}

// abandon closes the file without ending it.
func (w *Writer) abandon() {
	if !w.closed {
		w.closed = true
		w.order.release()
		_ = w.file.Close() // its content is of no use
	}
}

// data describes the closed data file.
func (w *Writer) data() manifest.File {
	return manifest.File{Name: manifest.DataName, Bytes: w.pq.Bytes(), SHA256: hex.EncodeToString(w.hash.Sum(nil))}
}
