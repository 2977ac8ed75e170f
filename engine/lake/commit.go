package lake

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"

	"dag/engine/addr"
	"dag/engine/lake/index"
	"dag/engine/lake/lease"
	"dag/engine/manifest"
)

// Output is one partition to publish. Of the manifest, Commit fills in Format,
// FormatVersion, Dataset, Keys, Files, Digest and RowCount; the rest is the
// caller's.
type Output struct {
	Partition addr.Partition
	Manifest  *manifest.Manifest
}

// Committed says what became of an Output.
type Committed struct {
	Partition addr.Partition
	Digest    manifest.Sum // of the content
	Rows      int64
	Bytes     int64
	Unchanged bool // the content is what it was before
}

// Commit publishes the outputs, in the order of their addresses: first all are
// made complete in staging, then each replaces its predecessor in one step,
// under its lease. Leases this process does not hold yet are taken for the
// time of Commit. An output that was never opened is written empty; one
// whose content and fingerprint are those of its predecessor is left alone.
//
// On an error what is returned has been published, the rest is as it was.
// The staging folder is removed, with the predecessors in it.
func (s *Staging) Commit(ctx context.Context, outputs []Output) (done []Committed, err error) {
	defer func() { err = errors.Join(err, s.Discard()) }()
	outputs = slices.Clone(outputs)
	slices.SortFunc(outputs, func(a, b Output) int { return a.Partition.Compare(b.Partition) })
	staged := make([]*staged, len(outputs))
	for i, o := range outputs {
		if staged[i], err = s.complete(o, i); err != nil {
			return nil, err
		}
	}
	leases := make([]*lease.Lease, len(staged))
	for i, o := range staged {
		held, release, herr := s.lake.hold(ctx, o.p)
		if herr != nil {
			return nil, herr
		}
		leases[i] = held
		defer func() { err = errors.Join(err, release()) }()
	}
	for i, o := range staged {
		if err := ctx.Err(); err != nil {
			return done, err
		}
		c, perr := s.publish(ctx, o, leases[i])
		if perr != nil {
			return done, explain(perr, "publish "+o.p.String(), o.target)
		}
		done = append(done, c)
	}
	return done, nil
}

// hold takes the lease of p unless this process has it; the function gives
// back what was taken.
func (l *Lake) hold(ctx context.Context, p addr.Partition) (*lease.Lease, func() error, error) {
	if held := l.leases.Holds(p.String()); held != nil {
		return held, func() error { return nil }, nil
	}
	got, err := l.Lease(ctx, p)
	if err != nil {
		return nil, nil, err
	}
	return got.l, got.Release, nil
}

// staged is an output that is complete in staging.
type staged struct {
	p      addr.Partition
	n      int
	w      *Writer
	dir    string
	target string
	trace  manifest.Trace
}

// complete ends an output's files and writes manifest and marker; then all of
// them, and their names, are made durable. Nobody sees the folder before, so that
// one wait for the disk serves them all.
func (s *Staging) complete(o Output, n int) (*staged, error) {
	s.mu.Lock()
	w := s.writers[o.Partition]
	s.mu.Unlock()
	var err error
	if w == nil {
		if w, err = s.Partition(o.Partition); err != nil {
			return nil, err
		}
	}
	files, err := w.finish()
	if err != nil {
		return nil, err
	}
	m := *o.Manifest
	m.Files, m.RowCount = files, w.Rows()
	return s.seal(o.Partition, w, &m, n)
}

// seal writes manifest and marker of a partition whose files are there and
// makes all of it durable. It fills in of m what Output says, but for Files and
// RowCount.
func (s *Staging) seal(p addr.Partition, w *Writer, m *manifest.Manifest, n int) (*staged, error) {
	m.Dataset, m.Keys = p.Dataset.String(), p.Keys
	digest := manifest.ContentDigest(m.Files)
	m.Digest = digest.String()
	data, err := manifest.Encode(m)
	if err != nil {
		return nil, err
	}
	fingerprint, err := manifest.ParseSum(m.Fingerprint.Sum)
	if err != nil {
		return nil, fmt.Errorf("%s: fingerprint: %w", p, err)
	}
	sum := sha256.Sum256(data)
	f := s.lake.fs
	success := []byte(hex.EncodeToString(sum[:]) + "\n")
	files, err := createAll(f, w.dir, small{manifest.FileName, data}, small{manifest.SuccessName, success})
	if err == nil {
		err = w.settle()
	}
	if err = errors.Join(err, files.settle()); err == nil {
		err = f.SyncDir(w.dir)
	}
	if err != nil {
		return nil, explain(err, "write "+p.String(), w.dir)
	}
	return &staged{
		p: p, n: n, w: w, dir: w.dir, target: s.lake.path(w.rel),
		trace: manifest.Trace{State: manifest.Complete, Fingerprint: fingerprint, Digest: digest, Rows: m.RowCount, Bytes: manifest.Size(m.Files)},
	}, nil
}

// publish puts an output in its place, under its lease.
func (s *Staging) publish(ctx context.Context, o *staged, held *lease.Lease) (Committed, error) {
	l := s.lake
	c := Committed{Partition: o.p, Digest: o.trace.Digest, Rows: o.trace.Rows, Bytes: o.trace.Bytes}
	if err := held.Check(); err != nil {
		return c, err
	}
	there, err := s.place(o)
	if there {
		var alone bool
		if c.Unchanged, alone, err = s.supersede(ctx, o); alone {
			return c, l.found(o) // the index may have known worse of it
		}
	}
	if err != nil {
		return c, err
	}
	if err := l.unsettled(filepath.Dir(o.target)); err != nil {
		return c, err
	}
	return c, l.found(o)
}

// found puts an output that is in its place into the index.
func (l *Lake) found(o *staged) error {
	stamp, _, err := statPath(o.target)
	if err == nil {
		l.remember(o.p, o.trace, stamp)
	}
	return err
}

// place moves the staged folder to where nothing is; true if something is there.
func (s *Staging) place(o *staged) (there bool, err error) {
	f := s.lake.fs
	err = f.Rename(o.dir, o.target)
	if errors.Is(err, fs.ErrNotExist) {
		if err := s.lake.mkdirAll(filepath.Dir(o.target)); err != nil {
			return false, err
		}
		err = f.Rename(o.dir, o.target)
	}
	if errors.Is(err, fs.ErrExist) || errors.Is(err, syscall.ENOTDIR) {
		return true, nil
	}
	o.w.moved = err == nil
	return false, err
}

// supersede puts the staged folder in the place of its predecessor, which goes to
// staging, and tells whether the content is the same. If the fingerprint is the same
// too, the predecessor is left alone, unless its files are not what its manifest says.
func (s *Staging) supersede(ctx context.Context, o *staged) (same, alone bool, err error) {
	old, err := s.lake.readContent(o.target, index.Entry{})
	if err != nil {
		return false, false, err
	}
	same = old.trace.State == manifest.Complete && old.trace.Digest == o.trace.Digest
	if same && old.trace.Fingerprint == o.trace.Fingerprint {
		if same, err = intact(ctx, o.target, old.m.Files); same || err != nil {
			return same, same, err
		}
	}
	err = s.lake.fs.Exchange(o.dir, o.target)
	if errors.Is(err, errNoExchange) {
		err = s.swap(o)
	}
	return same, false, err
}

// intact tells whether the files of a folder have the bytes that are recorded of
// them. One that cannot be read has not.
func intact(ctx context.Context, dir string, files []manifest.File) (bool, error) {
	for _, want := range files {
		if got, err := hashFile(ctx, dir, want.Name, func(int64) {}); err != nil || got != want {
			return false, ctx.Err()
		}
	}
	return true, nil
}

// swapRecord says what swap was doing, for Sweep to undo.
type swapRecord struct {
	Partition string `json:"partition"`
	Target    string `json:"target"` // relative to the lake root
	Old       string `json:"old"`    // relative to the staging folder
}

// swapName is the file of a record, in the folder of its unit.
func swapName(n string) string { return "swap-" + n + ".json" }

// swap replaces a folder where names cannot be exchanged: the old one aside,
// the new one in. If the process dies between the two, the record lets Sweep
// put the old one back.
func (s *Staging) swap(o *staged) error {
	f := s.lake.fs
	target, err := filepath.Rel(s.lake.root, o.target)
	if err != nil {
		return err
	}
	s.mu.Lock()
	err = s.folder()
	s.mu.Unlock()
	if err != nil {
		return err
	}
	old := fmt.Sprintf("old-%d", o.n)
	b, err := json.MarshalIndent(swapRecord{o.p.String(), filepath.ToSlash(target), old}, "", "  ")
	if err != nil {
		return err
	}
	if err := writeFile(f, filepath.Join(s.dir, swapName(strconv.Itoa(o.n))), append(b, '\n')); err != nil {
		return err
	}
	if err := f.SyncDir(s.dir); err != nil {
		return err
	}
	aside := filepath.Join(s.dir, old)
	if err := f.Rename(o.target, aside); err != nil {
		return err
	}
	if err := f.Rename(o.dir, o.target); err != nil {
		back := f.Rename(aside, o.target)
		if back != nil {
			s.keep() // the only copy is in it
			back = fmt.Errorf("%s is in %s, from where the next run puts it back: %w", o.p, aside, back)
		}
		return errors.Join(err, back)
	}
	o.w.moved = true
	return nil
}
