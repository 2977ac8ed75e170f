package lake

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"dag/engine/addr"
	"dag/engine/lake/index"
	"dag/engine/lake/lease"
	"dag/engine/manifest"
	"dag/engine/stage"
)

// Batches yields record batches in order; see stage.Batches.
type Batches = stage.Batches

// Options are what a Lake takes from outside. The zero value works.
type Options struct {
	Now         func() time.Time // time.Now by default
	Notice      func(string)     // told of takeovers and of leftovers swept; nil: nobody is
	LockTimeout time.Duration    // how long to wait for a lease; 0: 10 s, negative: not at all
	RunID       string           // names staging folders and leases; made of time and process by default
	Workers     int              // goroutines that one open Writer may use to encode columns; 0: 1
	// NoWrite keeps the Lake from writing anything: the index is not saved, and
	// what needs to write fails.
	NoWrite bool
}

// DefaultLockTimeout is how long a lease is waited for.
const DefaultLockTimeout = 10 * time.Second

// Names beneath the lake root, see lake/README.md.
const (
	ownDir    = ".dag"
	indexDir  = ownDir + "/index"
	leaseDir  = ownDir + "/leases"
	tmpDir    = ownDir + "/tmp"
	fanOutDir = ownDir + "/fanout"
)

// Lake is one lake, as one process sees it. Safe for concurrent use.
type Lake struct {
	root   string
	o      Options
	fs     filesystem
	tables map[addr.Dataset]*table
	order  []addr.Dataset
	leases *lease.Manager
	self   func() lease.Owner
	unit   atomic.Int64 // numbers staging folders

	mu     sync.Mutex
	caches map[addr.Dataset]*cache
	known  map[string]knownFile // digests of source files found in manifests, by path
	fans   map[string]*fanOuts
	looked atomic.Int64 // see Looked
	hashed atomic.Int64 // see Hashed

	runMu sync.Mutex
	run   string // folder of what is staged; "" before the first Begin
	// keepRun leaves that folder to Sweep: the only copy of a partition is in it.
	keepRun bool

	settleMu sync.Mutex
	dirs     map[string]bool // folders with names that are not durable yet
	settled  time.Time       // when they were made so last
}

// knownFile is what a manifest says of a source's file that it was made from.
type knownFile struct {
	size, modTime int64
	digest        manifest.Sum
}

// Open prepares a lake at root; it creates nothing and reads nothing. It fails
// for layouts that cannot be told apart on disk.
func Open(root string, layouts []Layout, o Options) (*Lake, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Notice == nil {
		o.Notice = func(string) {}
	}
	if o.LockTimeout == 0 {
		o.LockTimeout = DefaultLockTimeout
	}
	if o.RunID == "" {
		o.RunID = o.Now().UTC().Format("20060102T150405.000") + "-" + strconv.Itoa(os.Getpid())
	}
	if err := addr.CheckValue(o.RunID); err != nil {
		return nil, fmt.Errorf("run id: %w", err)
	}
	l := &Lake{
		root: root, o: o, fs: osFS{}, tables: map[addr.Dataset]*table{},
		caches: map[addr.Dataset]*cache{}, known: map[string]knownFile{}, fans: map[string]*fanOuts{},
	}
	process := sync.OnceValue(func() lease.Owner { return lease.Self(o.RunID, o.Now()) })
	l.self = func() lease.Owner { // every lease asks: only the heartbeat differs
		self := process()
		self.Heartbeat = o.Now().UTC()
		return self
	}
	l.leases = lease.NewManager(l.path(leaseDir), func() lease.Owner { return l.self() }, o.Now, o.Notice)
	for _, layout := range layouts {
		t, err := newTable(layout)
		if err != nil {
			return nil, err
		}
		if l.tables[layout.Addr] != nil {
			return nil, fmt.Errorf("%s is there twice", layout.Addr)
		}
		l.tables[layout.Addr] = t
		l.order = append(l.order, layout.Addr)
	}
	return l, nil
}

// Looked counts the partitions' folders and the sources' files that Table has
// met so far. Any goroutine may ask while Table runs.
func (l *Lake) Looked() int64 { return l.looked.Load() }

// Hashed counts the bytes of sources' files that have been hashed so far. Any
// goroutine may ask.
func (l *Lake) Hashed() int64 { return l.hashed.Load() }

// Root is the lake's folder, as given to Open.
func (l *Lake) Root() string { return l.root }

// path is the place of a slash-separated path relative to the root.
func (l *Lake) path(rel string) string { return filepath.Join(l.root, filepath.FromSlash(rel)) }

// table returns the layout of a dataset or source.
func (l *Lake) table(d addr.Dataset, source bool) (*table, error) {
	t := l.tables[d]
	if t == nil {
		return nil, fmt.Errorf("%s is neither a dataset nor a source of this lake", d)
	}
	if t.Source != source {
		return nil, fmt.Errorf("%s is a source where a dataset is needed, or the other way round", d)
	}
	return t, nil
}

// Folder is the path of a partition's folder relative to the root, with
// slashes.
func (l *Lake) Folder(p addr.Partition) (string, error) {
	t, err := l.table(p.Dataset, false)
	if err != nil {
		return "", err
	}
	return t.folder(p.Keys)
}

// SourceFolder is the path of the folder that the names of a series' files are
// relative to.
func (l *Lake) SourceFolder(source addr.Dataset, series addr.Keys) (string, error) {
	t, err := l.table(source, true)
	if err != nil {
		return "", err
	}
	for _, kv := range series.Pairs() {
		k := t.key(kv.Key)
		if k < 0 || k == t.date {
			return "", fmt.Errorf("%s[%s]: %q is no key of its series", source, series, kv.Key)
		}
		if err := t.check(k, kv.Value); err != nil {
			return "", err
		}
	}
	for _, s := range t.Path[:t.seriesEnd()] {
		if _, ok := series.Get(s.Key); s.Key != "" && !ok {
			return "", fmt.Errorf("%s[%s]: the key %q is missing", source, series, s.Key)
		}
	}
	return t.render(t.Path[:t.seriesEnd()], series), nil
}

// errNoWrite is why nothing can be written.
var errNoWrite = errors.New("the lake was opened for reading only")

// LeaseError says who keeps a partition from being written.
type LeaseError struct {
	Partition addr.Partition
	Owner     lease.Owner
	Waited    time.Duration
	Until     time.Time // see lease.Held
}

func (e *LeaseError) Error() string {
	return fmt.Sprintf("%s is being written by %s; waited %s. Wait for it or give --lock-timeout more time; the lease of a process that has ended is taken over by itself%s",
		e.Partition, e.Owner, e.Waited, untilGone(e.Until))
}

// Lease is the right to write a partition.
type Lease struct{ l *lease.Lease }

// Lease takes the right to write p, which may also stand for a whole unit. It
// waits for its holder up to Options.LockTimeout; then the error is a
// *LeaseError. A holder that is gone is taken over, and Notice is told.
func (l *Lake) Lease(ctx context.Context, p addr.Partition) (*Lease, error) {
	if l.o.NoWrite {
		return nil, errNoWrite
	}
	got, err := l.leases.Acquire(ctx, p.String(), l.o.LockTimeout)
	var held *lease.Held
	if errors.As(err, &held) {
		return nil, &LeaseError{Partition: p, Owner: held.Owner, Waited: max(0, l.o.LockTimeout), Until: held.Until}
	}
	if err != nil {
		return nil, explain(err, "lease", l.path(leaseDir))
	}
	return &Lease{got}, nil
}

// Release gives the lease back; a second Release does nothing.
func (l *Lease) Release() error { return l.l.Release() }

// Close makes durable what is not yet, saves the index, removes what was staged,
// and gives leases back.
func (l *Lake) Close() error {
	l.settleMu.Lock()
	err := l.settleNames()
	l.settleMu.Unlock()
	err = errors.Join(err, l.SaveIndex(), l.leaveRun(), l.leases.Close())
	for _, c := range l.caches {
		if c.file != nil {
			err = errors.Join(err, c.file.Close())
		}
	}
	return err
}

// cache is the index of one dataset or source in memory.
type cache struct {
	mu     sync.Mutex
	loaded bool
	dirty  bool
	series map[addr.Keys]*index.Series
	file   *os.File // that series are loaded from; nil without one
}

// get returns a series, loaded; nil without one. What is damaged reads as empty.
func (c *cache) get(keys addr.Keys) *index.Series {
	s := c.series[keys]
	if s != nil && s.Load() != nil {
		c.dirty = true
	}
	return s
}

// add returns a series, loaded, making it if need be.
func (c *cache) add(keys addr.Keys) *index.Series {
	s := c.get(keys)
	if s == nil {
		s = &index.Series{Keys: keys}
		c.series[keys] = s
	}
	return s
}
