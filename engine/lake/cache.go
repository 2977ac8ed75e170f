package lake

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/gofrs/flock"

	"dag/engine/addr"
	"dag/engine/lake/index"
	"dag/engine/manifest"
)

// cache returns the index of a dataset, not loaded yet at first.
func (l *Lake) cache(d addr.Dataset) *cache {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.caches[d]
	if c == nil {
		c = &cache{series: map[addr.Keys]*index.Series{}}
		l.caches[d] = c
	}
	return c
}

// load reads the directory of the index file once; what cannot be read is made
// anew. c is locked.
func (l *Lake) load(d addr.Dataset, c *cache) {
	if c.loaded {
		return
	}
	c.loaded = true
	f, err := os.Open(l.indexPath(d))
	if err != nil {
		return
	}
	info, err := f.Stat()
	var series []*index.Series
	if err == nil {
		series, err = index.Read(f, info.Size())
	}
	if err != nil {
		c.dirty = true
		f.Close()
		return
	}
	c.file = f
	for _, s := range series {
		c.series[s.Keys] = s
	}
}

func (l *Lake) indexPath(d addr.Dataset) string { return filepath.Join(l.path(indexDir), d.String()) }

// SaveIndex writes what listings and commits have found, for the next process.
// On a read-only lake, and with NoWrite, it does nothing. What stands in the way
// of one dataset's file is likely to stand in the way of the others': the first
// error ends it.
func (l *Lake) SaveIndex() error {
	if l.o.NoWrite {
		return nil
	}
	for _, d := range l.order {
		if err := l.saveDirty(d); err != nil {
			return err
		}
	}
	return nil
}

func (l *Lake) saveDirty(d addr.Dataset) error {
	c := l.cache(d)
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.dirty {
		return nil
	}
	if err := l.save(d, c); err != nil {
		return err
	}
	c.dirty = false
	return nil
}

// save replaces one index file; c is locked.
func (l *Lake) save(d addr.Dataset, c *cache) (err error) {
	series := slices.SortedFunc(maps.Values(c.series), func(a, b *index.Series) int { return strings.Compare(string(a.Keys), string(b.Keys)) })
	defer func() {
		if errors.Is(err, syscall.EROFS) {
			err = nil
		}
		err = explain(err, "save the index", l.path(indexDir))
	}()
	if _, err := os.Stat(l.root); err != nil {
		return nil // a lake that is not there yet has no index
	}
	if err := os.MkdirAll(l.path(indexDir), 0o777); err != nil {
		return err
	}
	lock := flock.New(filepath.Join(l.path(indexDir), "lock"))
	if err := lock.Lock(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	path := l.indexPath(d)
	b, err := index.Encode(series)
	if err != nil {
		return os.Remove(path) // damaged where nobody has looked yet: the next listing makes it anew
	}
	if err := os.WriteFile(path+".tmp", b, 0o666); err != nil {
		return err
	}
	return os.Rename(path+".tmp", path)
}

// learn remembers what a manifest says of source files, for when the index of
// the source is gone.
func (l *Lake) learn(m *manifest.Manifest) {
	if m == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, in := range m.Inputs {
		if in.File == "" {
			continue
		}
		if digest, err := manifest.ParseSum(in.Digest); err == nil {
			l.known[in.File] = knownFile{in.Bytes, in.ModTime, digest}
		}
	}
}

// remember puts a committed partition into the index. Its folder is fresh, but
// what it holds is known: nobody else writes it under the lease. Only where
// the file system counts whole seconds is it read again.
func (l *Lake) remember(p addr.Partition, t manifest.Trace, stamp index.Stamp) {
	if stamp.ModTime%1e9 == 0 {
		stamp.ModTime = 0
	}
	tab := l.tables[p.Dataset]
	keys, day := tab.split(p.Keys)
	t.Day = day
	c := l.cache(p.Dataset)
	c.mu.Lock()
	defer c.mu.Unlock()
	l.load(p.Dataset, c)
	c.add(keys).Put(index.Entry{Stamp: stamp, Trace: t})
	c.dirty = true
}

// indexed returns the index's entry of a partition; the zero Entry without one.
func (l *Lake) indexed(p addr.Partition) index.Entry {
	keys, day := l.tables[p.Dataset].split(p.Keys)
	c := l.cache(p.Dataset)
	c.mu.Lock()
	defer c.mu.Unlock()
	l.load(p.Dataset, c)
	if s := c.get(keys); s != nil {
		if i, ok := s.Find(day); ok {
			return s.Entry(i)
		}
	}
	return index.Entry{}
}

// describe names a state for messages.
func describe(s manifest.State) string {
	switch s {
	case manifest.Missing:
		return "is missing"
	case manifest.Incomplete:
		return "is incomplete"
	case manifest.UnreadableManifest:
		return "has no readable manifest"
	case manifest.OutputChanged:
		return "was changed after it was written"
	case manifest.Unverified, manifest.Complete:
		return "can be read"
	}
	return fmt.Sprintf("is in state %d", s)
}
