package lake

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"dag/engine/addr"
	"dag/engine/lake/lease"
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
func (s *Staging) Partition(p addr.Partition) (*Writer, error) { return s.open(p, nil) }

func (s *Staging) open(p addr.Partition, e *extension) (*Writer, error) {
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
	w, err := s.lake.newWriter(p, t, dir, e)
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
