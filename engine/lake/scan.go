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

// Table lists what the lake holds of a dataset, partitions' traces, or of a
// source, its files by folder. Every series is listed; of its partitions those
// that want asks for. A partition's folder is read only if it is not in the index
// as it is now. Names that are no value of their key are passed over.
func (l *Lake) Table(ctx context.Context, d addr.Dataset, want manifest.Want) (*manifest.Table, error) {
	t := l.tables[d]
	if t == nil {
		_, err := l.table(d, false)
		return nil, err
	}
	if want == nil {
		want = everything
	}
	c := l.cache(d)
	c.mu.Lock()
	defer c.mu.Unlock()
	l.load(d, c)
	if t.Source {
		return l.listSource(ctx, t, c, want)
	}
	s := &scan{lake: l, table: t, cache: c, ctx: ctx, want: want, dates: map[string]calendar.Day{}, found: map[addr.Keys]*found{}}
	if err := s.walk(l.root, 0, make([]string, len(t.Keys))); err != nil {
		return nil, err
	}
	if err := s.read(); err != nil {
		return nil, err
	}
	return s.finish(), nil
}

func everything(addr.Keys) func(calendar.Day) bool { return everyDay }

func everyDay(calendar.Day) bool { return true }

// scan is one listing of a dataset.
type scan struct {
	lake  *Lake
	table *table
	cache *cache
	ctx   context.Context
	want  manifest.Want
	dates map[string]calendar.Day // seen, parsed once
	found map[addr.Keys]*found
	last  *found // the series of the leaf before
	fresh []fresh
	names names // its memory serves one folder after the other
	name  []byte
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
	return s.each(f, dir, i, values)
}

// each takes the names in the folder of segment i, which has a key.
func (s *scan) each(in *os.File, dir string, i int, values []string) error {
	t := s.table
	below := ""
	if i == t.last {
		if rest := t.render(t.Path[i+1:], ""); rest != "" {
			below = "/" + rest
		}
		if below == "" && t.key(t.Path[i].Key) == t.date && values[t.date] == "" {
			return s.days(in, t.Path[i], values)
		}
	}
	names, err := in.Readdirnames(-1)
	if err != nil && !absent(err) {
		return err
	}
	k := t.key(t.Path[i].Key)
	for _, name := range names {
		v, ok := t.match(t.Path[i], k, name)
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

// days takes the folders of one series, a day each: where nearly all of a lake's
// partitions are met. As long as the folder that holds them is as the index has
// it, so are their names, and only their stamps are asked for.
func (s *scan) days(in *os.File, seg Segment, values []string) error {
	now := s.lake.o.Now()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	s.names.open(in)
	folder := stampOf(info)
	if f := s.series(values); f.known != nil && f.known.Folder == folder {
		return s.sameDays(f, seg)
	}
	if now.UnixNano()-folder.ModTime < int64(racy) {
		folder.ModTime = 0
	}
	for {
		name, err := s.names.next()
		if name == nil || err != nil {
			return err
		}
		day, ok := s.day(seg, name)
		if !ok {
			continue
		}
		f := s.series(values)
		f.folder = folder
		if err := s.dayIn(f, day, name); err != nil {
			return err
		}
	}
}

// sameDays takes the days that the index has of a series.
func (s *scan) sameDays(f *found, seg Segment) error {
	f.folder = f.known.Folder
	if f.wanted == nil {
		f.first, f.last, f.seen = f.known.First, f.known.Last, true
		return nil
	}
	for i := range f.known.Traces {
		day := f.known.Traces[i].Day
		s.name = append(day.Append(append(s.name[:0], seg.Prefix...)), seg.Suffix...)
		s.name = append(s.name, 0)
		f.at = i
		if err := s.dayIn(f, day, s.name[:len(s.name)-1]); err != nil {
			return err
		}
	}
	return nil
}

// dayIn takes the folder of one day, which a NUL follows in memory.
func (s *scan) dayIn(f *found, day calendar.Day, name []byte) error {
	if f.wanted == nil || !f.wanted(day) {
		f.pass(day)
		return nil
	}
	stamp, folder, err := s.names.stat(name)
	if absent(err) || err == nil && !folder {
		return nil
	}
	if err == nil {
		s.meet(f, day, stamp, func() string { return filepath.Join(s.names.dir.Name(), string(name)) })
	}
	return err
}

// day is the date in the name of a folder; dates are parsed once.
func (s *scan) day(seg Segment, name []byte) (calendar.Day, bool) {
	n := len(seg.Prefix)
	if len(name) <= n+len(seg.Suffix) || string(name[:n]) != seg.Prefix || string(name[len(name)-len(seg.Suffix):]) != seg.Suffix {
		return 0, false
	}
	text := name[n : len(name)-len(seg.Suffix)]
	if d, ok := s.dates[string(text)]; ok {
		return d, true
	}
	v := string(text)
	if s.table.check(s.table.date, v) != nil {
		return 0, false
	}
	d, err := calendar.ParseDay(v)
	if err != nil {
		return 0, false
	}
	s.dates[v] = d
	return d, true
}

// absent tells that a path is not there, or is no folder.
func absent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
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
	var day calendar.Day
	if s.table.date >= 0 {
		var err error
		if day, err = calendar.ParseDay(values[s.table.date]); err != nil {
			return err // the name has been matched
		}
	}
	f := s.series(values)
	if f.wanted == nil || !f.wanted(day) {
		f.pass(day)
		return nil
	}
	stamp, folder, err := statAt(in, name)
	if absent(err) || err == nil && !folder {
		return nil
	}
	if err == nil {
		s.meet(f, day, stamp, func() string { return filepath.Join(in.Name(), name) })
	}
	return err
}

// meet notes a partition's folder: as the index has it, or to be read.
func (s *scan) meet(f *found, day calendar.Day, stamp index.Stamp, dir func() string) {
	s.lake.looked.Add(1)
	f.see(day)
	if i, ok := f.find(day); ok && f.known.Stamps[i] == stamp {
		f.keep(i)
		return
	}
	f.changed = append(f.changed, index.Entry{Stamp: stamp, Trace: manifest.Trace{Day: day}})
	s.fresh = append(s.fresh, fresh{f, len(f.changed) - 1, dir()})
}

// series returns the series of key values.
func (s *scan) series(values []string) *found {
	if f := s.last; f != nil && sameKeys(f.keys, s.table, values) {
		return f
	}
	keys := s.table.seriesKeys(values)
	f := s.found[keys]
	if f == nil {
		f = &found{keys: keys, known: s.cache.series[keys], wanted: s.want(keys)}
		if f.wanted != nil {
			f.known = s.cache.get(keys)
		}
		if f.known != nil {
			f.kept = make([]bool, len(f.known.Traces))
		}
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
			e := &f.series.changed[f.at]
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
	before := s.cache.series
	s.cache.series = make(map[addr.Keys]*index.Series, len(s.found))
	for _, f := range s.found {
		if !f.seen {
			continue // a folder without partitions
		}
		now, same := f.now()
		s.cache.dirty = s.cache.dirty || !same
		if now != nil {
			s.cache.series[f.keys] = now
		}
		out.Series = append(out.Series, manifest.Series{Keys: f.keys, Parts: f.parts(now), First: f.first, Last: f.last})
	}
	for keys := range before {
		s.cache.dirty = s.cache.dirty || s.found[keys] == nil
	}
	slices.SortFunc(out.Series, func(a, b manifest.Series) int { return strings.Compare(string(a.Keys), string(b.Keys)) })
	return out
}
