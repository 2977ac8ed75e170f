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
	"dag/engine/stage"
)

// Staging holds the outputs of one unit until Commit publishes them, each in a
// folder beside the others' in the run's own folder in .dag/tmp, on the lake's
// own file system. Its methods may be called by several goroutines; each Writer
// belongs to one.
type Staging struct {
	lake *Lake
	dir  string // RUN/N: for what is no output, made when it is needed; outputs are RUN/N.K

	mu      sync.Mutex
	made    bool // dir is there
	writers map[addr.Partition]*Writer
	scratch []*os.File
	gone    bool
	kept    bool // Discard leaves what is staged: Sweep needs it
}

// ownerName is the file by which Sweep knows whose a staging folder is.
const ownerName = "owner.json"

// Begin starts the staging of one unit.
func (l *Lake) Begin() (*Staging, error) {
	if l.o.NoWrite {
		return nil, errNoWrite
	}
	run, err := l.runFolder()
	if err != nil {
		return nil, explain(err, "staging", l.path(tmpDir))
	}
	dir := filepath.Join(run, strconv.FormatInt(l.unit.Add(1), 10))
	return &Staging{lake: l, dir: dir, writers: map[addr.Partition]*Writer{}}, nil
}

// runFolder makes the folder of everything this Lake stages, once.
func (l *Lake) runFolder() (string, error) {
	l.runMu.Lock()
	defer l.runMu.Unlock()
	if l.run != "" {
		return l.run, nil
	}
	if err := l.mkdirAll(l.path(tmpDir)); err != nil {
		return "", err
	}
	dir := filepath.Join(l.path(tmpDir), l.o.RunID)
	err := l.fs.Mkdir(dir)
	for n := 2; errors.Is(err, fs.ErrExist); n++ {
		dir = filepath.Join(l.path(tmpDir), l.o.RunID+"-"+strconv.Itoa(n))
		err = l.fs.Mkdir(dir)
	}
	if err != nil {
		return "", err
	}
	b, err := json.MarshalIndent(l.self(), "", "  ")
	if err == nil {
		err = writeFile(l.fs, filepath.Join(dir, ownerName), append(b, '\n'))
	}
	if err != nil {
		return "", errors.Join(err, l.fs.RemoveAll(dir))
	}
	l.run = dir
	l.leases.Mark(filepath.Join(dir, ownerName))
	return dir, nil
}

// leaveRun removes the folder of what was staged.
func (l *Lake) leaveRun() error {
	l.runMu.Lock()
	defer l.runMu.Unlock()
	if l.run == "" {
		return nil
	}
	dir := l.run
	l.run = ""
	l.leases.Unmark(filepath.Join(dir, ownerName))
	if l.keepRun {
		return nil
	}
	return explain(l.fs.RemoveAll(dir), "discard", dir)
}

// folder makes the place for what is no output; s.mu is locked.
func (s *Staging) folder() error {
	if s.made {
		return nil
	}
	err := s.lake.fs.Mkdir(s.dir)
	s.made = err == nil
	return err
}

// Scratch opens a new temporary file, which goes with the staging.
func (s *Staging) Scratch() (stage.ScratchFile, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.folder(); err != nil {
		return nil, explain(err, "scratch file", s.dir)
	}
	f, err := os.CreateTemp(s.dir, "scratch-*")
	if err != nil {
		return nil, explain(err, "scratch file", s.dir)
	}
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
	rel, err := t.folder(p.Keys)
	if err != nil {
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
	dir := s.dir + "." + strconv.Itoa(len(s.writers))
	w, err := s.lake.newWriter(p, t, dir, e)
	if err != nil {
		return nil, explain(err, "write "+p.String(), dir)
	}
	w.rel = rel
	s.writers[p] = w
	return w, nil
}

// keep leaves what is staged to Sweep.
func (s *Staging) keep() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.kept = true
	s.lake.runMu.Lock()
	defer s.lake.runMu.Unlock()
	s.lake.keepRun = true
}

// Discard removes what is staged, and what was replaced. After Commit, and a
// second time, it does nothing.
func (s *Staging) Discard() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone {
		return nil
	}
	s.gone = true
	var err error
	for _, f := range s.scratch {
		_ = f.Close() // closed already, mostly
	}
	for _, w := range s.writers {
		w.abandon()
		if !w.moved && !s.kept {
			err = errors.Join(err, explain(s.lake.fs.RemoveAll(w.dir), "discard", w.dir))
		}
	}
	if s.made && !s.kept {
		err = errors.Join(err, explain(s.lake.fs.RemoveAll(s.dir), "discard", s.dir))
	}
	return err
}
