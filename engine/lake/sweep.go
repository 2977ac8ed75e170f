package lake

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"dag/engine/addr"
	"dag/engine/lake/lease"
)

// unownedAge is how old a folder without a readable owner must be to count as left
// over: a young one may just be in the making.
const unownedAge = 10 * time.Minute

// Sweep removes what dead runs have left in .dag/tmp, after undoing
// replacements that stopped half-way, and tells Notice. What belongs to a
// living process stays. What processes hold whose heartbeat alone says whether they
// live is noted, so that it can be told later.
func (l *Lake) Sweep(ctx context.Context) error {
	if l.o.NoWrite {
		return nil
	}
	return errors.Join(l.Watch(), l.sweep(ctx))
}

// Watch notes the heartbeats of processes that cannot be asked whether they live, of
// other machines and containers: those that are the same after lease.Silence are of
// processes that have ended.
func (l *Lake) Watch() error {
	if l.o.NoWrite {
		return errNoWrite
	}
	staged, err := l.names(tmpDir)
	runs, rerr := l.Runs()
	var seen []lease.Seen
	note := func(rel string) {
		if o, err := lease.ReadOwner(filepath.Join(l.path(rel), ownerName)); err == nil {
			seen = append(seen, lease.Seen{What: rel, Owner: o})
		}
	}
	for _, name := range staged {
		note(path.Join(tmpDir, name))
	}
	for _, r := range runs {
		if !r.HasResults() {
			note(r.folder())
		}
	}
	return explain(errors.Join(err, rerr, l.leases.Watch(seen)), "see which processes live", l.path(leaseDir))
}

func (l *Lake) sweep(ctx context.Context) error {
	entries, err := os.ReadDir(l.path(tmpDir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	var errs []error
	for _, e := range entries {
		if err := ctx.Err(); err != nil {
			return err
		}
		dir := filepath.Join(l.path(tmpDir), e.Name())
		whose, dead := l.owner(path.Join(tmpDir, e.Name()))
		if !dead {
			continue
		}
		if err := l.removeDead(ctx, dir); err != nil {
			errs = append(errs, explain(err, "sweep", dir))
			continue
		}
		l.o.Notice(fmt.Sprintf("removed %s/%s, left by %s", tmpDir, e.Name(), whose))
	}
	return errors.Join(errs...)
}

// goneMark stands in the name of staging that is being removed, before who does it.
const goneMark = ".gone-"

// removeDead undoes what a dead run's staging folder left half-way, and removes it.
// First it takes the name away: an owner that was only silent, and comes back, then
// fails to publish, instead of publishing what is being removed.
func (l *Lake) removeDead(ctx context.Context, dir string) error {
	name, _, _ := strings.Cut(filepath.Base(dir), goneMark)
	gone := filepath.Join(filepath.Dir(dir), name+goneMark+l.o.RunID)
	if gone != dir {
		if err := l.fs.Rename(dir, gone); err != nil {
			if absent(err) {
				return nil // somebody else removes it
			}
			return err
		}
	}
	if err := l.heal(ctx, gone); err != nil {
		return err
	}
	return l.fs.RemoveAll(gone)
}

// owner tells whose a folder of a run is, by its path relative to the root, and
// whether nobody will use it again.
func (l *Lake) owner(rel string) (whose string, dead bool) {
	dir := l.path(rel)
	info, err := os.Stat(dir)
	if err != nil {
		return "", false // gone
	}
	o, err := lease.ReadOwner(filepath.Join(dir, ownerName))
	switch {
	case err == nil:
		return o.String(), l.leases.Gone(rel, o, info.ModTime())
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, lease.ErrDamaged):
		return "an unknown process", l.o.Now().Sub(info.ModTime()) > unownedAge
	}
	return "", false // it is not for us to read, or the disk is in trouble
}

// heal puts folders back that swap had moved aside when it stopped.
func (l *Lake) heal(ctx context.Context, dir string) error {
	units, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, u := range units {
		unit := filepath.Join(dir, u.Name())
		files, err := os.ReadDir(unit)
		if err != nil && !absent(err) {
			return err
		}
		for _, f := range files {
			if ok, err := path.Match(swapName("*"), f.Name()); !ok || err != nil {
				continue
			}
			if err := l.healOne(ctx, unit, f.Name()); err != nil {
				return err
			}
		}
	}
	return nil
}

// healOne reads the record of a replacement and undoes what it says.
func (l *Lake) healOne(ctx context.Context, unit, record string) error {
	b, err := os.ReadFile(filepath.Join(unit, record))
	if err != nil {
		return err
	}
	var r swapRecord
	if json.Unmarshal(b, &r) != nil {
		return nil // cut short: nothing was moved yet
	}
	return l.putBack(ctx, unit, r)
}

func (l *Lake) putBack(ctx context.Context, dir string, r swapRecord) error {
	if !fs.ValidPath(r.Target) || !fs.ValidPath(r.Old) || strings.Contains(r.Old, "/") {
		return fmt.Errorf("%s: its record of a replacement names %q and %q, which are not in the lake", dir, r.Target, r.Old)
	}
	old, target := filepath.Join(dir, r.Old), l.path(r.Target)
	if _, err := os.Lstat(old); absent(err) {
		return nil // not moved aside yet
	}
	p, err := addr.ParsePartition(r.Partition)
	if err != nil {
		return err
	}
	_, release, err := l.hold(ctx, p)
	if err != nil {
		return err
	}
	if _, err = os.Lstat(target); absent(err) {
		err = l.fs.Rename(old, target)
		if err == nil {
			err = l.fs.SyncDir(filepath.Dir(target))
		}
		l.o.Notice(fmt.Sprintf("put %s back, whose replacement was interrupted", path.Clean(r.Target)))
	}
	return errors.Join(err, release())
}
