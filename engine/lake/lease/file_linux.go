package lease

import (
	"bytes"
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// place moves a draft to path; fs.ErrExist if there is something. File systems that
// cannot tell in one step get a second name for the draft.
func place(draft, path string) error {
	for {
		err := unix.Renameat2(unix.AT_FDCWD, draft, unix.AT_FDCWD, path, unix.RENAME_NOREPLACE)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EINVAL), errors.Is(err, unix.ENOSYS), errors.Is(err, unix.ENOTSUP):
			return link(draft, path)
		default:
			return errors.Join(&os.LinkError{Op: "rename", Old: draft, New: path, Err: err}, os.Remove(draft))
		}
	}
}

// writeDraft is os.WriteFile, which would also ask the system whether the runtime can
// poll the file.
func writeDraft(path string, data []byte) error {
	fd, err := unix.Open(path, unix.O_WRONLY|unix.O_CREAT|unix.O_TRUNC|unix.O_CLOEXEC, 0o666)
	for err == unix.EINTR {
		fd, err = unix.Open(path, unix.O_WRONLY|unix.O_CREAT|unix.O_TRUNC|unix.O_CLOEXEC, 0o666)
	}
	if err != nil {
		return &os.PathError{Op: "open", Path: path, Err: err}
	}
	for len(data) > 0 && (err == nil || err == unix.EINTR) {
		var n int
		n, err = unix.Write(fd, data)
		data = data[max(0, n):]
	}
	if cerr := unix.Close(fd); err == nil && cerr != unix.EINTR {
		err = cerr
	}
	if err != nil {
		return &os.PathError{Op: "write", Path: path, Err: err}
	}
	return nil
}

// begins tells whether a file begins with some text. A file that cannot be read does
// not: who reads it then learns why.
func begins(path string, text []byte) bool {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer func() { _ = unix.Close(fd) }() // nothing was written
	b := make([]byte, len(text))
	n, err := unix.Read(fd, b)
	return err == nil && bytes.Equal(b[:n], text)
}
