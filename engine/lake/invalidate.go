package lake

import (
	"context"
	"errors"
	"path/filepath"

	"dag/engine/addr"
	"dag/engine/lake/index"
	"dag/engine/manifest"
)

// Invalidate takes the marker off a partition, under its lease: the data stays
// until its unit has run again, and counts as incomplete. It tells whether there
// was a marker to take.
func (l *Lake) Invalidate(ctx context.Context, p addr.Partition) (done bool, err error) {
	if l.o.NoWrite {
		return false, errNoWrite
	}
	_, release, err := l.hold(ctx, p)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, release()) }()
	c, rel, err := l.content(p)
	if err != nil || c.trace.State == manifest.Missing || c.trace.State == manifest.Incomplete {
		return false, err
	}
	dir := l.path(rel)
	if err := l.fs.RemoveAll(filepath.Join(dir, manifest.SuccessName)); err != nil {
		return false, explain(err, "invalidate "+p.String(), dir)
	}
	l.remember(p, manifest.Trace{State: manifest.Incomplete}, index.Stamp{})
	return true, l.unsettled(dir)
}
