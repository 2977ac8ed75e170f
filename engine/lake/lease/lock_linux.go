package lease

import (
	"errors"
	"io/fs"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// lockFile keeps processes, and goroutines of this one, from each other. It stays
// open, since every Release takes it.
type lockFile struct {
	path string
	mu   sync.Mutex
	file *os.File // nil before it is needed
}

// with runs f under the lock.
func (k *lockFile) with(f func() error) (err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	fd, err := k.lock()
	if err != nil {
		return &os.PathError{Op: "lock", Path: k.path, Err: err}
	}
	defer func() {
		if uerr := unix.Flock(fd, unix.LOCK_UN); uerr != nil {
			err = errors.Join(err, &os.PathError{Op: "unlock", Path: k.path, Err: uerr}, k.shut())
		}
	}()
	return f()
}

// lock takes the lock of the file that has the name now: somebody may have removed
// the one that is open.
func (k *lockFile) lock() (fd int, err error) {
	for {
		if k.file == nil {
			k.file, err = os.OpenFile(k.path, os.O_RDWR|os.O_CREATE, 0o666)
			if errors.Is(err, fs.ErrPermission) {
				k.file, err = os.Open(k.path) // another user's: that it can be read is enough
			}
			if err != nil {
				return 0, err
			}
		}
		fd = int(k.file.Fd())
		for err = unix.Flock(fd, unix.LOCK_EX); err == unix.EINTR; {
			err = unix.Flock(fd, unix.LOCK_EX)
		}
		if err == nil && k.current(fd) {
			return fd, nil
		}
		if err == unix.ESTALE {
			err = nil // a network file system's word for a file that was removed
		}
		if err = errors.Join(err, k.shut()); err != nil {
			return 0, err
		}
	}
}

// current tells whether an open file is the one that has the name.
func (k *lockFile) current(fd int) bool {
	var open, named unix.Stat_t
	return unix.Fstat(fd, &open) == nil && unix.Stat(k.path, &named) == nil && open.Ino == named.Ino && open.Dev == named.Dev
}

// close gives the file back until it is needed again.
func (k *lockFile) close() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.shut()
}

func (k *lockFile) shut() error {
	if k.file == nil {
		return nil
	}
	file := k.file
	k.file = nil
	return file.Close()
}
