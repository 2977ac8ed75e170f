package lake

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"sync"

	"dag/engine/addr"
	"dag/engine/lake/index"
	"dag/engine/manifest"
)

// listSource lists a source's files by series; c is locked and loaded. Of a series
// that want asks nothing of only the names of the files are told.
func (l *Lake) listSource(ctx context.Context, t *table, c *cache, want manifest.Want) (*manifest.Table, error) {
	s := &sourceScan{lake: l, table: t, cache: c, ctx: ctx, want: want, found: map[addr.Keys][]manifest.SourceFile{}}
	if err := s.walk("", "", 0, make([]string, len(t.Keys))); err != nil {
		return nil, err
	}
	out := &manifest.Table{Dataset: t.Addr, Passed: s.passed}
	for keys, files := range s.found {
		slices.SortFunc(files, func(a, b manifest.SourceFile) int { return strings.Compare(a.Name, b.Name) })
		out.Series = append(out.Series, manifest.Series{Keys: keys, Files: files})
	}
	slices.SortFunc(out.Series, func(a, b manifest.Series) int { return strings.Compare(string(a.Keys), string(b.Keys)) })
	return out, nil
}

// sourceScan is one listing of a source.
type sourceScan struct {
	lake  *Lake
	table *table
	cache *cache
	ctx   context.Context
	want  manifest.Want
	found map[addr.Keys][]manifest.SourceFile
	// passed are names that would be files' if they were others.
	passed []manifest.PassedOver
}

// walk lists from segment i on. dir is relative to the root, below to the
// folder of the series.
func (s *sourceScan) walk(dir, below string, i int, values []string) error {
	if err := s.ctx.Err(); err != nil {
		return err
	}
	if i == len(s.table.Path) {
		return s.files(dir, below, values)
	}
	seg := s.table.Path[i]
	step := func(name string) error {
		rest := ""
		if i >= s.table.seriesEnd() {
			rest = path.Join(below, name)
		}
		return s.walk(path.Join(dir, name), rest, i+1, values)
	}
	if seg.Key == "" {
		return step(seg.Prefix)
	}
	entries, err := os.ReadDir(s.lake.path(dir))
	if absent(err) {
		return nil
	}
	if err != nil {
		return err
	}
	k := s.table.key(seg.Key)
	for _, e := range entries {
		v, ok := s.table.match(seg, k, e.Name())
		if !ok {
			s.passFolder(dir, i, e.Name())
			continue
		}
		if values[k] != "" && values[k] != v {
			continue
		}
		before := values[k]
		values[k] = v
		err := step(e.Name())
		values[k] = before
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *sourceScan) files(dir, below string, values []string) error {
	in, err := os.Open(s.lake.path(dir))
	if absent(err) {
		return nil
	}
	if err != nil {
		return err
	}
	defer in.Close()
	names, err := in.Readdirnames(-1)
	if err != nil && !absent(err) {
		return err
	}
	keys := s.table.seriesKeys(values)
	wanted := s.want(keys) != nil
	if below != "" {
		below += "/"
	}
	for _, name := range names {
		if name[0] == '.' {
			continue
		}
		if !wanted {
			s.found[keys] = append(s.found[keys], manifest.SourceFile{Name: below + name})
			continue
		}
		stamp, size, err := statFile(in, name)
		if absent(err) {
			s.passName(dir, name, below, keys, "it is a link to nothing")
			continue
		}
		if err != nil {
			return err
		}
		if size < 0 {
			s.passName(dir, name, below, keys, "it is no file")
			continue
		}
		f := manifest.SourceFile{Name: below + name, Size: size, ModTime: stamp.ModTime}
		f.Digest = s.lake.recall(s.cache, keys, f, stamp, dir)
		s.found[keys] = append(s.found[keys], f)
	}
	return nil
}

// recall returns the digest of a file in a folder that was hashed before, or zero; c
// is locked.
func (l *Lake) recall(c *cache, series addr.Keys, f manifest.SourceFile, stamp index.Stamp, dir string) manifest.Sum {
	if s := c.get(series); s != nil {
		if k, ok := s.File(f.Name); ok && k.Size == f.Size && k.Stamp == stamp {
			return k.Digest
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.known) == 0 {
		return manifest.Sum{}
	}
	if k, ok := l.known[path.Join(dir, path.Base(f.Name))]; ok && k.size == f.Size && k.modTime == f.ModTime {
		return k.digest
	}
	return manifest.Sum{}
}

// Digest is the content digest of a source's file: the first 128 bits of its
// SHA-256. It is hashed only if it has changed since it was, as far as size,
// time of change and inode tell; manifests of its consumers that were read
// before serve as well.
func (l *Lake) Digest(ctx context.Context, source addr.Dataset, series addr.Keys, file string) (manifest.Sum, error) {
	f, err := l.OpenSource(source, series, file)
	if err != nil {
		return manifest.Sum{}, err
	}
	return f.Digest(ctx)
}

// SourceFile is a raw input file. It is used by one goroutine at a time.
type SourceFile struct {
	lake   *Lake
	source addr.Dataset
	series addr.Keys
	name   string
	rel    string
	info   fs.FileInfo
	digest manifest.Sum
	err    error // the file changed while it was read
}

// OpenSource looks a source's file up; series are its keys without the date,
// and file is its name in SourceFolder.
func (l *Lake) OpenSource(source addr.Dataset, series addr.Keys, file string) (*SourceFile, error) {
	dir, err := l.SourceFolder(source, series)
	if err != nil {
		return nil, err
	}
	if !fs.ValidPath(file) {
		return nil, fmt.Errorf("%s[%s]: %q is not the name of a file in its folder", source, series, file)
	}
	f := &SourceFile{lake: l, source: source, series: series, name: file, rel: path.Join(dir, file)}
	if f.info, err = os.Stat(l.path(f.rel)); err != nil {
		return nil, fmt.Errorf("%s[%s]: %w", source, series, err)
	}
	return f, nil
}

// Name is the base name, for messages; Path is relative to the lake root.
func (f *SourceFile) Name() string { return path.Base(f.name) }

// Path is the file's path relative to the lake root, with slashes.
func (f *SourceFile) Path() string { return f.rel }

// Size is the file's size in bytes when it was opened.
func (f *SourceFile) Size() int64 { return f.info.Size() }

// ModTime is its time of change in ns since the epoch when it was opened.
func (f *SourceFile) ModTime() int64 { return f.info.ModTime().UnixNano() }

// Open starts reading at the beginning. The content is hashed while it is
// first read to its end.
func (f *SourceFile) Open() (io.ReadCloser, error) {
	r, err := os.Open(f.lake.path(f.rel))
	if err != nil {
		return nil, fmt.Errorf("%s[%s]: %w", f.source, f.series, err)
	}
	if f.digest != (manifest.Sum{}) {
		return r, nil
	}
	return &hashingReader{file: r, of: f, h: sha256.New()}, nil
}

// Digest is the digest of the content. It hashes the file unless that was
// read to its end, or is known from before. It fails for a file that changed
// while it was read.
func (f *SourceFile) Digest(ctx context.Context) (manifest.Sum, error) {
	if f.err != nil || f.digest != (manifest.Sum{}) {
		return f.digest, f.err
	}
	c := f.lake.cache(f.source)
	c.mu.Lock()
	f.lake.load(f.source, c)
	stat := manifest.SourceFile{Name: f.name, Size: f.Size(), ModTime: f.ModTime()}
	f.digest = f.lake.recall(c, f.series, stat, stampOf(f.info), path.Dir(f.rel))
	c.mu.Unlock()
	if f.digest != (manifest.Sum{}) {
		return f.digest, nil
	}
	r, err := f.Open()
	if err != nil {
		return manifest.Sum{}, err
	}
	_, err = io.Copy(io.Discard, &cancellable{ctx, r})
	if err = errors.Join(err, r.Close()); err != nil {
		return manifest.Sum{}, fmt.Errorf("%s: %w", f.rel, err)
	}
	return f.digest, f.err
}

// cancellable ends reading when ctx does.
type cancellable struct {
	ctx context.Context
	r   io.Reader
}

func (c *cancellable) Read(b []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(b)
}

// hashingReader hashes a file while it is read in order.
type hashingReader struct {
	file *os.File
	of   *SourceFile
	h    hash.Hash
	n    int64
	once sync.Once
}

func (r *hashingReader) Read(b []byte) (int, error) {
	n, err := r.file.Read(b)
	r.h.Write(b[:n])
	r.n += int64(n)
	r.of.lake.hashed.Add(int64(n))
	if err == io.EOF {
		r.once.Do(func() { r.of.done(r) })
	}
	return n, err
}

func (r *hashingReader) Close() error { return r.file.Close() }

// done takes the digest, if the file is still what it was.
func (f *SourceFile) done(r *hashingReader) {
	var digest manifest.Sum
	copy(digest[:], r.h.Sum(nil))
	now, err := r.file.Stat()
	if err == nil && (now.Size() != r.n || now.Size() != f.Size() || now.ModTime() != f.info.ModTime()) {
		err = fmt.Errorf("%s changed while it was read: it had %d bytes, now %d", f.rel, f.Size(), now.Size())
	}
	if err != nil {
		f.err = err
		return
	}
	f.digest = digest
	f.lake.keep(f)
}

// keep puts a file's digest into the index.
func (l *Lake) keep(f *SourceFile) {
	e := index.File{Name: f.name, Size: f.Size(), Digest: f.digest, Stamp: stampOf(f.info)}
	if l.o.Now().UnixNano()-e.ModTime < int64(racy) {
		e.ModTime = 0
	}
	c := l.cache(f.source)
	c.mu.Lock()
	defer c.mu.Unlock()
	l.load(f.source, c)
	c.add(f.series).PutFile(e)
	c.dirty = true
}
