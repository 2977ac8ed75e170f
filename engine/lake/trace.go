package lake

import (
	"context"
	"errors"
	"io/fs"

	"dag/engine/addr"
	"dag/engine/lake/index"
	"dag/engine/manifest"
)

// Current is the trace of one partition as its folder is now; the folder is read
// only if the index does not have it.
func (l *Lake) Current(ctx context.Context, p addr.Partition) (manifest.Trace, error) {
	rel, err := l.Folder(p)
	if err != nil {
		return manifest.Trace{}, err
	}
	known := l.indexed(p)
	stamp, _, err := statPath(l.path(rel))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return manifest.Trace{State: manifest.Missing, Day: l.tables[p.Dataset].day(p.Keys)}, nil
	case err == nil && known.Stamp != (index.Stamp{}) && stamp == known.Stamp:
		return known.Trace, nil
	}
	return l.Trace(ctx, p)
}

// Trace reads one partition's folder afresh, without the index.
func (l *Lake) Trace(ctx context.Context, p addr.Partition) (manifest.Trace, error) {
	if err := ctx.Err(); err != nil {
		return manifest.Trace{}, err
	}
	c, _, err := l.content(p)
	if err != nil {
		return manifest.Trace{}, err
	}
	c.trace.Day = l.tables[p.Dataset].day(p.Keys)
	return c.trace, nil
}
