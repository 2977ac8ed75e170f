//go:build unix

package lake

import (
	"os"

	"golang.org/x/sys/unix"
)

// rawFile is a file by its descriptor. An os.File would also ask the system whether
// the runtime can poll it and have the collector watch it, for every small file of
// every partition. Used by one goroutine at a time, and closed once.
type rawFile struct {
	fd   int
	path string
}

func openRaw(path string, flags int) (*rawFile, error) {
	f := &rawFile{path: path}
	return f, f.retry("open", func() (err error) {
		f.fd, err = unix.Open(path, flags|unix.O_CLOEXEC, 0o666)
		return err
	})
}

// retry does a system call again for as long as a signal interrupts it.
func (f *rawFile) retry(op string, call func() error) error {
	for {
		switch err := call(); err {
		case nil:
			return nil
		case unix.EINTR:
		default:
			return &os.PathError{Op: op, Path: f.path, Err: err}
		}
	}
}

// Write appends b; the system may take a part of it at a time.
func (f *rawFile) Write(b []byte) (n int, err error) {
	for n < len(b) && err == nil {
		err = f.retry("write", func() error {
			m, err := unix.Write(f.fd, b[n:])
			n += max(0, m)
			return err
		})
	}
	return n, err
}

// Sync makes the content durable.
func (f *rawFile) Sync() error {
	return f.retry("sync", func() error { return unix.Fsync(f.fd) })
}

// Close is not done again after a signal: the descriptor is gone by then.
func (f *rawFile) Close() error {
	if err := unix.Close(f.fd); err != nil && err != unix.EINTR {
		return &os.PathError{Op: "close", Path: f.path, Err: err}
	}
	return nil
}
