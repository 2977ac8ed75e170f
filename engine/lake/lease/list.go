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
	broken  bool
}

// unreadAge is how old a file that cannot be read must be to be nobody's: a young
// one may just be in the making.
const unreadAge = 10 * time.Minute

// Dead tells whether the owner has surely ended, seen from self. A file that
// cannot be read is of nobody once it has aged.
func (i Info) Dead(self Owner, now time.Time) bool {
	if i.broken {
		return now.Sub(i.ModTime) > unreadAge
	}
	return i.Owner.Dead(self, now)
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
		out = append(out, Info{Name: r.Name, File: e.Name(), Taken: r.Taken, Owner: r.Owner, Draft: draft, ModTime: info.ModTime(), broken: err != nil})
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
	path := filepath.Join(m.dir, fileOf(name))
	if _, err := os.Stat(path); err != nil {
		return err
	}
	return m.locked(func() error {
		old, err := read(path)
		if errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err == nil && !force && !old.Dead(m.self(), m.now()) {
			return &Held{name, old.Owner}
		}
		return os.Remove(path)
	})
}

// Clear removes a file that List gave if its owner is still dead.
func (m *Manager) Clear(i Info) error {
	return m.locked(func() error {
		path := filepath.Join(m.dir, i.File)
		now, err := read(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil && !now.Owner.Dead(m.self(), m.now()) {
			return nil // somebody took it over meanwhile
		}
		return os.Remove(path)
	})
}
