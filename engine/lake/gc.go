package lake

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"dag/engine/addr"
)

// LeftoverKind is what a leftover was. The set is closed.
type LeftoverKind string

// The kinds.
const (
	DeadStaging  LeftoverKind = "staging"      // of a run that has ended
	DeadLease    LeftoverKind = "lease"        // of a process that has ended
	LeaseDraft   LeftoverKind = "lease_draft"  // that never became a lease
	StaleIndex   LeftoverKind = "index"        // of a dataset that is not in the configuration
	StaleFanOut  LeftoverKind = "fan_out"      // of a stage that is not in the configuration
	OrphanedData LeftoverKind = "orphan"       // a partition that the configuration has no place for
	ForeignData  LeftoverKind = "foreign_data" // the same, written by another tool: it is never removed
	OldRun       LeftoverKind = "run"          // the record of a run beyond those that are kept, or one that says nothing
)

// Leftover is something that nobody needs.
type Leftover struct {
	Kind   LeftoverKind
	Path   string // relative to the root
	Bytes  int64
	Owner  string // who left it; the partition of an orphan
	Orphan *OrphanFolder

	lease HeldLease
}

// Keep says what gc has to leave alone.
type Keep struct {
	Stages []addr.Stage              // of the configuration
	Knows  func(addr.Partition) bool // partitions that have a place
	Looked func()                    // told of every folder; nil: nobody is
	Runs   int                       // records of so many runs, the newest; 0: all
}

// Leftovers lists what may go, by path: what dead processes have left, records of
// what is not in the configuration, and orphans. What a living process owns is
// never among it.
func (l *Lake) Leftovers(ctx context.Context, k Keep) ([]Leftover, error) {
	if k.Looked == nil {
		k.Looked = func() {}
	}
	var out []Leftover
	for _, find := range []func() ([]Leftover, error){
		l.deadStaging, l.deadLeases, l.staleIndex,
		func() ([]Leftover, error) { return l.staleFanOuts(k.Stages) },
		func() ([]Leftover, error) { return l.oldRuns(k.Runs) },
		func() ([]Leftover, error) { return l.orphans(ctx, k) },
	} {
		found, err := find()
		if err != nil {
			return nil, fmt.Errorf("looking for leftovers: %w", err)
		}
		out = append(out, found...)
	}
	slices.SortFunc(out, func(a, b Leftover) int { return strings.Compare(a.Path, b.Path) })
	return out, nil
}

// names lists a folder of .dag; one that is not there is empty.
func (l *Lake) names(dir string) ([]string, error) {
	entries, err := os.ReadDir(l.path(dir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names, nil
}

func (l *Lake) deadStaging() ([]Leftover, error) {
	names, err := l.names(tmpDir)
	var out []Leftover
	for _, name := range names {
		rel := path.Join(tmpDir, name)
		if whose, dead := l.owner(rel); dead {
			out = append(out, Leftover{Kind: DeadStaging, Path: rel, Bytes: l.bytesBelow(rel), Owner: whose})
		}
	}
	return out, err
}

func (l *Lake) deadLeases() ([]Leftover, error) {
	leases, err := l.Leases()
	var out []Leftover
	for _, h := range leases {
		if !h.Dead {
			continue
		}
		rel := path.Join(leaseDir, h.File)
		x := Leftover{Kind: DeadLease, Path: rel, Bytes: l.bytesBelow(rel), Owner: "an unknown process", lease: h}
		if h.Draft {
			x.Kind = LeaseDraft
		}
		if h.Name != "" {
			x.Owner = h.Owner.String()
		}
		out = append(out, x)
	}
	return out, err
}

func (l *Lake) staleIndex() ([]Leftover, error) {
	names, err := l.names(indexDir)
	var out []Leftover
	for _, name := range names {
		d, perr := addr.ParseDataset(name)
		if perr != nil || l.tables[d] != nil {
			continue // another file, such as the lock
		}
		rel := path.Join(indexDir, name)
		out = append(out, Leftover{Kind: StaleIndex, Path: rel, Bytes: l.bytesBelow(rel), Owner: name})
	}
	return out, err
}

func (l *Lake) staleFanOuts(stages []addr.Stage) ([]Leftover, error) {
	known := map[string]bool{}
	for _, s := range stages {
		known[filepath.Base(l.fanOutPath(s))] = true
	}
	names, err := l.names(fanOutDir)
	var out []Leftover
	for _, name := range names {
		if stem, ok := strings.CutSuffix(name, ".jsonl"); ok && !known[name] {
			rel := path.Join(fanOutDir, name)
			out = append(out, Leftover{Kind: StaleFanOut, Path: rel, Bytes: l.bytesBelow(rel), Owner: stem})
		}
	}
	return out, err
}

func (l *Lake) orphans(ctx context.Context, k Keep) ([]Leftover, error) {
	folders, err := l.Orphans(ctx, k.Knows, k.Looked)
	var out []Leftover
	for _, o := range folders {
		x := Leftover{Kind: OrphanedData, Path: o.Path, Bytes: o.Bytes, Owner: o.Name, Orphan: &o}
		if !o.Own {
			x.Kind = ForeignData
		}
		out = append(out, x)
	}
	return out, err
}

// Remove removes what Leftovers gave, if it still is one.
func (l *Lake) Remove(ctx context.Context, x Leftover, k Keep) error {
	if l.o.NoWrite {
		return errNoWrite
	}
	err := func() error {
		switch x.Kind {
		case DeadStaging:
			return l.removeStaging(ctx, x.Path)
		case DeadLease, LeaseDraft:
			return l.leases.Clear(x.lease.Info)
		case OrphanedData:
			return l.removeOrphan(ctx, x, k)
		case OldRun:
			return l.ForgetRun(path.Base(x.Path))
		case StaleIndex, StaleFanOut:
			return l.fs.RemoveAll(l.path(x.Path))
		}
		return fmt.Errorf("%s was not written by this program and is not removed", x.Path)
	}()
	return explain(err, "remove "+x.Path, l.path(x.Path))
}

// removeStaging removes the staging of a dead run, after undoing what it left
// half-way.
func (l *Lake) removeStaging(ctx context.Context, rel string) error {
	if _, dead := l.owner(rel); !dead {
		return nil
	}
	return l.removeDead(ctx, l.path(rel))
}

// removeOrphan removes what an orphan's manifest stands for, under the lease of the
// partition it was: the marker first and the manifest last, so that what a crash
// leaves is no partition, and still known as ours. Whatever else lies in the folder
// stays, such as the partitions of a path that has grown.
func (l *Lake) removeOrphan(ctx context.Context, x Leftover, k Keep) error {
	if p, err := addr.ParsePartition(x.Owner); err == nil {
		_, release, err := l.hold(ctx, p)
		if err != nil {
			return err
		}
		defer func() { _ = release() }() // a lease that stays behind is taken over
	}
	o, ok := l.orphan(x.Path, k.Knows)
	if !ok || !o.Own {
		return nil // it has a place now
	}
	dir := l.path(x.Path)
	for _, name := range o.files {
		if err := l.fs.Remove(filepath.Join(dir, name)); err != nil && !absent(err) {
			return err
		}
	}
	if err := l.fs.Remove(dir); err != nil && !absent(err) && !errors.Is(err, fs.ErrExist) { // not empty
		return err
	}
	return l.unsettled(filepath.Dir(dir))
}
