package lease

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// Held is the error of an Acquire that ran out of time, and of a Break without force.
type Held struct {
	Name  string
	Owner Owner
	// Until is when the owner counts as gone if it is not heard of before; zero for
	// a process of this machine, which is known to live.
	Until time.Time
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

	mu    sync.Mutex
	held  map[string]*Lease // by name
	marks map[string]bool   // see Mark
	stop  chan struct{}     // ends the heartbeat; nil while none beats
	done  chan struct{}

	lock lockFile // of all leases

	seenMu sync.Mutex
	seen   map[string]sighting // by what was seen; nil before they are read
}

// NewManager makes a Manager; it creates nothing before the first Acquire.
// notice is told of takeovers.
func NewManager(dir string, self func() Owner, now func() time.Time, notice func(string)) *Manager {
	return &Manager{
		dir: dir, self: self, now: now, notice: notice, held: map[string]*Lease{}, marks: map[string]bool{},
		lock: lockFile{path: filepath.Join(dir, "lock")},
	}
}

// Lease is the right to write one thing.
type Lease struct {
	m     *Manager
	name  string
	path  string
	taken time.Time // as of the last try; with the owner it tells the file from any other
	head  []byte    // the file's text up to the heartbeat
	ours  bool      // the file is ours, and its heartbeat to be kept. m.mu
}

// record is the file.
type record struct {
	Name  string    `json:"name"`
	Taken time.Time `json:"taken"`
	Owner
}

// retry is the pause between two looks at a held lease.
const retry = 50 * time.Millisecond

// Acquire takes the lease of name, waiting up to wait for its holder; then the
// error is a *Held.
func (m *Manager) Acquire(ctx context.Context, name string, wait time.Duration) (*Lease, error) {
	l := &Lease{m: m, name: name, path: filepath.Join(m.dir, fileOf(name))}
	deadline := time.NewTimer(wait)
	defer deadline.Stop()
	for {
		err := m.try(l)
		var held *Held
		switch {
		case err == nil:
			return l, nil
		case !errors.As(err, &held):
			return nil, fmt.Errorf("lease of %s: %w", name, err)
		case wait <= 0:
			return nil, held
		}
		again := time.NewTimer(retry)
		select {
		case <-again.C:
		case <-deadline.C:
			again.Stop()
			return nil, held
		case <-ctx.Done():
			again.Stop()
			return nil, ctx.Err()
		}
	}
}

// try takes the lease; the error is a *Held if a live owner, which may be this
// process, has it. A lease that nobody has is one new file; only one that somebody
// has, or had, is looked at under the lock of all leases.
func (m *Manager) try(l *Lease) error {
	self := m.self()
	m.mu.Lock()
	if m.held[l.name] != nil {
		m.mu.Unlock()
		return &Held{Name: l.name, Owner: self}
	}
	m.held[l.name], l.taken = l, self.Heartbeat
	m.mu.Unlock()
	err := l.take(self)
	m.mu.Lock()
	defer m.mu.Unlock()
	if err != nil {
		delete(m.held, l.name)
		return err
	}
	l.ours = true
	m.startBeat()
	return nil
}

func (l *Lease) take(self Owner) error {
	text, err := l.text(self)
	if err != nil {
		return err
	}
	l.head = text[:bytes.LastIndex(text, []byte(`"heartbeat"`))]
	if err = l.create(text); errors.Is(err, fs.ErrNotExist) {
		if err = os.MkdirAll(l.m.dir, 0o777); err == nil {
			err = l.create(text)
		}
	}
	if errors.Is(err, fs.ErrExist) {
		err = l.m.locked(func() error { return l.takeOver(text) })
	}
	return err
}

// takeOver takes a lease whose file was there; leases are locked. So the file that
// is judged is the one that is replaced: create does not replace any, and all else
// that removes or replaces one takes the lock.
func (l *Lease) takeOver(text []byte) error {
	m, file := l.m, filepath.Base(l.path)
	for {
		info, err := os.Stat(l.path)
		var old record
		if err == nil {
			old, err = read(l.path)
		}
		switch {
		case errors.Is(err, fs.ErrNotExist): // given back meanwhile
			if err = l.create(text); !errors.Is(err, fs.ErrExist) {
				return err
			}
			continue // there is one now, which stays while leases are locked
		case errors.Is(err, ErrDamaged):
			m.notice(fmt.Sprintf("took over the lease of %s, whose file names no owner: %v", l.name, err))
		case err != nil:
			return err
		case !m.Gone(file, old.Owner, info.ModTime()):
			return m.holds(l.name, file, old.Owner)
		default:
			m.notice(fmt.Sprintf("took over the lease of %s from %s, which is gone", l.name, old.Owner))
		}
		return l.replace(text)
	}
}

// holds is the *Held of an owner that may live. Leases are locked.
func (m *Manager) holds(name, file string, o Owner) error {
	until, err := m.watch(Seen{file, o})
	if err != nil {
		return err
	}
	return &Held{Name: name, Owner: o, Until: until}
}

// locked runs f while nobody else looks at leases that are held, or takes one away.
func (m *Manager) locked(f func() error) error {
	return m.lock.with(f)
}

// ErrDamaged is the error of a file that names no owner.
var ErrDamaged = errors.New("it is cut short or damaged")

func read(path string) (record, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return record{}, err
	}
	var r record
	if err := json.Unmarshal(b, &r); err != nil {
		return record{}, fmt.Errorf("%s: %w: %w", path, ErrDamaged, err)
	}
	return r, nil
}

// create makes the lease's file, whole from the first moment; the error is
// fs.ErrExist if there is one.
func (l *Lease) create(text []byte) error {
	tmp := l.draft()
	if err := writeDraft(tmp, text); err != nil {
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
func (l *Lease) replace(text []byte) error { return replaceFile(l.path, l.draft(), text) }

// draft is a name that no other process uses. The run tells processes apart, also
// those of other hosts; the address tells two lakes that one process has opened apart.
func (l *Lease) draft() string { return fmt.Sprintf("%s.%s-%p.tmp", l.path, l.m.self().Run, l) }

// text is the file. Its last field is the only one that changes with a heartbeat.
func (l *Lease) text(self Owner) ([]byte, error) {
	b, err := json.Marshal(record{l.name, l.taken, self})
	return append(b, '\n'), err
}

// mine returns an error that wraps errLost if the file is not ours any more.
func (l *Lease) mine() error {
	if begins(l.path, l.head) {
		return nil // in one look, since every commit asks
	}
	r, err := read(l.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("the lease of %s %w: somebody has taken it away, as `lock break` does; apply again", l.name, errLost)
	case errors.Is(err, ErrDamaged):
		return fmt.Errorf("the lease of %s %w: %w", l.name, errLost, err)
	case err != nil:
		return fmt.Errorf("the lease of %s: %w", l.name, err)
	case !r.Owner.is(l.m.self()) || !r.Taken.Equal(l.taken):
		return fmt.Errorf("the lease of %s %w to %s", l.name, errLost, r.Owner)
	}
	return nil
}

var errLost = errors.New("is lost")

// Check is nil while the lease is ours. It fails after Release, if somebody has
// broken it, and if the process was silent for so long that it was taken over. The
// file is always looked at, which takes no lock: it is only ever replaced as a whole.
func (l *Lease) Check() error {
	l.m.mu.Lock()
	held := l.m.held[l.name] == l && l.ours
	l.m.mu.Unlock()
	if !held {
		return fmt.Errorf("the lease of %s was given back", l.name)
	}
	return l.mine()
}

// Release gives the lease back; a second Release does nothing. What is somebody
// else's by now stays.
func (l *Lease) Release() error {
	m := l.m
	m.mu.Lock()
	if m.held[l.name] != l {
		m.mu.Unlock()
		return nil
	}
	l.ours = false
	m.mu.Unlock()
	err := m.locked(func() error {
		err := l.mine()
		if err == nil {
			err = os.Remove(l.path)
		}
		return err
	})
	if errors.Is(err, errLost) {
		err = nil
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
	if l := m.held[name]; l != nil && l.ours {
		return l
	}
	return nil
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
	return errors.Join(err, m.lock.close())
}
