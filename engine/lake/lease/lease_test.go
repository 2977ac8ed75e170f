package lease

import (
	"context"
	"errors"
	"os"
	"path/filepath"
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

// TestTakeover: which owners count as dead.
func TestTakeover(t *testing.T) {
	gone := func(o *Owner) { o.PID, o.Started = 1<<22+1, "" }
	for _, c := range []struct {
		name   string
		change func(*Owner)
		age    time.Duration
		dead   bool
	}{
		{"this process", nil, time.Hour, false},
		{"a process that has ended", gone, 0, true},
		{"its id was given to another", func(o *Owner) { o.Started = "long ago" }, 0, true},
		{"an earlier boot", func(o *Owner) { o.Boot = "other" }, 0, true},
		{"another host, heard of lately", func(o *Owner) { o.Host = "other" }, Silence - time.Second, false},
		{"another host, silent", func(o *Owner) { o.Host = "other" }, Silence + time.Second, true},
	} {
		dir := t.TempDir()
		then := time.Now()
		clock := then
		a, _ := manager(t, dir, "a", func() time.Time { return clock }, c.change)
		b, notices := manager(t, dir, "b", func() time.Time { return then.Add(c.age) }, nil)
		first, err := a.Acquire(t.Context(), "x", 0)
		if err != nil {
			t.Fatal(err)
		}
		_, err = b.Acquire(t.Context(), "x", 0)
		if c.dead != (err == nil) {
			t.Errorf("%s: %v", c.name, err)
		}
		if c.dead && (len(*notices) != 1 || !strings.Contains((*notices)[0], "took over the lease of x from process")) {
			t.Errorf("%s: %v", c.name, *notices)
		}
		clock = then.Add(Silence) // until then nobody can have taken it from a living owner
		if lost := first.Check() != nil; lost != c.dead {
			t.Errorf("%s: the first owner does not see who holds it", c.name)
		}
		a.renew() // must not take the lease back
		if err := first.Check(); (err != nil) != c.dead {
			t.Errorf("%s: after a heartbeat: %v", c.name, err)
		}
	}
}

func TestUnreadableLease(t *testing.T) {
	dir := t.TempDir()
	clock := time.Now()
	a, _ := manager(t, dir, "a", func() time.Time { return clock }, nil)
	l, err := a.Acquire(t.Context(), "x", 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(l.path, []byte("{"), 0o666); err != nil {
		t.Fatal(err)
	}
	b, notices := manager(t, dir, "b", time.Now, nil)
	if _, err := b.Acquire(t.Context(), "x", 0); err != nil || len(*notices) != 1 {
		t.Error(err, *notices)
	}
	clock = time.Now().Add(Silence) // it is not the one of a any more
	if err := l.Release(); err != nil {
		t.Error(err)
	}
}

// TestOneAtATime: of many that want a lease, in several processes, one has it.
func TestOneAtATime(t *testing.T) {
	dir := t.TempDir()
	var inside, most atomic.Int32
	var wg sync.WaitGroup
	for _, run := range []string{"a", "b", "c"} {
		m, _ := manager(t, dir, run, time.Now, nil)
		for range 4 {
			wg.Go(func() {
				l, err := m.Acquire(t.Context(), "x", time.Minute)
				if err != nil {
					t.Error(err)
					return
				}
				most.Store(max(most.Load(), inside.Add(1)))
				inside.Add(-1)
				if err := l.Release(); err != nil {
					t.Error(err)
				}
			})
		}
	}
	wg.Wait()
	if most.Load() != 1 {
		t.Errorf("%d had it at once", most.Load())
	}
}
