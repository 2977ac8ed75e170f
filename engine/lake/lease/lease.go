package lease

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/gofrs/flock"
)

// Held is the error of an Acquire that ran out of time.
type Held struct {
	Name  string
	Owner Owner
}

func (h *Held) Error() string {
	return fmt.Sprintf("%s is being written by %s", h.Name, h.Owner)
}

// Manager takes leases in one folder for one process. Safe for concurrent use.
type Manager struct {
	dir    string
	self   func() Owner // with the present time as heartbeat
	now    func() time.Time
	notice func(string)

	mu   sync.Mutex
	held map[string]*Lease
	stop chan struct{} // ends the heartbeat; nil while none beats
	done chan struct{}
}

// NewManager makes a Manager; it creates nothing before the first Acquire.
// notice is told of takeovers.
func NewManager(dir string, self func() Owner, now func() time.Time, notice func(string)) *Manager {
	return &Manager{dir: dir, self: self, now: now, notice: notice, held: map[string]*Lease{}}
}

// Lease is the right to write one thing.
type Lease struct {
	m    *Manager
	name string
	path string
}

// record is the file.
type record struct {
	Name string `json:"name"`
	Owner
}

// errHeld is kept within: somebody has the lease.
var errHeld = errors.New("held")

// retry is the pause between two looks at a held lease.
const retry = 50 * time.Millisecond

// Acquire takes the lease of name, waiting up to wait for its holder; then the
// error is a *Held.
func (m *Manager) Acquire(ctx context.Context, name string, wait time.Duration) (*Lease, error) {
	if err := os.MkdirAll(m.dir, 0o777); err != nil {
		return nil, fmt.Errorf("lease of %s: %w", name, err)
	}
	h := sha256.Sum256([]byte(name))
	l := &Lease{m: m, name: name, path: filepath.Join(m.dir, hex.EncodeToString(h[:16])+".json")}
	deadline := time.NewTimer(wait)
	defer deadline.Stop()
	for {
		owner, err := m.try(l)
		if err == nil {
			return l, nil
		}
		if !errors.Is(err, errHeld) {
			return nil, fmt.Errorf("lease of %s: %w", name, err)
		}
		if wait <= 0 {
			return nil, &Held{name, owner}
		}
		again := time.NewTimer(retry)
		select {
		case <-again.C:
		case <-deadline.C:
			again.Stop()
			return nil, &Held{name, owner}
		case <-ctx.Done():
			again.Stop()
			return nil, ctx.Err()
		}
	}
}

// try takes the lease unless a live owner, which may be this process, has it.
func (m *Manager) try(l *Lease) (Owner, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.held[l.path] != nil {
		return m.self(), errHeld
	}
	var owner Owner
	err := m.locked(func() error {
		old, err := read(l.path)
		switch {
		case err == nil && !old.Dead(m.self(), m.now()):
			owner = old.Owner
			return errHeld
		case err == nil:
			m.notice(fmt.Sprintf("took over the lease of %s from %s, which is gone", l.name, old.Owner))
		case !errors.Is(err, fs.ErrNotExist):
			m.notice(fmt.Sprintf("took over the lease of %s, whose file cannot be read: %v", l.name, err))
		}
		return l.write()
	})
	if err != nil {
		return owner, err
	}
	m.held[l.path] = l
	if m.stop == nil {
		m.stop, m.done = make(chan struct{}), make(chan struct{})
		go m.beat(m.stop, m.done)
	}
	return owner, nil
}

// locked runs f while no other process looks at or changes leases.
func (m *Manager) locked(f func() error) (err error) {
	lock := flock.New(filepath.Join(m.dir, "lock"))
	if err := lock.Lock(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	return f()
}

func read(path string) (record, error) {
	var r record
	b, err := os.ReadFile(path)
	if err != nil {
		return r, err
	}
	return r, json.Unmarshal(b, &r)
}

// write replaces the lease's file; the leases are locked.
func (l *Lease) write() error {
	b, err := json.MarshalIndent(record{l.name, l.m.self()}, "", "  ")
	if err != nil {
		return err
	}
	tmp := l.path + ".tmp"
	if err := os.WriteFile(tmp, append(b, '\n'), 0o666); err != nil {
		return err
	}
	return os.Rename(tmp, l.path)
}

// mine tells whether the file still names this process; leases are locked.
func (l *Lease) mine() error {
	r, err := read(l.path)
	if err != nil {
		return fmt.Errorf("the lease of %s is lost: %w", l.name, err)
	}
	if s := l.m.self(); r.PID != s.PID || r.Host != s.Host || r.Boot != s.Boot || r.Started != s.Started || r.Run != s.Run {
		return fmt.Errorf("the lease of %s is lost to %s", l.name, r.Owner)
	}
	return nil
}

// renew writes a new heartbeat into a lease that is still ours.
func (l *Lease) renew() error {
	if err := l.mine(); err != nil {
		return err
	}
	return l.write()
}

// Check is nil while the lease is ours. It fails if the process was silent for
// so long that another host took it over.
func (l *Lease) Check() error { return l.m.locked(l.mine) }

// Release gives the lease back; a second Release does nothing.
func (l *Lease) Release() error {
	m := l.m
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.held[l.path] != l {
		return nil
	}
	delete(m.held, l.path)
	return m.locked(func() error {
		if l.mine() != nil {
			return nil // somebody else's by now
		}
		return os.Remove(l.path)
	})
}

// Holds returns the lease of name if this process has it, or nil.
func (m *Manager) Holds(name string) *Lease {
	h := sha256.Sum256([]byte(name))
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.held[filepath.Join(m.dir, hex.EncodeToString(h[:16])+".json")]
}

// beat writes the heartbeat of every held lease until stop is closed.
func (m *Manager) beat(stop, done chan struct{}) {
	defer close(done)
	t := time.NewTicker(Beat)
	defer t.Stop()
	for {
		select {
		case <-stop:
			return
		case <-t.C:
			m.renew()
		}
	}
}

func (m *Manager) renew() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, l := range m.held {
		if err := m.locked(l.renew); err != nil {
			m.notice(fmt.Sprintf("heartbeat of the lease of %s: %v", l.name, err))
		}
	}
}

// Close gives back what is held and ends the heartbeat.
func (m *Manager) Close() error {
	m.mu.Lock()
	held := make([]*Lease, 0, len(m.held))
	for _, l := range m.held {
		held = append(held, l)
	}
	stop, done := m.stop, m.done
	m.stop, m.done = nil, nil
	m.mu.Unlock()
	var err error
	for _, l := range held {
		err = errors.Join(err, l.Release())
	}
	if stop != nil {
		close(stop)
		<-done
	}
	return err
}
