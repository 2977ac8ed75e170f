package lake

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"dag/engine/addr"
	"dag/engine/lake/lease"
	"dag/engine/manifest"
)

// ForeignManifest is the name that the manifest of another tool gets when its
// partition is adopted.
const ForeignManifest = "_MANIFEST.foreign.json"

// Restatement is a new manifest for data that is there already.
type Restatement struct {
	Partition addr.Partition
	// Seen is what the caller knows of the folder: of another tool, or ours. What
	// is not so any more is not restated.
	Seen manifest.Trace
	// Manifest as for an Output.
	Manifest *manifest.Manifest
	// Files are the binary files that a folder of another tool has to hold beside
	// its rows and tables.
	Files []string
	// Check reads every row and holds it to the contract and to the declared
	// order; data of another tool is always checked.
	Check bool
	// Read is told of bytes that have been read; nil: nobody is.
	Read func(bytes int64)
}

// ChangedError says that a folder is not what it was when it was looked at.
type ChangedError struct{ Partition addr.Partition }

func (e *ChangedError) Error() string {
	return fmt.Sprintf("%s was changed by another process meanwhile: run again", e.Partition)
}

// UnfitError says why the data of a partition cannot be what a manifest would
// claim.
type UnfitError struct{ Err error }

func (e *UnfitError) Error() string { return e.Err.Error() }
func (e *UnfitError) Unwrap() error { return e.Err }

// Restate publishes the files of a partition, as they are, with another manifest:
// in one step, under the partition's lease. The data files are not written: the
// new folder has them by hard links (by copies where the file system has no
// links), with everything else that lay in the old one. It returns what lies there
// now. The error is an *UnfitError where the data is at fault.
func (l *Lake) Restate(ctx context.Context, r Restatement) (t manifest.Trace, err error) {
	if l.o.NoWrite {
		return t, errNoWrite
	}
	if r.Read == nil {
		r.Read = func(int64) {}
	}
	held, release, err := l.hold(ctx, r.Partition)
	if err != nil {
		return t, err
	}
	defer func() { err = errors.Join(err, release()) }()
	c, rel, err := l.content(r.Partition)
	if err != nil {
		return t, err
	}
	if c.trace.State != r.Seen.State || c.trace.Digest != r.Seen.Digest || c.trace.Fingerprint != r.Seen.Fingerprint {
		return t, &ChangedError{r.Partition}
	}
	if !c.trace.State.HasData() {
		return t, &UnfitError{fmt.Errorf("%s %s: %s (%s)", r.Partition, describe(c.trace.State), c.why, rel)}
	}
	m := *r.Manifest
	m.RowCount = c.trace.Rows
	foreign := c.trace.State == manifest.Unverified
	if foreign {
		if m.Files, err = l.describeForeign(ctx, r, &c, rel); err != nil {
			return t, err
		}
	} else {
		m.Files = c.m.Files
	}
	if foreign || r.Check {
		if err := l.check(ctx, r.Partition, c, rel); err != nil {
			if ctx.Err() != nil {
				return t, err
			}
			return t, &UnfitError{err}
		}
	}
	t, err = l.relabel(ctx, r.Partition, held, &m, rel, foreign)
	return t, explain(err, "restate "+r.Partition.String(), l.path(rel))
}

// describeForeign describes the files of a folder of another tool in the order of a
// manifest, and adds tables and binary files to those that c names.
func (l *Lake) describeForeign(ctx context.Context, r Restatement, c *content, rel string) ([]manifest.File, error) {
	if len(c.files) == 0 {
		return nil, &UnfitError{fmt.Errorf("%s has no data files: no part-*.parquet in %s", r.Partition, rel)}
	}
	var beside []string
	for name := range l.tables[r.Partition.Dataset].Tables {
		beside = append(beside, manifest.TableName(name))
	}
	slices.Sort(beside)
	rows := slices.Clone(c.files)
	c.files = slices.Concat(c.files, beside, slices.Sorted(slices.Values(r.Files)))
	var files []manifest.File
	for _, name := range c.files {
		f, err := hashFile(ctx, l.path(rel), name, r.Read)
		if absent(err) {
			return nil, &UnfitError{fmt.Errorf("%s has no file %s in %s", r.Partition, name, rel)}
		}
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	if manifest.ContentDigest(files[:len(rows)]) != c.trace.Digest {
		return nil, &ChangedError{r.Partition}
	}
	return files, nil
}

// hashFile describes a file as a manifest does.
func hashFile(ctx context.Context, dir, name string, read func(int64)) (manifest.File, error) {
	f, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		return manifest.File{}, err
	}
	defer f.Close() // read only: nothing can be lost
	out, err := hashAll(ctx, name, &counting{f, read})
	if err != nil {
		return manifest.File{}, fmt.Errorf("%s: %w", filepath.Join(dir, name), err)
	}
	return out, nil
}

// hashAll describes the file of a name by all of its bytes.
func hashAll(ctx context.Context, name string, r io.Reader) (manifest.File, error) {
	h := sha256.New()
	n, err := io.Copy(h, &cancellable{ctx, r})
	return manifest.File{Name: name, Bytes: n, SHA256: hex.EncodeToString(h.Sum(nil))}, err
}

// counting tells of the bytes that are read.
type counting struct {
	r    io.Reader
	read func(int64)
}

func (c *counting) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.read(int64(n))
	return n, err
}

// check reads everything that a contract speaks of in the folder that c
// describes, and holds it to the contract and to the declared order.
func (l *Lake) check(ctx context.Context, p addr.Partition, c content, rel string) (err error) {
	t, err := l.table(p.Dataset, false)
	if err != nil {
		return err
	}
	in := &Partition{addr: p, table: t, fields: fieldsOf(t.Contract), schema: t.Contract.Schema, trace: c.trace, rel: rel, beside: map[string]*os.File{}}
	defer func() { err = errors.Join(err, in.Close()) }()
	if err := in.open(l.path(rel), c); err != nil {
		return fmt.Errorf("%s: %w", p, err)
	}
	order, err := newSortCheck(t)
	if err != nil {
		return err
	}
	defer order.release()
	var rows int64
	for rec, err := range in.Read(ctx) {
		if err == nil {
			err = t.Contract.Check(rec)
		}
		if err == nil {
			err = order.check(rec, rows)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", p, err)
		}
		rows += rec.NumRows()
	}
	for name, contract := range t.Tables {
		for rec, err := range in.Table(ctx, name) {
			if err == nil {
				err = contract.Check(rec)
			}
			if err != nil {
				return fmt.Errorf("%s: table %s: %w", p, name, err)
			}
		}
	}
	return nil
}

// relabel publishes, under the lease held, the files of a folder with the manifest m,
// whose files and rows are known.
func (l *Lake) relabel(ctx context.Context, p addr.Partition, held *lease.Lease, m *manifest.Manifest, rel string, foreign bool) (t manifest.Trace, err error) {
	s, err := l.Begin()
	if err != nil {
		return t, err
	}
	defer func() { err = errors.Join(err, s.Discard()) }()
	w := &Writer{
		lake: l, p: p, table: l.tables[p.Dataset], dir: s.dir + ".0", rel: rel, order: &sortCheck{}, closed: true,
		file: &File{closed: true}, files: map[string]*File{},
	}
	if err := l.fs.Mkdir(w.dir); err != nil {
		return t, err
	}
	s.writers[p] = w
	if err := linkAll(l.path(rel), w.dir); err != nil {
		return t, err
	}
	for _, f := range m.Files {
		if !foreign {
			break // they were made durable when they were written
		}
		file, err := os.Open(filepath.Join(w.dir, f.Name))
		if err != nil {
			return t, err
		}
		w.files[f.Name] = &File{name: f.Name, file: file, closed: true}
	}
	staged, err := s.seal(p, w, m, 0)
	if err != nil {
		return t, err
	}
	_, err = s.publish(ctx, staged, held)
	staged.trace.Day = l.tables[p.Dataset].day(p.Keys)
	return staged.trace, err
}

// linkAll gives the files of a folder a name in another one, but for marker and
// manifest; a manifest of another tool is kept under another name.
func linkAll(from, to string) error {
	entries, err := os.ReadDir(from)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := e.Name()
		switch {
		case !e.Type().IsRegular():
			return &UnfitError{fmt.Errorf("%s is no plain file; put it elsewhere", filepath.Join(from, name))}
		case name == manifest.SuccessName:
			continue
		case name == manifest.FileName:
			b, err := readSmall(filepath.Join(from, name), manifest.MaxBytes)
			if err != nil {
				return err
			}
			if _, err := manifest.Decode(b); !errors.Is(err, manifest.ErrForeign) {
				continue
			}
			name = ForeignManifest
		}
		if err := link(filepath.Join(from, e.Name()), filepath.Join(to, name)); err != nil {
			return err
		}
	}
	return nil
}

// link gives a file a second name, or copies it where that cannot be: the file
// system has no links, or allows none to files of other users.
func link(from, to string) error {
	if os.Link(from, to) == nil {
		return nil
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close() // read only: nothing can be lost
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	if err == nil {
		err = out.Sync()
	}
	return errors.Join(err, out.Close())
}
