//go:build !linux

package lease

import (
	"errors"
	"sync"

	"github.com/gofrs/flock"
)

// lockFile keeps processes, and goroutines of this one, from each other.
type lockFile struct {
	path string
	mu   sync.Mutex
}

// with runs f under the lock.
func (k *lockFile) with(f func() error) (err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	lock := flock.New(k.path, flock.SetPermissions(0o666)) // less the umask, as the leases
	if err := lock.Lock(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	return f()
}

func (k *lockFile) close() error { return nil }
