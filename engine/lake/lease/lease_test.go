package lease

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// manager is a process of its own, as far as leases can tell.
func manager(t *testing.T, dir, run string, now func() time.Time, change func(*Owner)) (*Manager, *[]string) {
	var mu sync.Mutex
	notices := &[]string{}
	self := func() Owner {
		o := Self(run, now())
		if change != nil {
			change(&o)
		}
		return o
	}
	m := NewManager(dir, self, now, func(s string) { mu.Lock(); *notices = append(*notices, s); mu.Unlock() })
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return m, notices
}

func TestHeldAndReleased(t *testing.T) {
	defer goleak.VerifyNone(t)
	dir := filepath.Join(t.TempDir(), "leases")
	a, _ := manager(t, dir, "a", time.Now, nil)
	b, _ := manager(t, dir, "b", time.Now, nil)
	defer a.Close()
	defer b.Close()
	got, err := a.Acquire(t.Context(), "x", 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range []*Manager{a, b} {
		var held *Held
		if _, err := m.Acquire(t.Context(), "x", 0); !errors.As(err, &held) || held.Name != "x" || held.Owner.Run != "a" || held.Owner.PID != os.Getpid() {
			t.Error(err)
		}
	}
	if a.Holds("x") != got || b.Holds("x") != nil || a.Holds("y") != nil {
		t.Error("Holds is wrong")
	}
	if err := got.Check(); err != nil {
		t.Error(err)
	}
	go func() {
		if err := got.Release(); err != nil {
			t.Error(err)
		}
	}()
	got2, err := b.Acquire(t.Context(), "x", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if err := got.Release(); err != nil { // a second time: b's is not touched
		t.Error(err)
	}
	if err := got2.Check(); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := a.Acquire(ctx, "x", time.Minute); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*.json*")); len(left) > 0 {
		t.Error("left:", left)
	}
}

// TestTakeover: which owners count as dead at once, and which only after they were
// seen to be silent. Their clocks may be wrong by any amount.
func TestTakeover(t *testing.T) {
	gone := func(o *Owner) { o.PID, o.Started = 1<<22+1, "" }
	early := func(o *Owner) { o.Heartbeat = o.Heartbeat.AddDate(-50, 0, 0) }
	namespace := func(o *Owner) { o.Boot = clock(*o) + " pid:[1]" }
	for _, c := range []struct {
		name          string
		change        func(*Owner)
		dead, foreign bool
	}{
		{"this process", nil, false, false},
		{"this process, its clock was wrong", early, false, false},
		{"a process that has ended", gone, true, false},
		{"its id was given to another", func(o *Owner) { o.Started = "long ago" }, true, false},
		{"an earlier boot, or another host of the same name", func(o *Owner) { o.Boot = "other" }, false, true},
		{"another PID namespace", namespace, false, true},
		{"another PID namespace, no such process in this one", func(o *Owner) { namespace(o); gone(o) }, false, true},
		{"a system that does not tell boots apart", func(o *Owner) { o.Boot = "" }, false, true},
		{"another host", func(o *Owner) { o.Host = "other" }, false, true},
		{"another host with an early clock", func(o *Owner) { o.Host = "other"; early(o) }, false, true},
		{"another host with a late clock", func(o *Owner) { o.Host, o.Heartbeat = "other", o.Heartbeat.AddDate(1, 0, 0) }, false, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir, clock := t.TempDir(), time.Now()
			now := func() time.Time { return clock }
			a, _ := manager(t, dir, "a", now, c.change)
			b, notices := manager(t, dir, "b", now, nil)
			first, err := a.Acquire(t.Context(), "x", 0)
			if err != nil {
				t.Fatal(err)
			}
			held := func(m *Manager) {
				t.Helper()
				var h *Held
				if _, err := m.Acquire(t.Context(), "x", 0); !errors.As(err, &h) || h.Until.IsZero() == c.foreign {
					t.Fatalf("%+v, %v", h, err)
				}
				if err := first.Check(); err != nil {
					t.Fatal(err)
				}
			}
			if !c.dead {
				held(b)
				clock = clock.Add(Silence - time.Second)
				held(b)
				a.renew()
				held(b) // it was heard of
				clock = clock.Add(Silence - time.Second)
				held(b)
				clock = clock.Add(time.Second)
			}
			if !c.dead && !c.foreign {
				held(b)
				return
			}
			second, err := b.Acquire(t.Context(), "x", 0)
			if err != nil {
				t.Fatal(err)
			}
			if len(*notices) != 1 || !strings.Contains((*notices)[0], "took over the lease of x from process") {
				t.Errorf("%v", *notices)
			}
			if first.Check() == nil {
				t.Error("the first owner does not see that it was taken over")
			}
			a.renew() // must not take the lease back, nor give away what is b's
			if err := errors.Join(first.Release(), second.Check()); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestSilenceIsRemembered: processes that do not wait for long find out together,
// those of one machine by its clock.
func TestSilenceIsRemembered(t *testing.T) {
	dir, clock := t.TempDir(), time.Now()
	now := func() time.Time { return clock }
	away := func(name string) func(*Owner) { return func(o *Owner) { o.Host, o.Boot = name, "boot of "+name } }
	owner, _ := manager(t, dir, "owner", now, away("far"))
	if _, err := owner.Acquire(t.Context(), "x", 0); err != nil {
		t.Fatal(err)
	}
	try := func(run string, change func(*Owner)) error {
		m, _ := manager(t, dir, run, now, change)
		l, err := m.Acquire(t.Context(), "x", 0)
		if err != nil {
			return err
		}
		return l.Release()
	}
	other := func(o *Owner) { away("other")(o); o.Heartbeat = o.Heartbeat.Add(-time.Hour) }
	later := func() { clock = clock.Add(Silence / 2) }
	until := clock.Add(Silence)
	var held *Held
	if err := try("a", nil); !errors.As(err, &held) || !held.Until.Equal(until) {
		t.Fatal(held, err)
	}
	later()
	if err := try("b", nil); !errors.As(err, &held) || !held.Until.Equal(until) {
		t.Fatal(held, err)
	}
	if err := try("c", other); !errors.As(err, &held) || !held.Until.Equal(clock.Add(Silence)) {
		t.Fatal("the clocks of two machines are taken for one:", held, err)
	}
	owner.renew()
	later()
	if err := try("d", nil); !errors.As(err, &held) || !held.Until.Equal(clock.Add(Silence)) {
		t.Fatal("it was heard of:", held, err)
	}
	later()
	later()
	if err := try("e", other); !errors.As(err, &held) {
		t.Fatal("another clock has not seen that heartbeat:", err)
	}
	if err := try("f", nil); err != nil {
		t.Error(err)
	}
	owner.notice = func(string) {}
}

// TestWatch: what is not needed now is noted as well, and told from what is not known.
func TestWatch(t *testing.T) {
	dir, clock := filepath.Join(t.TempDir(), "leases"), time.Now()
	now := func() time.Time { return clock }
	m, _ := manager(t, dir, "m", now, nil)
	far := Owner{PID: 1, Host: "far", Boot: "b", Run: "r", Heartbeat: clock}
	self := Self("m", clock)
	if err := m.Watch([]Seen{{"here", self}}); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("a folder was made for nothing")
	}
	if err := m.Watch([]Seen{{"there", far}}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "y.json"), []byte(`{"name":"y","pid":1,"host":"far","boot_id":"b"}`), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := m.Watch(nil); err != nil {
		t.Fatal(err)
	}
	clock = clock.Add(Silence)
	reader, _ := manager(t, dir, "reader", now, nil)
	heard := far
	heard.Heartbeat = clock
	for _, c := range []struct {
		what string
		o    Owner
		gone bool
	}{{"there", far, true}, {"there", heard, false}, {"elsewhere", far, false}, {"y.json", Owner{PID: 1, Host: "far", Boot: "b"}, true}} {
		if gone := reader.Gone(c.what, c.o, clock); gone != c.gone {
			t.Errorf("%s, %s: gone is %v", c.what, c.o, gone)
		}
	}
	if !reader.Gone("elsewhere", Owner{Host: "far", Heartbeat: clock.Add(-25 * time.Hour)}, clock.Add(-25*time.Hour)) {
		t.Error("an owner of yesterday lives")
	}
	clock = clock.Add(-time.Hour) // set back: what was noted lies in the future
	if err := m.Watch([]Seen{{"there", far}}); err != nil {
		t.Fatal(err)
	}
	clock = clock.Add(Silence)
	if !m.Gone("there", far, clock) {
		t.Error("it is waited for until the clock has caught up")
	}
	mustWrite(t, filepath.Join(dir, seenName), "[")
	reader, _ = manager(t, dir, "reader", now, nil)
	if reader.Gone("there", far, clock) {
		t.Error("a damaged file says something")
	}
}

func mustWrite(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

func TestUnreadableLease(t *testing.T) {
	dir := t.TempDir()
	a, _ := manager(t, dir, "a", time.Now, nil)
	b, notices := manager(t, dir, "b", time.Now, nil)
	l, err := a.Acquire(t.Context(), "x", 0)
	if err != nil {
		t.Fatal(err)
	}
	mustWrite(t, l.path, "{")
	got, err := b.Acquire(t.Context(), "x", 0)
	if err != nil || len(*notices) != 1 {
		t.Fatal(err, *notices)
	}
	if err := errors.Join(l.Release(), got.Check(), got.Release()); err != nil { // it is not a's any more
		t.Error(err)
	}
	// That it cannot be read now does not say that it is nobody's.
	if err := os.Mkdir(l.path, 0o777); err != nil {
		t.Fatal(err)
	}
	var held *Held
	if _, err := b.Acquire(t.Context(), "x", 0); err == nil || errors.As(err, &held) || len(*notices) != 1 {
		t.Error(err, *notices)
	}
	list, err := List(dir)
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	b.now = func() time.Time { return time.Now().Add(time.Hour) }
	if err := b.Clear(list[0]); err != nil || b.Dead(list[0]) {
		t.Error("what cannot be read counts as dead:", err)
	}
	if err := b.Break("x", false); err == nil {
		t.Error("what cannot be read is broken without force")
	}
	if _, err := os.Stat(l.path); err != nil {
		t.Error(err)
	}
}

// TestBroken: a lease that was broken is nobody's but the next owner's.
func TestBroken(t *testing.T) {
	dir := t.TempDir()
	a, _ := manager(t, dir, "a", time.Now, nil)
	b, _ := manager(t, dir, "b", time.Now, nil)
	first, err := a.Acquire(t.Context(), "x", 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Break("x", true); err != nil {
		t.Fatal(err)
	}
	if first.Check() == nil {
		t.Error("it is not lost before somebody else has it")
	}
	second, err := b.Acquire(t.Context(), "x", 0)
	if err != nil {
		t.Fatal(err)
	}
	if first.Check() == nil {
		t.Error("it is not lost")
	}
	if err := errors.Join(first.Release(), second.Check()); err != nil {
		t.Error(err)
	}
	var held *Held
	if _, err := a.Acquire(t.Context(), "x", 0); !errors.As(err, &held) || held.Owner.Run != "b" {
		t.Error("two have it:", err)
	}
}

// TestMark: a file that is marked has a heartbeat as long as it is there.
func TestMark(t *testing.T) {
	defer goleak.VerifyNone(t)
	clock := time.Now()
	m, notices := manager(t, t.TempDir(), "m", func() time.Time { return clock }, nil)
	defer m.Close()
	file := filepath.Join(t.TempDir(), "owner.json")
	mustWrite(t, file, "")
	m.Mark(file)
	heard := func() time.Time {
		clock = clock.Add(Beat)
		m.renew()
		o, err := ReadOwner(file)
		if err != nil && !errors.Is(err, ErrDamaged) && !errors.Is(err, os.ErrNotExist) {
			t.Error(err)
		}
		return o.Heartbeat
	}
	if got := heard(); !got.Equal(clock) {
		t.Error(got)
	}
	m.Unmark(file)
	if got := heard(); got.Equal(clock) {
		t.Error("it is still written")
	}
	m.Mark(file)
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	heard()
	if got := heard(); !got.IsZero() || len(*notices) != 1 {
		t.Error("it is made again", *notices)
	}
}

// TestGivenBackMeanwhile: a lease that was held, and is free when it is looked at
// under the lock, may be taken by a third, who needs no lock for that.
func TestGivenBackMeanwhile(t *testing.T) {
	dir := t.TempDir()
	b, _ := manager(t, dir, "b", time.Now, nil)
	c, _ := manager(t, dir, "c", time.Now, nil)
	var third *Lease
	self := b.self
	b.self = func() Owner { // asked for the name of the draft
		if third == nil {
			var err error
			if third, err = c.Acquire(t.Context(), "x", 0); err != nil {
				t.Fatal(err)
			}
		}
		return self()
	}
	l := &Lease{m: b, name: "x", path: filepath.Join(dir, fileOf("x"))}
	text, err := l.text(self())
	if err != nil {
		t.Fatal(err)
	}
	var held *Held
	if err := b.locked(func() error { return l.takeOver(text) }); !errors.As(err, &held) || held.Owner.Run != "c" {
		t.Error(err)
	}
	if err := third.Check(); err != nil {
		t.Error(err)
	}
}

// TestLock: no file of a lease goes away without the lock, which is the one that the
// file of that name is.
func TestLock(t *testing.T) {
	m, _ := manager(t, t.TempDir(), "m", time.Now, nil)
	path := m.lock.path
	for range 2 {
		err := m.locked(func() error {
			_, err := os.Stat(path)
			return errors.Join(err, os.Remove(path))
		})
		if err != nil {
			t.Fatal("a file that was removed is locked:", err)
		}
	}
	l, err := m.Acquire(t.Context(), "x", 0)
	if err != nil {
		t.Fatal(err)
	}
	m.lock.path = filepath.Join(path, "there", "is none")
	if err := errors.Join(m.lock.close(), l.Release()); err == nil {
		t.Error("it was given back without the lock")
	}
	if _, err := os.Stat(l.path); err != nil {
		t.Error(err)
	}
}

// TestOneAtATime: of many that want a lease again and again, in several processes,
// one has it.
func TestOneAtATime(t *testing.T) {
	dir := t.TempDir()
	var inside, acquired atomic.Int32
	var wg sync.WaitGroup
	for _, run := range []string{"a", "b", "c", "d"} {
		m, _ := manager(t, dir, run, time.Now, nil)
		wg.Go(func() {
			for range 1500 {
				l, err := m.Acquire(t.Context(), "x", 0)
				if errors.As(err, new(*Held)) {
					runtime.Gosched()
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				acquired.Add(1)
				if n := inside.Add(1); n != 1 {
					t.Errorf("%d have it at once", n)
				}
				for range 20 {
					runtime.Gosched()
				}
				if err := l.Check(); err != nil {
					t.Error(err)
				}
				inside.Add(-1)
				if err := l.Release(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	t.Log("acquired", acquired.Load())
}
