//go:build !unix

package lake

import (
	"os"
	"path/filepath"

	"dag/engine/lake/index"
)

// syncDir does nothing: folders cannot be synced here.
func syncDir(string) error { return nil }

// statAt stats a name in an opened folder: its stamp and whether it is a
// folder.
func statAt(dir *os.File, name string) (s index.Stamp, folder bool, err error) {
	return statPath(filepath.Join(dir.Name(), name))
}

// statPath is statAt for a path.
func statPath(path string) (s index.Stamp, folder bool, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return s, false, err
	}
	return stampOf(info), info.IsDir(), nil
}

// stampOf identifies a folder or file; there are no inodes here.
func stampOf(info os.FileInfo) index.Stamp { return index.Stamp{ModTime: info.ModTime().UnixNano()} }

func create(path string) (writableFile, error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	return f, nil
}

func rename(from, to string) error { return os.Rename(from, to) }

func statFile(dir *os.File, name string) (index.Stamp, int64, error) {
	info, err := os.Stat(filepath.Join(dir.Name(), name))
	if err != nil {
		return index.Stamp{}, 0, err
	}
	if !info.Mode().IsRegular() {
		return index.Stamp{}, -1, nil
	}
	return stampOf(info), info.Size(), nil
}
