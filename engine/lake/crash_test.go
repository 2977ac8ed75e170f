package lake

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"dag/engine/addr"
	"dag/engine/lake/lease"
	"dag/engine/manifest"
)

// faultFS does the steps before number at; that one fails with err. With dead,
// every later step fails too, as for a process that is gone.
type faultFS struct {
	filesystem
	mu         sync.Mutex
	n, at      int
	err        error
	dead       bool
	noExchange bool
	log        []string
	refuse     func(to string) bool // renames that fail besides
}

var errCrash = errors.New("crash")

// step counts one step, named for the log, and does it unless it is to fail.
func (f *faultFS) step(name string, do func() error) error {
	f.mu.Lock()
	f.n++
	n := f.n
	f.log = append(f.log, name)
	f.mu.Unlock()
	if f.at == 0 || n < f.at || n > f.at && !f.dead {
		return do()
	}
	return &fs.PathError{Op: name, Path: "x", Err: f.err}
}

func (f *faultFS) Mkdir(p string) error {
	return f.step("mkdir", func() error { return f.filesystem.Mkdir(p) })
}
func (f *faultFS) Rename(a, b string) error {
	return f.step("rename", func() error {
		if f.refuse != nil && f.refuse(b) {
			return &fs.PathError{Op: "rename", Path: b, Err: f.err}
		}
		return f.filesystem.Rename(a, b)
	})
}
func (f *faultFS) Exchange(a, b string) error {
	if f.noExchange {
		return errNoExchange
	}
	return f.step("exchange", func() error { return f.filesystem.Exchange(a, b) })
}
func (f *faultFS) RemoveAll(p string) error {
	return f.step("remove", func() error { return f.filesystem.RemoveAll(p) })
}

func (f *faultFS) Remove(p string) error {
	return f.step("remove", func() error { return f.filesystem.Remove(p) })
}
func (f *faultFS) SyncDir(p string) error {
	return f.step("syncdir", func() error { return f.filesystem.SyncDir(p) })
}
func (f *faultFS) Create(p string) (w writableFile, err error) {
	err = f.step("create", func() error { w, err = f.filesystem.Create(p); return err })
	return &faultFile{f, w}, err
}

type faultFile struct {
	f *faultFS
	writableFile
}

func (w *faultFile) Write(b []byte) (n int, err error) {
	err = w.f.step("write", func() error { n, err = w.writableFile.Write(b); return err })
	return n, err
}
func (w *faultFile) Sync() error { return w.f.step("sync", w.writableFile.Sync) }
func (w *faultFile) Close() error {
	if w.writableFile == nil {
		return nil
	}
	return w.writableFile.Close()
}

// faulty opens a lake whose steps go through f, as a process of its own that
// is gone once the test looks at what it left.
func faulty(t *testing.T, root string, f *faultFS) *Lake {
	l := open(t, root, Options{LockTimeout: -1, RunID: "gone"})
	f.filesystem = quickFS{}
	l.fs = f
	l.self = func() lease.Owner {
		o := lease.Self("gone", time.Now())
		o.PID, o.Started = 1<<22+1, "" // beyond the greatest process id
		return o
	}
	return l
}

// TestCrashAnywhere stops a commit of three outputs at every step, with and
// without exchange: each partition is then as it was or as it should be, whole; a
// sweep leaves nothing behind; the next run ends the work.
func TestCrashAnywhere(t *testing.T) {
	for _, noExchange := range []bool{false, true} {
		at := 1
		for crashOnce(t, &faultFS{at: at, err: errCrash, dead: true, noExchange: noExchange}) {
			at++
		}
		if at < 30 {
			t.Fatalf("only %d steps", at)
		}
	}
}

// crashOnce tells whether the commit came as far as the step to crash at.
func crashOnce(t *testing.T, f *faultFS) bool {
	t.Helper()
	root := t.TempDir()
	a, b, c := part("ESU5", "2025-06-05"), part("ESU5", "2025-06-06"), part("ESZ5", "2025-06-06")
	name := fmt.Sprintf("step %d, without exchange %v", f.at, f.noExchange)
	mustPut(t, open(t, root, Options{}), "old", 3, 1, a, b)
	_, err := put(faulty(t, root, f), "new", 5, 2, a, b, c)
	if crashed := f.n >= f.at; crashed != errors.Is(err, errCrash) {
		t.Fatalf("%s: %v", name, err)
	}
	l := open(t, root, Options{})
	if err := l.Sweep(t.Context()); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	for _, p := range []addr.Partition{a, b, c} {
		tr, err := l.Trace(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		if tr.State == manifest.Missing && p == c {
			continue
		}
		n, price, err := firstPrice(l, p)
		if err != nil || tr.State != manifest.Complete || !(n == 3 && price == 1 && p != c || n == 5 && price == 2) {
			t.Fatalf("%s: %s has %d rows from %d on, state %d: %v\n%s", name, p, n, price, tr.State, err, strings.Join(f.log, " "))
		}
	}
	if left := deadRuns(t, l); len(left) > 0 {
		t.Fatalf("%s: sweep left %v", name, left)
	}
	mustPut(t, l, "new", 5, 2, a, b, c) // leases of the dead run are taken over
	for _, p := range []addr.Partition{a, b, c} {
		if n, price, err := firstPrice(l, p); n != 5 || price != 2 || err != nil {
			t.Fatalf("%s: afterwards %s has %d rows from %d on: %v", name, p, n, price, err)
		}
	}
	return f.n >= f.at
}

// deadRuns lists the staging folders that no living process owns. One without a
// whole owner.json may just be in the making and stays for a while.
func deadRuns(t *testing.T, l *Lake) []string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(l.path(tmpDir), "*"))
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(list, func(dir string) bool {
		var o lease.Owner
		b, err := os.ReadFile(filepath.Join(dir, ownerName))
		return err != nil || json.Unmarshal(b, &o) != nil || o.PID == os.Getpid()
	})
}

// TestFailureAnywhere fails one step; the process lives on. The unit fails,
// cleans up, and nothing that was there is lost.
func TestFailureAnywhere(t *testing.T) {
	for _, noExchange := range []bool{false, true} {
		failEach(t, noExchange)
	}
}

func failEach(t *testing.T, noExchange bool) {
	for at := 1; ; at++ {
		root := t.TempDir()
		a := part("ESU5", "2025-06-05")
		mustPut(t, open(t, root, Options{}), "old", 3, 1, a)
		f := &faultFS{at: at, err: syscall.ENOSPC, noExchange: noExchange}
		l := faulty(t, root, f)
		_, err := put(l, "new", 5, 2, a)
		if f.n < at {
			break
		}
		if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "is full: free some space") || !strings.Contains(err.Error(), root) {
			t.Errorf("step %d (%s): %v", at, f.log[at-1], err)
		}
		if n, _, err := firstPrice(l, a); err != nil || n != 3 && n != 5 {
			t.Errorf("step %d: %d rows, %v", at, n, err)
		}
		if f.log[at-1] != "remove" {
			if left := leftovers(t, l); len(left) > 0 {
				t.Errorf("step %d (%s): %v left", at, f.log[at-1], left)
			}
		}
	}
}

// TestCrashBelowBrackets: a lake's own path may hold what a pattern would read as a
// class of characters.
func TestCrashBelowBrackets(t *testing.T) {
	a := part("ESU5", "2025-06-05")
	for at := 1; ; at++ {
		root := filepath.Join(t.TempDir(), "lake[1]")
		l := open(t, root, Options{})
		mustPut(t, l, "old", 3, 1, a)
		f := &faultFS{at: at, err: errCrash, dead: true, noExchange: true}
		_, err := put(faulty(t, root, f), "new", 5, 2, a)
		if f.n < at {
			break
		}
		l = open(t, root, Options{})
		if serr := l.Sweep(t.Context()); serr != nil {
			t.Fatal(serr)
		}
		if n, _, rerr := firstPrice(l, a); rerr != nil || n != 3 && n != 5 {
			t.Fatalf("step %d (%v): %d rows, %v\n%s", at, err, n, rerr, strings.Join(f.log, " "))
		}
	}
}

// TestNoWayBack: where names cannot be exchanged, and a folder that was moved aside
// can be put back no more than the new one be moved in, staging keeps it for Sweep.
func TestNoWayBack(t *testing.T) {
	root := t.TempDir()
	a := part("ESU5", "2025-06-05")
	mustPut(t, open(t, root, Options{}), "old", 3, 1, a)
	f := &faultFS{err: syscall.EIO, noExchange: true}
	l := faulty(t, root, f)
	tries := 0
	f.refuse = func(to string) bool {
		if to == l.path("silver/symbol=ESU5/table=ticks/dt=2025-06-05") {
			tries++
		}
		return tries > 1 // the first meets the folder that is there
	}
	_, err := put(l, "new", 5, 2, a)
	if err == nil || !strings.Contains(err.Error(), "from where the next run puts it back") {
		t.Error(err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	l = open(t, root, Options{})
	if err := l.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n, _, err := firstPrice(l, a); err != nil || n != 3 {
		t.Errorf("%d rows, %v", n, err)
	}
	if left := deadRuns(t, l); len(left) > 0 {
		t.Error("left:", left)
	}
}

func TestReadOnlyFileSystem(t *testing.T) {
	l := faulty(t, t.TempDir(), &faultFS{at: 1, err: syscall.EROFS})
	_, err := l.Begin()
	if !errors.Is(err, syscall.EROFS) || !strings.Contains(err.Error(), "read-only file system: mount it for writing") {
		t.Error(err)
	}
}

// TestSweepSparesTheLiving: what belongs to a process that runs is not swept.
func TestSweepSparesTheLiving(t *testing.T) {
	root := t.TempDir()
	l := open(t, root, Options{})
	s, err := l.Begin()
	if err != nil {
		t.Fatal(err)
	}
	if err := open(t, root, Options{}).Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Commit(t.Context(), []Output{{part("ESU5", "2025-06-05"), made("v")}}); err != nil {
		t.Error(err)
	}
	for _, elsewhere := range elsewheres {
		other := openElsewhere(t, root, "x-1", elsewhere)
		if _, err := other.Begin(); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			age  time.Duration
			left int
		}{{time.Minute, 1}, {time.Minute + lease.Silence, 0}} { // the second has seen it twice
			l := open(t, root, Options{Now: func() time.Time { return time.Now().Add(c.age) }})
			if err := l.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
			left, err := filepath.Glob(filepath.Join(l.path(tmpDir), "x-*"))
			if err != nil || len(left) != c.left {
				t.Errorf("after %s %v are left, want %d (%v)", c.age, left, c.left, err)
			}
		}
	}
}

// elsewheres are processes that are not in this process table.
var elsewheres = []func(*lease.Owner){
	func(o *lease.Owner) { o.Host = "elsewhere" },
	func(o *lease.Owner) { o.Boot = "of another machine of the same name" },
	func(o *lease.Owner) { o.Boot, _, _ = strings.Cut(o.Boot, " "); o.Boot += " pid:[1]" },
}

// openElsewhere opens a lake as a process that is not in this process table, with a
// process id that this one does not know.
func openElsewhere(t *testing.T, root, run string, elsewhere func(*lease.Owner)) *Lake {
	t.Helper()
	l := open(t, root, Options{RunID: run})
	process := lease.Self(run, time.Now())
	elsewhere(&process)
	l.self = func() lease.Owner {
		o := process
		o.PID, o.Heartbeat = 1<<22+1, time.Now().UTC()
		return o
	}
	return l
}

// TestRunElsewhereGoesOn: nobody ends or removes what a process owns that lives, for
// however long it is busy with one unit; once it was killed, all of it goes.
func TestRunElsewhereGoesOn(t *testing.T) {
	for _, elsewhere := range elsewheres {
		synctest.Test(t, func(t *testing.T) {
			root := t.TempDir()
			other := openElsewhere(t, root, "20250801-1", elsewhere)
			rec, err := other.Record()
			if err != nil {
				t.Fatal(err)
			}
			if err := rec.Save([]byte("{}")); err != nil {
				t.Fatal(err)
			}
			if _, err := other.Begin(); err != nil {
				t.Fatal(err)
			}
			look := func() string {
				t.Helper()
				l := open(t, root, Options{RunID: "b"})
				if err := l.Sweep(t.Context()); err != nil {
					t.Fatal(err)
				}
				runs, err := l.Runs()
				if err != nil || len(runs) != 1 {
					t.Fatal(runs, err)
				}
				staged, err := filepath.Glob(filepath.Join(l.path(tmpDir), "*"))
				if err != nil {
					t.Fatal(err)
				}
				return fmt.Sprintf("alive %v, staged %d", runs[0].Alive(), len(staged))
			}
			for range 4 {
				if got := look(); got != "alive true, staged 1" {
					t.Fatal(got)
				}
				if err := open(t, root, Options{}).ForgetRun("20250801-1"); err == nil {
					t.Fatal("its record is removed")
				}
				time.Sleep(lease.Silence + time.Second)
			}
			if err := errors.Join(rec.events.Close(), other.leases.Close()); err != nil { // no heartbeat any more
				t.Fatal(err)
			}
			if got := look(); got != "alive true, staged 1" {
				t.Fatal("it cannot be known yet:", got)
			}
			time.Sleep(lease.Silence)
			if got := look(); got != "alive false, staged 0" {
				t.Fatal(got)
			}
		})
	}
}

// TestFolderOfNobody: a run's folder that names no owner may be in the making; of one
// whose owner cannot be read nothing is known.
func TestFolderOfNobody(t *testing.T) {
	root := t.TempDir()
	l := open(t, root, Options{})
	for _, dir := range []string{tmpDir, runsDir} {
		mustMkdir(t, l.path(dir+"/none"))
		mustWrite(t, l.path(dir+"/damaged/"+ownerName), []byte("{"))
		mustMkdir(t, l.path(dir+"/unread/"+ownerName)) // reading it is an error
	}
	for age, want := range map[time.Duration]string{
		0:              "",
		24 * time.Hour: "run damaged, run none, staging damaged, staging none",
	} {
		l := open(t, root, Options{Now: func() time.Time { return time.Now().Add(age) }})
		list, err := l.Leftovers(t.Context(), Keep{Knows: func(addr.Partition) bool { return true }})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, x := range list {
			got = append(got, string(x.Kind)+" "+filepath.Base(x.Path))
		}
		if got := strings.Join(got, ", "); got != want {
			t.Errorf("after %s: %s", age, got)
		}
	}
}

func mustMkdir(t *testing.T, dir string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o777); err != nil {
		t.Fatal(err)
	}
}
