//go:build unix

package lake

import (
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"dag/engine/lake/index"
)

// syncDir makes the names in a folder durable. Some file systems know no such
// thing and say EINVAL.
func syncDir(path string) error {
	d, err := openRaw(path, unix.O_RDONLY)
	if err != nil {
		return err
	}
	err = d.Sync()
	if errors.Is(err, unix.EINVAL) {
		err = nil
	}
	return errors.Join(err, d.Close())
}

// create makes or empties a file.
func create(path string) (writableFile, error) {
	f, err := openRaw(path, unix.O_WRONLY|unix.O_CREAT|unix.O_TRUNC)
	if err != nil {
		return nil, err
	}
	return f, nil
}

// rename moves a file or folder; the folder that it replaces has to be empty.
func rename(from, to string) error {
	for {
		err := unix.Rename(from, to)
		switch {
		case err == nil:
			return nil
		case !errors.Is(err, unix.EINTR):
			return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
		}
	}
}

// statAt stats a name in an opened folder: its stamp and whether it is a
// folder. Symbolic links are followed.
func statAt(dir *os.File, name string) (s index.Stamp, folder bool, err error) {
	if s, folder, err = stat(int(dir.Fd()), name); err != nil {
		return s, false, &os.PathError{Op: "stat", Path: dir.Name() + "/" + name, Err: err}
	}
	return s, folder, nil
}

// statPath is statAt for a path. os.Stat would make a FileInfo, several times for every
// partition.
func statPath(path string) (s index.Stamp, folder bool, err error) {
	if s, folder, err = stat(unix.AT_FDCWD, path); err != nil {
		return s, false, &os.PathError{Op: "stat", Path: path, Err: err}
	}
	return s, folder, nil
}

func stat(dir int, name string) (s index.Stamp, folder bool, err error) {
	var st unix.Stat_t
	err = unix.Fstatat(dir, name, &st, 0)
	for err == unix.EINTR {
		err = unix.Fstatat(dir, name, &st, 0)
	}
	return index.Stamp{Inode: uint64(st.Ino), ModTime: st.Mtim.Nano()}, st.Mode&unix.S_IFMT == unix.S_IFDIR, err
}

// statFile stats a name in an opened folder: its stamp and its size, negative for what
// is no regular file. Symbolic links are followed.
func statFile(dir *os.File, name string) (s index.Stamp, size int64, err error) {
	var st unix.Stat_t
	if err := unix.Fstatat(int(dir.Fd()), name, &st, 0); err != nil {
		return s, 0, &os.PathError{Op: "stat", Path: dir.Name() + "/" + name, Err: err}
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG {
		return s, -1, nil
	}
	return index.Stamp{Inode: uint64(st.Ino), ModTime: st.Mtim.Nano()}, st.Size, nil
}

// stampOf identifies a folder or file.
func stampOf(info os.FileInfo) index.Stamp {
	s := index.Stamp{ModTime: info.ModTime().UnixNano()}
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		s.Inode = uint64(st.Ino)
	}
	return s
}
