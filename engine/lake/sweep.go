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

// How old a staging folder must be to count as left over where its owner
// cannot be asked: one without a readable owner may just be in the making; one of
// another host may belong to a long run.
const (
	unownedAge = 10 * time.Minute
	foreignAge = 24 * time.Hour
)

// Sweep removes what dead runs have left in .dag/tmp, after undoing
// replacements that stopped half-way, and tells Notice. What belongs to a
// living process stays.
func (l *Lake) Sweep(ctx context.Context) error {
	if l.o.NoWrite {
		return nil
	}
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
		whose, dead := l.owner(dir)
		if !dead {
			continue
		}
		err := l.heal(ctx, dir)
		if err == nil {
			err = l.fs.RemoveAll(dir)
		}
		if err != nil {
			errs = append(errs, explain(err, "sweep", dir))
			continue
		}
		l.o.Notice(fmt.Sprintf("removed %s/%s, left by %s", tmpDir, e.Name(), whose))
	}
	return errors.Join(errs...)
}

// owner tells whose a staging folder is and whether nobody will use it again.
func (l *Lake) owner(dir string) (string, bool) {
	var o lease.Owner
	b, err := os.ReadFile(filepath.Join(dir, ownerName))
	if err == nil {
		err = json.Unmarshal(b, &o)
	}
	now, self := l.o.Now(), l.self()
	info, serr := os.Stat(dir)
	if serr != nil {
		return "", false // gone
	}
	if err != nil {
		return "an unknown process", now.Sub(info.ModTime()) > unownedAge
	}
	if o.Host != self.Host { // a run that goes on stages one unit after the other
		return o.String(), now.Sub(o.Heartbeat) > foreignAge && now.Sub(info.ModTime()) > foreignAge
	}
	return o.String(), o.Dead(self, now)
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
