package lease

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Info is a lease's file.
type Info struct {
	Name  string // of what is leased; empty if the file cannot be read
	File  string // base name
	Taken time.Time
	Owner
	// Draft tells a file that was to become a lease's, and was left by a process
	// that ended before that.
	Draft   bool
	ModTime time.Time
	unread  error // why Owner is empty
}

// unreadAge is how old a file that names no owner must be to be nobody's: a young
// one may just be in the making.
const unreadAge = 10 * time.Minute

// Dead tells whether the owner has surely ended. A file that names none is nobody's
// once it has aged; of one that this process may not read nothing is known.
func (m *Manager) Dead(i Info) bool {
	if i.unread != nil {
		return errors.Is(i.unread, ErrDamaged) && m.now().Sub(i.ModTime) > unreadAge
	}
	return m.Gone(i.File, i.Owner, i.ModTime)
}

// List lists what lies in a folder of leases, by name and file. A folder that is
// not there holds none.
func List(dir string) ([]Info, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out []Info
	for _, e := range entries {
		draft := strings.HasSuffix(e.Name(), ".tmp")
		if !draft && !strings.HasSuffix(e.Name(), ".json") {
			continue
		}
		path := filepath.Join(dir, e.Name())
		info, err := os.Stat(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue // given back meanwhile
		}
		if err != nil {
			return nil, err
		}
		r, err := read(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		out = append(out, Info{Name: r.Name, File: e.Name(), Taken: r.Taken, Owner: r.Owner, Draft: draft, ModTime: info.ModTime(), unread: err})
	}
	slices.SortFunc(out, func(a, b Info) int {
		if c := strings.Compare(a.Name, b.Name); c != 0 {
			return c
		}
		return strings.Compare(a.File, b.File)
	})
	return out, nil
}

// fileOf is the name of a lease's file.
func fileOf(name string) string {
	h := sha256.Sum256([]byte(name))
	return hex.EncodeToString(h[:16]) + ".json"
}

// Break removes a lease. Unless force is given the error is a *Held if its owner
// may live; it is fs.ErrNotExist if there is no such lease.
func (m *Manager) Break(name string, force bool) error {
	file := fileOf(name)
	path := filepath.Join(m.dir, file)
	if _, err := os.Stat(path); err != nil {
		return err
	}
	return m.locked(func() error {
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		old, err := read(path)
		switch {
		case force, errors.Is(err, ErrDamaged):
		case err != nil:
			return err
		case !m.Gone(file, old.Owner, info.ModTime()):
			return m.holds(name, file, old.Owner)
		}
		return os.Remove(path)
	})
}

// Clear removes a file that List gave if its owner is still dead.
func (m *Manager) Clear(i Info) error {
	return m.locked(func() error {
		path := filepath.Join(m.dir, i.File)
		info, err := os.Stat(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		r, err := read(path)
		i.Owner, i.ModTime, i.unread = r.Owner, info.ModTime(), err
		if !m.Dead(i) {
			return nil // somebody took it over meanwhile
		}
		return os.Remove(path)
	})
}
