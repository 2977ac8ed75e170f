package lease

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

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
