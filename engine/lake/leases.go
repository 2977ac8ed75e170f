package lake

import (
	"errors"
	"fmt"
	"io/fs"
	"time"

	"dag/engine/lake/lease"
)

// HeldLease is one lease as it lies in the lake.
type HeldLease struct {
	lease.Info
	Dead   bool // its owner has ended: the next that needs it takes it over
	Silent bool // it lives as far as is known, but has missed heartbeats by this clock
}

// Leases lists all leases by name. One whose file cannot be read has no name and
// counts as dead.
func (l *Lake) Leases() ([]HeldLease, error) {
	infos, err := lease.List(l.path(leaseDir))
	if err != nil {
		return nil, fmt.Errorf("leases: %w", err)
	}
	out := make([]HeldLease, len(infos))
	for i, info := range infos {
		dead := l.leases.Dead(info)
		out[i] = HeldLease{info, dead, !dead && l.o.Now().Sub(info.Heartbeat) > lease.Silence}
	}
	return out, nil
}

// BreakLease takes a lease away: from a dead owner, or with force from any. It is
// false if there is none of that name; the error is a *LivingError if its owner
// lives and force is not given.
func (l *Lake) BreakLease(name string, force bool) (bool, error) {
	if l.o.NoWrite {
		return false, errNoWrite
	}
	err := l.leases.Break(name, force)
	var held *lease.Held
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case errors.As(err, &held):
		return false, &LivingError{Name: held.Name, Owner: held.Owner, Until: held.Until}
	}
	return err == nil, explain(err, "break the lease of "+name, l.path(leaseDir))
}

// LivingError says that the owner of a lease lives, as far as is known.
type LivingError struct {
	Name  string
	Owner lease.Owner
	Until time.Time // see lease.Held
}

func (e *LivingError) Error() string {
	return fmt.Sprintf("%s is held by %s%s", e.Name, e.Owner, untilGone(e.Until))
}

// untilGone says when an owner counts as gone of which nothing but the heartbeat is
// known; nothing of any other.
func untilGone(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return ". Whether it lives cannot be seen from this machine or container: unless it is heard of again, it counts as gone at " + t.Local().Format(time.TimeOnly)
}
