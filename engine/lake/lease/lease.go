package lease

import (
	"context"
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
	held map[string]*Lease // by name
	stop chan struct{}     // ends the heartbeat; nil while none beats
	done chan struct{}
}

// NewManager makes a Manager; it creates nothing before the first Acquire.
// notice is told of takeovers.
func NewManager(dir string, self func() Owner, now func() time.Time, notice func(string)) *Manager {
	return &Manager{dir: dir, self: self, now: now, notice: notice, held: map[string]*Lease{}}
}

// Lease is the right to write one thing.
type Lease struct {
	m       *Manager
	name    string
	path    string
	taken   time.Time // as of the last try
	written time.Time // the heartbeat in the file; zero before the file is ours. m.mu
}

// record is the file.
type record struct {
	Name  string    `json:"name"`
	Taken time.Time `json:"taken"`
	Owner
}

// errHeld is kept within: somebody has the lease.
var errHeld = errors.New("held")

// retry is the pause between two looks at a held lease.
const retry = 50 * time.Millisecond

// Acquire takes the lease of name, waiting up to wait for its holder; then the
// error is a *Held.
func (m *Manager) Acquire(ctx context.Context, name string, wait time.Duration) (*Lease, error) {
	l := &Lease{m: m, name: name, path: filepath.Join(m.dir, fileOf(name))}
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

// try takes the lease unless a live owner, which may be this process, has it. A
// lease that nobody has is one new file; only one that somebody has, or had, is
// looked at under the lock of all leases.
func (m *Manager) try(l *Lease) (owner Owner, err error) {
	m.mu.Lock()
	if m.held[l.name] != nil {
		m.mu.Unlock()
		return m.self(), errHeld
	}
	m.held[l.name] = l
	m.mu.Unlock()
	self := m.self()
	l.taken = self.Heartbeat
	if err = l.create(self); errors.Is(err, fs.ErrNotExist) {
		if err = os.MkdirAll(m.dir, 0o777); err == nil {
			err = l.create(self)
		}
	}
	if errors.Is(err, fs.ErrExist) {
		err = m.locked(func() error {
			if owner, err = m.blocking(l); err != nil {
				return err
			}
			return l.replace(self)
		})
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if err != nil {
		delete(m.held, l.name)
		return owner, err
	}
	l.written = self.Heartbeat
	if m.stop == nil {
		m.stop, m.done = make(chan struct{}), make(chan struct{})
		go m.beat(m.stop, m.done)
	}
	return owner, nil
}

// blocking returns errHeld and the owner of a lease that is not to be taken over;
// leases are locked.
func (m *Manager) blocking(l *Lease) (Owner, error) {
	old, err := read(l.path)
	switch {
	case err == nil && !old.Dead(m.self(), m.now()):
		return old.Owner, errHeld
	case err == nil:
		m.notice(fmt.Sprintf("took over the lease of %s from %s, which is gone", l.name, old.Owner))
	case !errors.Is(err, fs.ErrNotExist):
		m.notice(fmt.Sprintf("took over the lease of %s, whose file cannot be read: %v", l.name, err))
	}
	return Owner{}, nil
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

// create makes the lease's file, whole from the first moment; the error is
// fs.ErrExist if there is one.
func (l *Lease) create(self Owner) error {
	tmp, err := l.draft(self)
	if err != nil {
		return err
	}
	return place(tmp, l.path)
}

// link gives a draft its name in place of the one it has; fs.ErrExist if there is
// something of that name.
func link(draft, path string) error {
	err := os.Link(draft, path)
	return errors.Join(err, os.Remove(draft))
}

// replace puts a new file in the place of the lease's; the leases are locked.
func (l *Lease) replace(self Owner) error {
	tmp, err := l.draft(self)
	if err != nil {
		return err
	}
	return os.Rename(tmp, l.path)
}

// draft writes the file under a name that no other process uses.
func (l *Lease) draft(self Owner) (string, error) {
	b, err := l.text(self)
	if err != nil {
		return "", err
	}
	// The run tells processes apart, also those of other hosts; the address tells
	// two lakes that one process has opened apart.
	tmp := fmt.Sprintf("%s.%s-%p.tmp", l.path, self.Run, l)
	return tmp, writeDraft(tmp, b)
}

func (l *Lease) text(self Owner) ([]byte, error) {
	b, err := json.Marshal(record{l.name, l.taken, self})
	return append(b, '\n'), err
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

// sure tells that nobody can have taken the lease over: its heartbeat is young.
// m.mu is locked.
func (l *Lease) sure() bool { return l.m.now().Sub(l.written) < Silence/2 }

// Check is nil while the lease is ours. It fails after Release, and if the process
// was silent for so long that another host took it over.
func (l *Lease) Check() error {
	l.m.mu.Lock()
	held, sure := l.m.held[l.name] == l, l.sure()
	l.m.mu.Unlock()
	switch {
	case !held:
		return fmt.Errorf("the lease of %s was given back", l.name)
	case sure:
		return nil
	}
	return l.m.locked(l.mine)
}

// Release gives the lease back; a second Release does nothing.
func (l *Lease) Release() error {
	m := l.m
	m.mu.Lock()
	if m.held[l.name] != l {
		m.mu.Unlock()
		return nil
	}
	sure := l.sure()
	l.written = time.Time{} // no heartbeat any more
	m.mu.Unlock()
	var err error
	if sure {
		if err = os.Remove(l.path); errors.Is(err, fs.ErrNotExist) {
			err = nil // somebody has broken it
		}
	} else {
		err = m.locked(func() error {
			if l.mine() != nil {
				return nil // somebody else's by now
			}
			return os.Remove(l.path)
		})
	}
	m.mu.Lock() // after the file is gone: this process must not make it again before
	delete(m.held, l.name)
	m.mu.Unlock()
	return err
}

// Holds returns the lease of name if this process has it, or nil.
func (m *Manager) Holds(name string) *Lease {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.held[name]
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
		if l.written.IsZero() {
			continue // it is being taken
		}
		self := m.self()
		err := m.locked(func() error {
			if err := l.mine(); err != nil {
				return err
			}
			return l.replace(self)
		})
		if err != nil {
			m.notice(fmt.Sprintf("heartbeat of the lease of %s: %v", l.name, err))
			l.written = l.written.Add(-Silence) // not sure any more
			continue
		}
		l.written = self.Heartbeat
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
