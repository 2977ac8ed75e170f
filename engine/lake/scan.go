package lake

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"dag/engine/addr"
	"dag/engine/calendar"
	"dag/engine/lake/index"
	"dag/engine/manifest"
)

// racy is how fresh a folder may be when it is read for its time of change to
// stand for its content: one changed once more within the resolution of the
// file system's clock would look the same. Such an entry is read again by the
// next listing, as git does with its index.
const racy = 2 * time.Second

// Table lists what the lake holds of a dataset, all partitions' traces, or of a
// source, its files by folder. A partition's folder is read only if it is not
// in the index as it is now. Names that are no value of their key are passed
// over.
func (l *Lake) Table(ctx context.Context, d addr.Dataset) (*manifest.Table, error) {
	t := l.tables[d]
	if t == nil {
		_, err := l.table(d, false)
		return nil, err
	}
	c := l.cache(d)
	c.mu.Lock()
	defer c.mu.Unlock()
	l.load(d, c)
	if t.Source {
		return l.listSource(ctx, t, c)
	}
	s := &scan{lake: l, table: t, cache: c, ctx: ctx, days: map[string]calendar.Day{}, found: map[addr.Keys]*found{}}
	if err := s.walk(l.root, 0, make([]string, len(t.Keys))); err != nil {
		return nil, err
	}
	if err := s.read(); err != nil {
		return nil, err
	}
	return s.finish(), nil
}

// scan is one listing of a dataset.
type scan struct {
	lake  *Lake
	table *table
	cache *cache
	ctx   context.Context
	days  map[string]calendar.Day // dates seen, parsed once
	found map[addr.Keys]*found
	last  *found // the series of the leaf before
	fresh []fresh
}

// found is a series with the folders found so far, in no order.
type found struct {
	keys    addr.Keys
	entries []index.Entry
}

// fresh is a folder that has to be read.
type fresh struct {
	series *found
	at     int
	dir    string
}

// walk lists the folders of path segment i and those below; values are the
// key values so far.
func (s *scan) walk(dir string, i int, values []string) error {
	if err := s.ctx.Err(); err != nil {
		return err
	}
	t := s.table
	for ; i <= t.last && t.Path[i].Key == ""; i++ {
		dir = filepath.Join(dir, t.Path[i].Prefix)
	}
	if t.last < 0 { // no keys: the one folder
		return s.only(dir, t.render(t.Path, ""))
	}
	f, err := os.Open(dir)
	if absent(err) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	names, err := f.Readdirnames(-1)
	if err != nil && !absent(err) {
		return err
	}
	return s.each(f, dir, names, i, values)
}

// each takes the names in the folder of segment i, which has a key.
func (s *scan) each(in *os.File, dir string, names []string, i int, values []string) error {
	t := s.table
	k := t.key(t.Path[i].Key)
	below := ""
	if i == t.last {
		if rest := t.render(t.Path[i+1:], ""); rest != "" {
			below = "/" + rest
		}
	}
	for _, name := range names {
		v, ok := s.value(t.Path[i], k, name)
		if !ok || values[k] != "" && values[k] != v { // a key that stands twice in the path
			continue
		}
		before := values[k]
		values[k] = v
		var err error
		if i == t.last {
			err = s.leaf(in, name+below, values)
		} else {
			err = s.walk(filepath.Join(dir, name), i+1, values)
		}
		values[k] = before
		if err != nil {
			return err
		}
	}
	return nil
}

// absent tells that a path is not there, or is no folder.
func absent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

// value is table.match, with dates remembered.
func (s *scan) value(seg Segment, k int, name string) (string, bool) {
	if k != s.table.date {
		return s.table.match(seg, k, name)
	}
	if n := len(seg.Prefix); len(name) > n+len(seg.Suffix) && strings.HasPrefix(name, seg.Prefix) && strings.HasSuffix(name, seg.Suffix) {
		v := name[n : len(name)-len(seg.Suffix)]
		if _, ok := s.days[v]; ok {
			return v, true
		}
	}
	v, ok := s.table.match(seg, k, name)
	if ok {
		day, err := calendar.ParseDay(v)
		if err != nil {
			return "", false
		}
		v = strings.Clone(v)
		s.days[v] = day
	}
	return v, ok
}

// only is the folder of a dataset without keys.
func (s *scan) only(root, rel string) error {
	f, err := os.Open(root)
	if absent(err) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	return s.leaf(f, rel, nil)
}

// leaf takes one partition's folder, a name in the opened folder.
func (s *scan) leaf(in *os.File, name string, values []string) error {
	stamp, folder, err := statAt(in, name)
	if absent(err) || err == nil && !folder {
		return nil
	}
	if err != nil {
		return err
	}
	s.lake.looked.Add(1)
	var day calendar.Day
	if s.table.date >= 0 {
		day = s.days[values[s.table.date]]
	}
	f := s.series(values)
	if e, ok := s.lookup(f.keys, day); ok && e.Stamp == stamp {
		f.entries = append(f.entries, e)
		return nil
	}
	f.entries = append(f.entries, index.Entry{Stamp: stamp, Trace: manifest.Trace{Day: day}})
	s.fresh = append(s.fresh, fresh{f, len(f.entries) - 1, filepath.Join(in.Name(), name)})
	return nil
}

// series returns the series of key values.
func (s *scan) series(values []string) *found {
	if f := s.last; f != nil && sameKeys(f.keys, s.table, values) {
		return f
	}
	keys := s.table.seriesKeys(values)
	f := s.found[keys]
	if f == nil {
		f = &found{keys: keys}
		s.found[keys] = f
	}
	s.last = f
	return f
}

// sameKeys tells whether keys are those of values, without making them.
func sameKeys(keys addr.Keys, t *table, values []string) bool {
	for i, v := range values {
		if i == t.date {
			continue
		}
		if got, ok := keys.Get(t.Keys[i].Name); !ok || got != v {
			return false
		}
	}
	return true
}

// lookup finds a folder in the index.
func (s *scan) lookup(keys addr.Keys, day calendar.Day) (index.Entry, bool) {
	c := s.cache.series[keys]
	if c == nil {
		return index.Entry{}, false
	}
	i, ok := c.Find(day)
	if !ok {
		return index.Entry{}, false
	}
	return c.Entries[i], true
}

// read reads the folders that are not in the index as they are.
func (s *scan) read() error {
	if len(s.fresh) == 0 {
		return nil
	}
	s.cache.dirty = true
	g, ctx := errgroup.WithContext(s.ctx)
	g.SetLimit(2 * runtime.GOMAXPROCS(0))
	for _, f := range s.fresh {
		g.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			now := s.lake.o.Now()
			c, err := s.lake.readContent(f.dir, index.Entry{})
			if err != nil {
				return err
			}
			s.lake.looked.Add(1)
			e := &f.series.entries[f.at]
			c.trace.Day = e.Day
			e.Trace, e.Stamp = c.trace, c.stamp
			if now.UnixNano()-e.ModTime < int64(racy) {
				e.ModTime = 0
			}
			s.lake.learn(c.m)
			return nil
		})
	}
	return g.Wait()
}

// finish puts the series in order and keeps them for the index.
func (s *scan) finish() *manifest.Table {
	out := &manifest.Table{Dataset: s.table.Addr, Series: make([]manifest.Series, 0, len(s.found))}
	count := 0
	for _, c := range s.cache.series {
		count += len(c.Entries)
	}
	s.cache.series = make(map[addr.Keys]*index.Series, len(s.found))
	for _, f := range s.found {
		slices.SortFunc(f.entries, func(a, b index.Entry) int { return int(a.Day) - int(b.Day) })
		parts := make([]manifest.Trace, 0, len(f.entries))
		for _, e := range f.entries {
			if e.State != manifest.Missing { // gone between listing and reading
				parts = append(parts, e.Trace)
			}
		}
		count -= len(f.entries)
		s.cache.series[f.keys] = &index.Series{Keys: f.keys, Entries: f.entries}
		out.Series = append(out.Series, manifest.Series{Keys: f.keys, Parts: parts})
	}
	if count != 0 {
		s.cache.dirty = true
	}
	slices.SortFunc(out.Series, func(a, b manifest.Series) int { return strings.Compare(string(a.Keys), string(b.Keys)) })
	return out
}

// Current is the trace of one partition as its folder is now; the folder is read
// only if the index does not have it.
func (l *Lake) Current(ctx context.Context, p addr.Partition) (manifest.Trace, error) {
	rel, err := l.Folder(p)
	if err != nil {
		return manifest.Trace{}, err
	}
	known := l.indexed(p)
	if info, err := os.Stat(l.path(rel)); err == nil && known.Stamp != (index.Stamp{}) && stampOf(info) == known.Stamp {
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
