package lease

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
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
