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
	"dag/engine/calendar"
	"dag/engine/manifest"
)

// ProblemKind is what is wrong with something in the lake. The set is closed.
type ProblemKind string

// The kinds.
const (
	FileChanged       ProblemKind = "file_changed"       // other bytes than the manifest records, of the same number
	FileResized       ProblemKind = "file_resized"       // another number of bytes
	FileGone          ProblemKind = "file_gone"          // recorded and not there
	FileAdded         ProblemKind = "file_added"         // there and not recorded
	NotComplete       ProblemKind = "incomplete"         // a folder without marker: half-written
	ManifestBroken    ProblemKind = "manifest_broken"    // gone, cannot be read, or not the one the marker stands for
	ManifestMisplaced ProblemKind = "manifest_misplaced" // of another partition: the folder was copied or moved
	ForeignBroken     ProblemKind = "foreign_broken"     // of another tool, and no Parquet file that can be read
	SourceChanged     ProblemKind = "source_changed"     // a source's file with other bytes, and the size and time it had
	Unreadable        ProblemKind = "unreadable"         // the file system gives an error
)

// Problem is one thing that is wrong.
type Problem struct {
	Kind      ProblemKind
	Partition string // its address; empty where there is none
	Path      string // of the folder or file, relative to the root
	Old, New  string // recorded and found: digests, sizes, names
	Detail    string // what the file system or the reader says
}

// Verified is what became of looking at one partition or file.
type Verified struct {
	Problems []Problem
	Files    int   // hashed
	Bytes    int64 // hashed
	// Unrecorded tells that nothing says what the bytes should be: another tool
	// wrote them, or a source's file was never read.
	Unrecorded bool
}

// Verify reads all data files of a partition and holds them to its manifest. Of
// another tool's folder it can only tell whether the files are Parquet. A folder
// that is replaced meanwhile is looked at again. What is wrong is no error: that
// is one of the file system about the folder itself, or ctx's. read is told of
// bytes that have been read.
func (l *Lake) Verify(ctx context.Context, p addr.Partition, read func(int64)) (Verified, error) {
	for {
		c, rel, err := l.content(p)
		if err != nil {
			return Verified{}, err
		}
		v, err := l.verify(ctx, p, c, rel, read)
		if err != nil || len(v.Problems) == 0 {
			return v, err
		}
		info, err := os.Stat(l.path(rel))
		if err != nil && !absent(err) {
			return v, err
		}
		if err == nil && stampOf(info) == c.stamp {
			return v, nil
		}
	}
}

// verify looks once at a folder that was read as c.
func (l *Lake) verify(ctx context.Context, p addr.Partition, c content, rel string, read func(int64)) (v Verified, err error) {
	add := func(kind ProblemKind, detail string) {
		v.Problems = append(v.Problems, Problem{Kind: kind, Partition: p.String(), Path: rel, Detail: detail})
	}
	switch {
	case c.trace.State == manifest.Missing: // it was removed meanwhile
	case c.trace.State == manifest.Incomplete:
		add(NotComplete, c.why)
	case c.trace.State == manifest.UnreadableManifest:
		add(ManifestBroken, c.why)
	case c.trace.State == manifest.Unverified:
		v.Unrecorded = true
		if err := l.openable(p, rel, c); err != nil {
			add(ForeignBroken, err.Error())
		}
	default:
		if of := c.m.Partition(); of != p {
			v.Problems = append(v.Problems, Problem{Kind: ManifestMisplaced, Partition: p.String(), Path: rel, Old: of.String(), New: p.String()})
		}
		if err := l.verifyFiles(ctx, p, rel, c.m.Files, read, &v); err != nil {
			return v, err
		}
		return v, l.strangers(p, rel, c.m.Files, &v)
	}
	return v, nil
}

// openable tells whether the files of another tool can be opened at all.
func (l *Lake) openable(p addr.Partition, rel string, c content) error {
	if len(c.files) == 0 {
		return fmt.Errorf("there is no part-*.parquet in %s", rel)
	}
	in := &Partition{addr: p, table: l.tables[p.Dataset], trace: c.trace, rel: rel, beside: map[string]*os.File{}}
	return errors.Join(in.open(l.path(rel), c), in.Close())
}

// verifyFiles hashes the files that a manifest records.
func (l *Lake) verifyFiles(ctx context.Context, p addr.Partition, rel string, files []manifest.File, read func(int64), v *Verified) error {
	for _, want := range files {
		problem := Problem{Partition: p.String(), Path: path.Join(rel, want.Name)}
		got, err := hashFile(ctx, l.path(rel), want.Name, read)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, fs.ErrNotExist):
			problem.Kind = FileGone
		case err != nil:
			problem.Kind, problem.Detail = Unreadable, err.Error()
		case got.Bytes != want.Bytes:
			problem.Kind, problem.Old, problem.New = FileResized, fmt.Sprint(want.Bytes), fmt.Sprint(got.Bytes)
		case got.SHA256 != want.SHA256:
			problem.Kind, problem.Old, problem.New = FileChanged, want.SHA256, got.SHA256
		}
		if problem.Kind != "" {
			v.Problems = append(v.Problems, problem)
		}
		v.Files++
		v.Bytes += got.Bytes
	}
	return nil
}

// strangers finds files in a partition's folder that its manifest does not
// record. Names that begin with a dot or an underscore are nobody's data.
func (l *Lake) strangers(p addr.Partition, rel string, files []manifest.File, v *Verified) error {
	entries, err := os.ReadDir(l.path(rel))
	if absent(err) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := e.Name()
		known := slices.ContainsFunc(files, func(f manifest.File) bool { return f.Name == name })
		if !known && name[0] != '.' && name[0] != '_' {
			v.Problems = append(v.Problems, Problem{Kind: FileAdded, Partition: p.String(), Path: path.Join(rel, name)})
		}
	}
	return nil
}

// Learn reads every manifest of a dataset, for the digests of sources' files that
// VerifySource is to know.
func (l *Lake) Learn(ctx context.Context, d addr.Dataset) error {
	listed, err := l.Table(ctx, d, nil)
	if err != nil {
		return err
	}
	t := l.tables[d]
	for _, s := range listed.Series {
		for _, part := range s.Parts {
			if err := ctx.Err(); err != nil {
				return err
			}
			if part.State != manifest.Complete {
				continue
			}
			c, _, err := l.content(addr.Partition{Dataset: d, Keys: t.join(s.Keys, part.Day)})
			if err != nil {
				return err
			}
			l.learn(c.m)
		}
	}
	return nil
}

// join is the inverse of split.
func (t *table) join(series addr.Keys, day calendar.Day) addr.Keys {
	kv := make([]addr.KeyValue, len(t.Keys))
	for i, k := range t.Keys {
		v, _ := series.Get(k.Name)
		if i == t.date {
			v = day.String()
		}
		kv[i] = addr.KeyValue{Key: k.Name, Value: v}
	}
	return addr.MakeKeys(kv...)
}

// VerifySource reads a source's file and holds it to the digest that is known of
// it, from the index or from the manifests of what was made of it, if the file has
// the size and the time of change it had then.
func (l *Lake) VerifySource(ctx context.Context, source addr.Dataset, series addr.Keys, file string, read func(int64)) (v Verified, err error) {
	f, err := l.OpenSource(source, series, file)
	if err != nil {
		return v, err
	}
	c := l.cache(source)
	c.mu.Lock()
	l.load(source, c)
	stat := manifest.SourceFile{Name: f.name, Size: f.Size(), ModTime: f.ModTime()}
	want := l.recall(c, series, stat, stampOf(f.info), path.Dir(f.rel))
	c.mu.Unlock()
	if want == (manifest.Sum{}) {
		v.Unrecorded = true
		return v, nil
	}
	problem := Problem{Partition: fmt.Sprintf("%s[%s]", source, series), Path: f.rel}
	got, err := hashFile(ctx, filepath.Dir(l.path(f.rel)), path.Base(f.rel), read)
	switch {
	case ctx.Err() != nil:
		return v, ctx.Err()
	case err != nil:
		problem.Kind, problem.Detail = Unreadable, err.Error()
	case !strings.HasPrefix(got.SHA256, want.String()):
		problem.Kind, problem.Old, problem.New = SourceChanged, want.String(), got.SHA256[:len(want.String())]
	}
	if problem.Kind != "" {
		v.Problems = append(v.Problems, problem)
	}
	v.Files, v.Bytes = 1, got.Bytes
	return v, nil
}
