package lake

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

// filesystem is every step by which a lake changes; tests put one in its place
// that fails or stops at a given step.
type filesystem interface {
	Mkdir(path string) error
	Create(path string) (writableFile, error)
	Rename(from, to string) error
	// Exchange swaps two names atomically; errNoExchange where that cannot be
	// done.
	Exchange(a, b string) error
	RemoveAll(path string) error
	Remove(path string) error // a file or an empty folder
	SyncDir(path string) error
}

// writableFile is a file being written.
type writableFile interface {
	io.WriteCloser
	Sync() error
}

// errNoExchange says that two names cannot be swapped in one step here.
var errNoExchange = errors.New("names cannot be exchanged on this file system")

// osFS is the real one.
type osFS struct{}

func (osFS) Mkdir(path string) error                  { return os.Mkdir(path, 0o777) }
func (osFS) Create(path string) (writableFile, error) { return create(path) }
func (osFS) Rename(from, to string) error             { return rename(from, to) }
func (osFS) Exchange(a, b string) error               { return exchange(a, b) }
func (osFS) RemoveAll(path string) error              { return os.RemoveAll(path) }
func (osFS) Remove(path string) error                 { return os.Remove(path) }
func (osFS) SyncDir(path string) error                { return syncDir(path) }

// mkdirAll makes a folder and its missing parents.
func (l *Lake) mkdirAll(path string) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	parent := filepath.Dir(path)
	if parent != path {
		if err := l.mkdirAll(parent); err != nil {
			return err
		}
	}
	if err := l.fs.Mkdir(path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return l.unsettled(parent)
}

// settleEvery is how long a new name may wait to be made durable. A crash of the
// machine before that costs the partition's work, and never shows a part of it.
const settleEvery = 5 * time.Second

// unsettled notes that names in a folder have changed. Many partitions share a
// folder, and one wait for the disk serves all of them.
func (l *Lake) unsettled(dir string) error {
	l.settleMu.Lock()
	defer l.settleMu.Unlock()
	if l.dirs == nil {
		l.dirs = map[string]bool{}
		l.settled = l.o.Now()
	}
	l.dirs[dir] = true
	if l.o.Now().Sub(l.settled) < settleEvery {
		return nil
	}
	return l.settleNames()
}

// settleNames makes all noted names durable; l.settleMu is locked.
func (l *Lake) settleNames() error {
	l.settled = l.o.Now()
	for _, dir := range slices.Sorted(maps.Keys(l.dirs)) {
		if err := l.fs.SyncDir(dir); err != nil && !absent(err) { // somebody may have removed it since
			return explain(err, "write "+dir, dir)
		}
		delete(l.dirs, dir)
	}
	return nil
}

// smallFiles are files that have been written and not yet made durable.
type smallFiles []writableFile

// small is a small file to be written.
type small struct {
	name string
	data []byte
}

// createAll writes small files into a folder.
func createAll(f filesystem, dir string, files ...small) (smallFiles, error) {
	var out smallFiles
	for _, file := range files {
		w, err := f.Create(filepath.Join(dir, file.name))
		if err != nil {
			return out, err
		}
		out = append(out, w)
		if _, err := w.Write(file.data); err != nil {
			return out, err
		}
	}
	return out, nil
}

// settle makes the files durable and closes them.
func (s smallFiles) settle() error {
	var err error
	for _, w := range s {
		err = errors.Join(err, w.Sync(), w.Close())
	}
	return err
}

// writeFile writes and syncs a small file.
func writeFile(f filesystem, path string, data []byte) error {
	w, err := f.Create(path)
	if err != nil {
		return err
	}
	_, err = w.Write(data)
	if err == nil {
		err = w.Sync()
	}
	return errors.Join(err, w.Close())
}

// explain adds to an error of the file system what was being done and the way
// out of the two that every lake meets.
func explain(err error, doing, path string) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.ENOSPC):
		return fmt.Errorf("%s: the disk of %s is full: free some space and run again; what is published is whole: %w", doing, path, err)
	case errors.Is(err, syscall.EROFS):
		return fmt.Errorf("%s: %s is on a read-only file system: mount it for writing, or choose another lake with --lake: %w", doing, path, err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%s: no permission to write %s: change its owner or mode, or choose another lake with --lake: %w", doing, path, err)
	}
	return fmt.Errorf("%s: %w", doing, err)
}
