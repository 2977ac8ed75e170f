package lease

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// seenName is the file of sightings, in the folder of leases.
const seenName = "seen"

// anyClock is more than the clocks of machines that share a lake differ by, and longer
// than anybody waits.
const anyClock = time.Hour

// Seen is an owner as a file names it.
type Seen struct {
	What  string // which file, in a way that every process has in common
	Owner Owner
}

// sighting is since when an owner is seen with the same heartbeat. They are kept in a
// file, so that a process that waits for less than Silence spares the next one that
// time.
type sighting struct {
	What  string    `json:"what"`
	Clock string    `json:"clock"` // whose time Since is
	Since time.Time `json:"since"`
	Owner
}

// clock names the clock of a process: all on one machine have the same.
func clock(o Owner) string {
	boot, _, _ := strings.Cut(o.Boot, " ")
	return cmp.Or(boot, o.Host)
}

// Gone tells whether an owner has surely ended, and reads only. The process table
// decides if it is the one of this process. Otherwise the owner's heartbeat must stand
// still over Silence of this machine's time, from when watch saw it first: its age
// would mean nothing, for the two clocks may differ. Only where the owner's clock and
// that of changed, the time of its file, agree that it is an hour old, that is enough.
func (m *Manager) Gone(what string, o Owner, changed time.Time) bool {
	self, now := m.self(), m.now()
	if o.here(self) {
		return o.ended()
	}
	if now.Sub(o.Heartbeat) > anyClock && now.Sub(changed) > anyClock {
		return true
	}
	m.seenMu.Lock()
	defer m.seenMu.Unlock()
	if m.seen == nil {
		m.adopt(m.sightings()) // what cannot be read is watched anew
	}
	s, ok := m.seen[what]
	return ok && s.Owner.same(o) && now.Sub(s.Since) >= Silence
}

// Watch notes the heartbeats of the owners of all leases and of others, for Gone.
func (m *Manager) Watch(others []Seen) error {
	leases, err := List(m.dir)
	if err != nil {
		return err
	}
	for _, i := range leases {
		if i.unread == nil {
			others = append(others, Seen{i.File, i.Owner})
		}
	}
	self := m.self()
	if !slices.ContainsFunc(others, func(s Seen) bool { return !s.Owner.here(self) }) {
		return nil
	}
	if err := os.MkdirAll(m.dir, 0o777); err != nil {
		return err
	}
	return m.locked(func() error {
		_, err := m.watch(others...)
		return err
	})
}

// watch notes heartbeats that are not of this process table. It returns when all of
// their owners are gone if they stay silent; zero if there are none. Leases are locked.
func (m *Manager) watch(list ...Seen) (until time.Time, err error) {
	m.seenMu.Lock()
	defer m.seenMu.Unlock()
	self, now := m.self(), m.now()
	list = slices.DeleteFunc(slices.Clone(list), func(s Seen) bool { return s.Owner.here(self) })
	fresh := func(s Seen) bool {
		old, ok := m.seen[s.What]
		return !ok || !old.Owner.same(s.Owner) || old.Since.After(now) // the clock was set back
	}
	if slices.ContainsFunc(list, fresh) {
		all := m.sightings()
		m.adopt(all)
		for _, s := range list {
			if fresh(s) {
				m.seen[s.What] = sighting{s.What, clock(self), now, s.Owner}
			}
		}
		err = m.save(all)
	}
	for _, s := range list {
		if t := m.seen[s.What].Since.Add(Silence); t.After(until) {
			until = t
		}
	}
	return until, err
}

// sightings reads the file. What is not there or damaged reads as empty: it costs
// the time to watch again.
func (m *Manager) sightings() (list []sighting) {
	if b, err := os.ReadFile(filepath.Join(m.dir, seenName)); err != nil || json.Unmarshal(b, &list) != nil {
		return nil
	}
	return list
}

// adopt takes over what processes with the same clock have noted. m.seenMu is locked.
func (m *Manager) adopt(list []sighting) {
	if m.seen == nil {
		m.seen = map[string]sighting{}
	}
	mine := clock(m.self())
	for _, s := range list {
		if old, ok := m.seen[s.What]; s.Clock == mine && !(ok && old.Owner.same(s.Owner)) {
			m.seen[s.What] = s
		}
	}
}

// save writes what this process knows beside what those of other clocks have noted in
// list. Leases are locked, and m.seenMu.
func (m *Manager) save(list []sighting) error {
	self, now := m.self(), m.now()
	mine := clock(self)
	list = slices.DeleteFunc(list, func(s sighting) bool { return s.Clock == mine })
	list = slices.AppendSeq(list, maps.Values(m.seen))
	list = slices.DeleteFunc(list, func(s sighting) bool { return now.Sub(s.Since).Abs() > anyClock })
	slices.SortFunc(list, func(a, b sighting) int { return cmp.Or(cmp.Compare(a.What, b.What), cmp.Compare(a.Clock, b.Clock)) })
	b, err := json.MarshalIndent(list, "", "  ")
	if err != nil {
		return err
	}
	path := filepath.Join(m.dir, seenName)
	return replaceFile(path, fmt.Sprintf("%s.%s-%p.tmp", path, self.Run, m), append(b, '\n'))
}
