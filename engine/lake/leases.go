package lake

import (
	"errors"
	"fmt"
	"io/fs"

	"dag/engine/lake/lease"
)

// HeldLease is one lease as it lies in the lake.
type HeldLease struct {
	lease.Info
	Dead bool // its owner has ended: the next that needs it takes it over
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
		out[i] = HeldLease{info, info.Dead(l.self(), l.o.Now())}
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
		return false, &LivingError{Name: held.Name, Owner: held.Owner}
	}
	return err == nil, explain(err, "break the lease of "+name, l.path(leaseDir))
}

// LivingError says that the owner of a lease lives.
type LivingError struct {
	Name  string
	Owner lease.Owner
}

func (e *LivingError) Error() string { return fmt.Sprintf("%s is held by %s", e.Name, e.Owner) }
