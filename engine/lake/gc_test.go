package lake

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"dag/engine/addr"
	"dag/engine/lake/lease"
	"dag/engine/manifest"
)

// ownerOf is the text of a lease or of owner.json by a process on another host
// that was heard of at a time.
func ownerOf(t *testing.T, name string, heard time.Time) []byte {
	t.Helper()
	b, err := json.Marshal(struct {
		Name  string    `json:"name"`
		Taken time.Time `json:"taken"`
		lease.Owner
	}{name, heard, lease.Owner{PID: 1, Host: "elsewhere", Boot: "b", Run: "r", Heartbeat: heard}})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func mustWrite(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o777), os.WriteFile(path, data, 0o666)); err != nil {
		t.Fatal(err)
	}
}

// TestLeftovers: what living processes own is neither listed nor removed.
func TestLeftovers(t *testing.T) {
	later := time.Now().Add(48 * time.Hour) // so that everything has aged
	l := open(t, filepath.Join(t.TempDir(), "lake"), Options{Now: func() time.Time { return later }, LockTimeout: -1})
	p := part("ESU5", "2025-08-04")
	mustPut(t, l, "v1", 3, 7, p)
	if err := os.CopyFS(l.path("silver/symbol=ESU5/table=old/dt=2025-08-04"), os.DirFS(l.path("silver/symbol=ESU5/table=ticks/dt=2025-08-04"))); err != nil {
		t.Fatal(err)
	}
	dead, alive := time.Now(), later
	mustWrite(t, l.path(".dag/tmp/dead/owner.json"), ownerOf(t, "", dead))
	mustWrite(t, l.path(".dag/tmp/alive/owner.json"), ownerOf(t, "", alive))
	mustWrite(t, l.path(".dag/leases/dead.json"), ownerOf(t, "x", dead))
	mustWrite(t, l.path(".dag/leases/alive.json"), ownerOf(t, "y", alive))
	mustWrite(t, l.path(".dag/leases/dead.json.1.tmp"), ownerOf(t, "z", dead))
	mustWrite(t, l.path(".dag/index/silver.future.gone"), nil)
	mustWrite(t, l.path(".dag/index/silver.future.ticks"), nil)
	mustWrite(t, l.path(".dag/fanout/gone-0.jsonl"), nil)
	if err := l.SetFanOut(addr.Stage{Name: "ingest"}, "root=ES", manifest.FanOut{Values: []string{"ESU5"}}); err != nil {
		t.Fatal(err)
	}
	keep := Keep{Stages: []addr.Stage{{Name: "ingest"}}, Knows: func(addr.Partition) bool { return true }}
	list, err := l.Leftovers(t.Context(), keep)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, x := range list {
		got = append(got, string(x.Kind)+" "+x.Path)
		if err := l.Remove(t.Context(), x, keep); err != nil {
			t.Error(err)
		}
		if _, err := os.Lstat(l.path(x.Path)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is still there: %v", x.Path, err)
		}
	}
	want := []string{
		"fan_out .dag/fanout/gone-0.jsonl", "index .dag/index/silver.future.gone", "lease .dag/leases/dead.json",
		"lease_draft .dag/leases/dead.json.1.tmp", "staging .dag/tmp/dead", "orphan silver/symbol=ESU5/table=old/dt=2025-08-04",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s", strings.Join(got, "\n"))
	}
	for _, path := range []string{".dag/tmp/alive/owner.json", ".dag/leases/alive.json", ".dag/index/silver.future.ticks", "silver/symbol=ESU5/table=ticks/dt=2025-08-04/_SUCCESS"} {
		if _, err := os.Stat(l.path(path)); err != nil {
			t.Error(err)
		}
	}
	if list, err = l.Leftovers(t.Context(), keep); err != nil || len(list) > 0 {
		t.Errorf("%+v %v", list, err)
	}
}

// TestRemoveLooksAgain: what has come to life since it was listed stays.
func TestRemoveLooksAgain(t *testing.T) {
	later := time.Now().Add(48 * time.Hour)
	l := open(t, filepath.Join(t.TempDir(), "lake"), Options{Now: func() time.Time { return later }, LockTimeout: -1})
	mustPut(t, l, "v1", 3, 7, part("ESU5", "2025-08-04"))
	known := false
	keep := Keep{Knows: func(addr.Partition) bool { return known }}
	mustWrite(t, l.path(".dag/tmp/run/owner.json"), ownerOf(t, "", time.Now()))
	mustWrite(t, l.path(".dag/leases/some.json"), ownerOf(t, "x", time.Now()))
	list, err := l.Leftovers(t.Context(), keep)
	if err != nil || len(list) != 3 {
		t.Fatalf("%+v %v", list, err)
	}
	known = true
	mustWrite(t, l.path(".dag/tmp/run/owner.json"), ownerOf(t, "", later))
	mustWrite(t, l.path(".dag/leases/some.json"), ownerOf(t, "x", later))
	for _, x := range list {
		if err := l.Remove(t.Context(), x, keep); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(l.path(x.Path)); err != nil {
			t.Error(err)
		}
	}
	if err := l.Remove(t.Context(), Leftover{Kind: ForeignData, Path: "silver/symbol=ESU5"}, keep); err == nil {
		t.Error("data of another tool was removed")
	}
}

func TestLeasesAndBreaking(t *testing.T) {
	root := filepath.Join(t.TempDir(), "lake")
	l := open(t, root, Options{})
	other := open(t, root, Options{RunID: "other"})
	p := part("ESU5", "2025-08-04")
	got, err := other.Lease(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	list, err := l.Leases()
	if err != nil || len(list) != 1 || list[0].Name != p.String() || list[0].Dead || list[0].Run != "other" || list[0].Taken.IsZero() {
		t.Fatalf("%+v %v", list, err)
	}
	var living *LivingError
	if _, err := l.BreakLease(p.String(), false); !errors.As(err, &living) {
		t.Error(err)
	}
	if ok, err := l.BreakLease(p.String(), true); !ok || err != nil {
		t.Error(ok, err)
	}
	if ok, err := l.BreakLease(p.String(), true); ok || err != nil {
		t.Error("it was there twice", err)
	}
	if list, err := l.Leases(); err != nil || len(list) > 0 {
		t.Error(list, err)
	}
	if err := got.Release(); err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

// TestLeaseOfAnotherMachine: until when it is waited for is said.
func TestLeaseOfAnotherMachine(t *testing.T) {
	root := filepath.Join(t.TempDir(), "lake")
	now := time.Now()
	clock := now.Add(time.Hour)
	l := open(t, root, Options{LockTimeout: -1, Now: func() time.Time { return clock }})
	p := part("ESU5", "2025-08-04")
	mustWrite(t, leaseFile(t, l, p), ownerOf(t, p.String(), now))
	list, err := l.Leases()
	if err != nil || len(list) != 1 || list[0].Dead || !list[0].Silent {
		t.Errorf("%+v %v", list, err)
	}
	until := "it counts as gone at " + clock.Add(lease.Silence).Local().Format(time.TimeOnly)
	if _, err := l.Lease(t.Context(), p); !errors.As(err, new(*LeaseError)) || !strings.Contains(err.Error(), until) {
		t.Error(err)
	}
	if _, err := l.BreakLease(p.String(), false); !errors.As(err, new(*LivingError)) || !strings.Contains(err.Error(), until) {
		t.Error(err)
	}
	clock = clock.Add(lease.Silence)
	if list, err = l.Leases(); err != nil || len(list) != 1 || !list[0].Dead || list[0].Silent {
		t.Errorf("%+v %v", list, err)
	}
	got, err := l.Lease(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	if err := got.Release(); err != nil {
		t.Error(err)
	}
}

// leaseFile is the path of a partition's lease.
func leaseFile(t *testing.T, l *Lake, p addr.Partition) string {
	t.Helper()
	got, err := l.Lease(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	list, err := l.Leases()
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	if err := got.Release(); err != nil {
		t.Fatal(err)
	}
	return l.path(".dag/leases/" + list[0].File)
}

func TestRebuildIndex(t *testing.T) {
	root := filepath.Join(t.TempDir(), "lake")
	l := open(t, root, Options{})
	p := part("ESU5", "2025-08-04")
	mustPut(t, l, "v1", 3, 7, p)
	mustWrite(t, l.path("raw/symbol=ES/table=dbn/20250804.dbn"), []byte("x"))
	mustWrite(t, l.path(".dag/index/"+ticks.String()), []byte("damaged"))
	list, err := l.RebuildIndex(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []Rebuilt{{ticks, false, 1}, {totals, false, 0}, {raw, true, 1}}
	if !slices.Equal(list, want) {
		t.Errorf("%+v", list)
	}
	if h, err := open(t, root, Options{}).Examine(t.Context()); err != nil || h.Index[ticks] != nil {
		t.Error("the index is still damaged", err)
	}
}

func TestExamine(t *testing.T) {
	root := filepath.Join(t.TempDir(), "lake")
	l := open(t, root, Options{})
	if h, err := l.Examine(t.Context()); err != nil || h.Exists {
		t.Error("a lake that is not there", h, err)
	}
	if _, err := os.Stat(root); err == nil {
		t.Fatal("the lake was made")
	}
	mustWrite(t, l.path("raw/symbol=ES/table=dbn/20250804.dbn"), []byte("x"))
	mustWrite(t, l.path(".dag/index/"+ticks.String()), []byte("damaged"))
	h, err := l.Examine(t.Context())
	if err != nil || !h.Exists || h.Write != nil || h.Sources != 1 || len(h.Unreadable) > 0 || h.Index[ticks] == nil {
		t.Errorf("%+v %v", h, err)
	}
	if left, _ := os.ReadDir(l.path(tmpDir)); len(left) > 0 {
		t.Error("left:", left)
	}
	l.fs = noExchangeFS{quickFS{}}
	if h, err = l.Examine(t.Context()); err != nil || h.Exchange {
		t.Errorf("%+v %v", h, err)
	}
	l.o.NoWrite = true
	if h, err = l.Examine(t.Context()); err != nil || h.Write == nil {
		t.Errorf("%+v %v", h, err)
	}
	now := time.Now()
	if d := skew(now.Add(-time.Minute), now, now); d != -time.Minute {
		t.Error(d)
	}
	if d := skew(now.Add(time.Minute), now, now); d != time.Minute {
		t.Error(d)
	}
}

// noExchangeFS is a file system that cannot exchange names.
type noExchangeFS struct{ quickFS }

func (noExchangeFS) Exchange(_, _ string) error { return errNoExchange }

// TestRemoveSparesWhatIsBelow: partitions of a path that has grown lie in the folders
// of those before it. Only the files of the orphan go.
func TestRemoveSparesWhatIsBelow(t *testing.T) {
	l := open(t, filepath.Join(t.TempDir(), "lake"), Options{})
	p := part("ESU5", "2025-08-04")
	mustPut(t, l, "v1", 3, 7, p)
	dir := "silver/symbol=ESU5/table=ticks/dt=2025-08-04"
	aside := filepath.Join(t.TempDir(), "v2")
	if err := errors.Join(os.CopyFS(aside, os.DirFS(l.path(dir))), os.Rename(aside, l.path(dir+"/v2"))); err != nil {
		t.Fatal(err)
	}
	mustWrite(t, l.path(dir+"/notes.txt"), []byte("mine"))
	keep := Keep{Knows: func(addr.Partition) bool { return false }}
	list, err := l.Leftovers(t.Context(), keep)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(list, func(x Leftover) bool { return x.Path == dir })
	if i < 0 {
		t.Fatalf("%+v", list)
	}
	if n := l.bytesBelow(dir + "/v2"); list[i].Bytes != n {
		t.Errorf("%d bytes, want %d", list[i].Bytes, n)
	}
	if err := l.Remove(t.Context(), list[i], keep); err != nil {
		t.Fatal(err)
	}
	var left []string
	err = filepath.WalkDir(l.path(dir), func(path string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(l.path(dir), path)
			left = append(left, rel)
		}
		return err
	})
	if want := []string{"notes.txt", "v2/_MANIFEST.json", "v2/_SUCCESS", "v2/part-00000.parquet"}; err != nil || !slices.Equal(left, want) {
		t.Errorf("%v is left: %v", left, err)
	}
}
