package lease

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

// Silence is for how long the heartbeat of an owner must be seen to stand still before
// the owner counts as dead, where its process cannot be asked. Beat is how often a
// heartbeat is written.
const (
	Silence = 2 * time.Minute
	Beat    = 15 * time.Second
)

// Mark writes a heartbeat to a file that names this process as the owner of
// something else than a lease, as long as it is there and until Unmark or Close.
func (m *Manager) Mark(file string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.marks[file] = true
	m.startBeat()
}

// Unmark ends what Mark began: the file is not written any more when it returns.
func (m *Manager) Unmark(file string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.marks, file)
}

// startBeat starts the heartbeat unless it beats; m.mu is locked.
func (m *Manager) startBeat() {
	if m.stop == nil {
		m.stop, m.done = make(chan struct{}), make(chan struct{})
		go m.beat(m.stop, m.done)
	}
}

// beat writes heartbeats until stop is closed.
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

// renew writes the heartbeat of every held lease and of what is marked.
func (m *Manager) renew() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, l := range m.held {
		if !l.ours {
			continue // it is being taken, or given back
		}
		err := m.locked(func() error {
			if err := l.mine(); err != nil {
				return err
			}
			text, err := l.text(m.self())
			if err != nil {
				return err
			}
			return l.replace(text)
		})
		if err != nil {
			m.notice(fmt.Sprintf("heartbeat of the lease of %s: %v", l.name, err))
		}
	}
	for file := range m.marks {
		if err := m.mark(file); err != nil {
			m.notice(fmt.Sprintf("heartbeat: %v", err))
		}
	}
}

func (m *Manager) mark(file string) error {
	if _, err := os.Lstat(file); errors.Is(err, fs.ErrNotExist) {
		delete(m.marks, file)
		return fmt.Errorf("%w: somebody has removed it", err)
	}
	b, err := json.Marshal(m.self())
	if err != nil {
		return err
	}
	return replaceFile(file, file+".tmp", append(b, '\n'))
}

// replaceFile puts a file in the place of path, whole from the first moment.
func replaceFile(path, draft string, data []byte) error {
	if err := writeDraft(draft, data); err != nil {
		return err
	}
	return os.Rename(draft, path)
}
