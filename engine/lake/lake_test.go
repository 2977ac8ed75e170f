package lake

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"dag/engine/addr"
	"dag/engine/contract"
	"dag/engine/manifest"
)

var (
	ticks  = addr.Dataset{Layer: "silver", Product: "future", Table: "ticks"}
	totals = addr.Dataset{Layer: "gold", Product: "future", Table: "totals"}
	raw    = addr.Dataset{Layer: "raw", Product: "future", Table: "dbn"}
)

// pattern accepts upper-case letters and digits, like the keys of futures.
func pattern(v string) error {
	if strings.Trim(v, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != "" {
		return fmt.Errorf("%q does not match", v)
	}
	return nil
}

func tickContract() *contract.Contract {
	return &contract.Contract{
		Name: "Ticks",
		Schema: arrow.NewSchema([]arrow.Field{
			{Name: "ts", Type: arrow.PrimitiveTypes.Int64},
			{Name: "price", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
		}, nil),
		Docs: []string{"ns", "1e-9"}, Digest: "c",
	}
}

func layouts() []Layout {
	symbol, dt := Key{Name: "symbol", Check: pattern}, Key{Name: "dt", Date: true}
	return []Layout{
		{
			Addr: ticks, Keys: []Key{symbol, dt}, Contract: tickContract(), ContractPath: "ticks.avsc", Sort: []string{"ts"},
			Path: []Segment{{Prefix: "silver"}, {Prefix: "symbol=", Key: "symbol"}, {Prefix: "table=ticks"}, {Prefix: "dt=", Key: "dt"}},
		},
		{Addr: totals, Contract: tickContract(), Path: []Segment{{Prefix: "gold"}, {Prefix: "totals"}}},
		{
			Addr: raw, Source: true, Keys: []Key{{Name: "root", Check: pattern}, dt},
			Path: []Segment{{Prefix: "raw"}, {Prefix: "symbol=", Key: "root"}, {Prefix: "table=dbn"}},
		},
	}
}

// open opens a lake whose notices go to the test's log.
func open(t *testing.T, root string, o Options) *Lake {
	t.Helper()
	o.Notice = func(s string) { t.Log(s) }
	l, err := Open(root, layouts(), o)
	if err != nil {
		t.Fatal(err)
	}
	l.fs = quickFS{}
	t.Cleanup(func() {
		if err := l.leases.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// quickFS is osFS without fsync, which no test can see.
type quickFS struct{ osFS }

func (quickFS) SyncDir(string) error { return nil }
func (f quickFS) Create(p string) (writableFile, error) {
	w, err := f.osFS.Create(p)
	return quickFile{w}, err
}

type quickFile struct{ writableFile }

func (quickFile) Sync() error { return nil }

func part(symbol, dt string) addr.Partition {
	return addr.Partition{Dataset: ticks, Keys: addr.MakeKeys(addr.KeyValue{Key: "symbol", Value: symbol}, addr.KeyValue{Key: "dt", Value: dt})}
}

// rows makes a batch of n rows of which the first price is price.
func rows(n int, price int64) arrow.Record {
	b := array.NewRecordBuilder(memory.DefaultAllocator, tickContract().Schema)
	for i := range n {
		b.Field(0).(*array.Int64Builder).Append(int64(i))
		b.Field(1).(*array.Int64Builder).Append(price + int64(i))
	}
	return b.NewRecord()
}

// made is a manifest with a fingerprint of its own.
func made(version string) *manifest.Manifest {
	return &manifest.Manifest{
		Stage: "s", Fingerprint: manifest.Fingerprint{Sum: manifest.NewHasher(version).Done().String()},
		Reason: manifest.Reason{Code: "missing"}, Run: manifest.Run{ID: "r", StartedAt: "2025-01-01T00:00:00Z"},
	}
}

// put commits partitions with n rows each, priced from price on.
func put(l *Lake, version string, n int, price int64, parts ...addr.Partition) ([]Committed, error) {
	s, err := l.Begin()
	if err != nil {
		return nil, err
	}
	defer s.Discard()
	var out []Output
	for _, p := range parts {
		w, err := s.Partition(p)
		if err != nil {
			return nil, err
		}
		if n > 0 {
			if err := w.Write(rows(n, price)); err != nil {
				return nil, err
			}
		}
		out = append(out, Output{p, made(version)})
	}
	return s.Commit(context.Background(), out)
}

func mustPut(t *testing.T, l *Lake, version string, n int, price int64, parts ...addr.Partition) []Committed {
	t.Helper()
	c, err := put(l, version, n, price, parts...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// firstPrice reads a partition whole and returns its rows and first price.
func firstPrice(l *Lake, p addr.Partition) (n, price int64, err error) {
	in, err := l.OpenPartition(p)
	if err != nil {
		return 0, 0, err
	}
	defer in.Close()
	for rec, err := range in.Read(context.Background(), "price") {
		if err != nil {
			return 0, 0, err
		}
		if n == 0 {
			price = rec.Column(0).(*array.Int64).Value(0)
		}
		n += rec.NumRows()
	}
	if n != in.Rows() {
		return 0, 0, fmt.Errorf("read %d of %d rows", n, in.Rows())
	}
	return n, price, nil
}

func TestCommitAndRead(t *testing.T) {
	root := filepath.Join(t.TempDir(), "lake")
	l := open(t, root, Options{})
	a, b := part("ESU5", "2025-06-05"), part("ESU5", "2025-06-06")
	c := mustPut(t, l, "v1", 40_000, 7, a, b)
	if len(c) != 2 || c[0].Partition != a || c[0].Rows != 40_000 || c[0].Unchanged || c[0].Digest != c[1].Digest {
		t.Fatalf("%+v", c)
	}
	if n, p, err := firstPrice(l, a); n != 40_000 || p != 7 || err != nil {
		t.Fatal(n, p, err)
	}
	m, err := l.Manifest(a)
	if err != nil || m.RowCount != 40_000 || m.Partition() != a || m.Files[0].Bytes != c[0].Bytes {
		t.Fatal(m, err)
	}
	if c := mustPut(t, l, "v1", 40_000, 7, a); !c[0].Unchanged {
		t.Error("the same bytes are not Unchanged")
	}
	before, _ := l.Trace(t.Context(), a)
	if c := mustPut(t, l, "v2", 40_000, 7, a); !c[0].Unchanged {
		t.Error("the same bytes of another version are not Unchanged")
	}
	after, err := l.Trace(t.Context(), a)
	if err != nil || after.Fingerprint == before.Fingerprint || after.Digest != before.Digest || after.State != manifest.Complete {
		t.Error("the fingerprint was not renewed:", before, after, err)
	}
	if c := mustPut(t, l, "v2", 3, 9, a); c[0].Unchanged {
		t.Error("other bytes are Unchanged")
	}
	if n, p, err := firstPrice(l, a); n != 3 || p != 9 || err != nil {
		t.Error(n, p, err)
	}
	if left := leftovers(t, l); len(left) > 0 {
		t.Error("left in staging:", left)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if left, _ := os.ReadDir(l.path(tmpDir)); len(left) > 0 {
		t.Error("left after Close:", left)
	}
	if left, _ := filepath.Glob(filepath.Join(l.path(leaseDir), "*.json")); len(left) > 0 {
		t.Error("leases left:", left)
	}
}

// leftovers lists what is staged in the folders of all runs.
func leftovers(t *testing.T, l *Lake) []string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(l.path(tmpDir), "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(list, func(p string) bool { return filepath.Base(p) == ownerName })
}

func TestEmptyAndKeyless(t *testing.T) {
	l := open(t, t.TempDir(), Options{})
	s, err := l.Begin()
	if err != nil {
		t.Fatal(err)
	}
	p := addr.Partition{Dataset: totals}
	c, err := s.Commit(t.Context(), []Output{{p, made("v")}})
	if err != nil || c[0].Rows != 0 || c[0].Bytes == 0 {
		t.Fatal(c, err)
	}
	if n, _, err := firstPrice(l, p); n != 0 || err != nil {
		t.Error(n, err)
	}
	tab, err := l.Table(t.Context(), totals, nil)
	if err != nil || len(tab.Series) != 1 || tab.Series[0].Keys != "" || tab.Series[0].Parts[0].State != manifest.Complete {
		t.Error(tab, err)
	}
}

func TestWriterRefuses(t *testing.T) {
	l := open(t, t.TempDir(), Options{})
	s, err := l.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Discard()
	w, err := s.Partition(part("ESU5", "2025-06-05"))
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(rows(5, 0)); err != nil {
		t.Fatal(err)
	}
	err = w.Write(rows(5, 0)) // starts at ts 0 again
	if err == nil || !strings.Contains(err.Error(), "row 5 is out of order: the dataset is sorted by ts, and 0 follows 4") {
		t.Error(err)
	}
	if again := w.Close(); again == nil {
		t.Error("a writer closes well after an error")
	}
	for _, p := range []addr.Partition{
		part("es", "2025-06-05"), part("ESU5", "2025-6-5"), part("ESU5", "x"), {Dataset: ticks, Keys: "symbol=ESU5"},
		{Dataset: ticks, Keys: "dt=2025-06-05,symbol=ESU5"}, {Dataset: ticks, Keys: "symbol=../../x,dt=2025-06-05"}, {Dataset: raw},
	} {
		if _, err := s.Partition(p); err == nil {
			t.Errorf("%s can be written", p)
		}
	}
	if err := s.Discard(); err != nil {
		t.Error(err)
	}
	if _, err := s.Partition(part("ESU5", "2025-06-06")); err == nil {
		t.Error("a discarded unit opens an output")
	}
}

func TestStates(t *testing.T) {
	root := t.TempDir()
	l := open(t, root, Options{})
	days := []string{"2025-06-02", "2025-06-03", "2025-06-04", "2025-06-05", "2025-06-06", "2025-06-09", "2025-06-10"}
	for _, d := range days[:6] {
		mustPut(t, l, "v", 10, 1, part("ESU5", d))
	}
	file := func(day, name string) string {
		return filepath.Join(root, "silver/symbol=ESU5/table=ticks/dt="+day, name)
	}
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.Remove(file(days[1], "_SUCCESS")))
	must(os.Remove(file(days[2], "_MANIFEST.json")))
	must(os.WriteFile(file(days[3], "_MANIFEST.json"), []byte("{}"), 0o666))
	must(os.Truncate(file(days[4], manifest.DataName), 100))
	must(os.WriteFile(file(days[5], "_SUCCESS"), nil, 0o666))
	must(os.MkdirAll(filepath.Join(root, "silver/symbol=es/table=ticks/dt=2025-06-05"), 0o777))
	must(os.MkdirAll(file("tomorrow", ""), 0o777))
	want := []manifest.State{manifest.Complete, manifest.Incomplete, manifest.UnreadableManifest, manifest.UnreadableManifest, manifest.OutputChanged, manifest.Unverified}
	check := func(l *Lake, name string) {
		tab, err := l.Table(t.Context(), ticks, nil)
		if err != nil || len(tab.Series) != 1 || tab.Series[0].Keys != "symbol=ESU5" || len(tab.Series[0].Parts) != len(want) {
			t.Fatalf("%s: %+v %v", name, tab, err)
		}
		for i, p := range tab.Series[0].Parts {
			if p.State != want[i] || p.Day.String() != days[i] {
				t.Errorf("%s: %s is %d, want %d", name, p.Day, p.State, want[i])
			}
			if p.State.HasData() && (p.Rows != 10 || p.Bytes == 0 || p.Digest == manifest.Sum{}) {
				t.Errorf("%s: %+v", name, p)
			}
		}
	}
	cold := open(t, root, Options{})
	check(cold, "cold")
	must(cold.SaveIndex())
	check(open(t, root, Options{}), "after SaveIndex")
	for i, d := range days {
		if tr, err := l.Trace(t.Context(), part("ESU5", d)); err != nil || i < len(want) && tr.State != want[i] || i == len(want) && tr.State != manifest.Missing {
			t.Error(d, tr, err)
		}
		if _, _, err := firstPrice(l, part("ESU5", d)); (err == nil) != (i == 0 || i == 5) {
			t.Error(d, err)
		}
	}
	if _, err := l.Manifest(part("ESU5", days[2])); err == nil || !strings.Contains(err.Error(), "_MANIFEST.json is gone") {
		t.Error(err)
	}
}

// TestRacyFolders: a folder that is changed again within the resolution of
// its time is seen by the next listing.
func TestRacyFolders(t *testing.T) {
	root := t.TempDir()
	p := part("ESU5", "2025-06-05")
	mustPut(t, open(t, root, Options{}), "v", 10, 1, p)
	l := open(t, root, Options{})
	if _, err := l.Table(t.Context(), ticks, nil); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(root, "silver/symbol=ESU5/table=ticks/dt=2025-06-05")
	info, err := os.Stat(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "_SUCCESS")); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(dir, info.ModTime(), info.ModTime()); err != nil {
		t.Fatal(err)
	}
	tab, err := l.Table(t.Context(), ticks, nil)
	if err != nil || tab.Series[0].Parts[0].State != manifest.Incomplete {
		t.Error(tab, err)
	}
	// Long after, the time stands for the content: the entry is used.
	later := open(t, root, Options{Now: func() time.Time { return time.Now().Add(time.Hour) }})
	if _, err := later.Table(t.Context(), ticks, nil); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "_SUCCESS"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(dir, info.ModTime(), info.ModTime()); err != nil {
		t.Fatal(err)
	}
	tab, err = later.Table(t.Context(), ticks, nil)
	if err != nil || tab.Series[0].Parts[0].State != manifest.Incomplete {
		t.Error("the index was not used:", tab, err)
	}
}

func TestNoWrite(t *testing.T) {
	root := t.TempDir()
	mustPut(t, open(t, root, Options{}), "v", 1, 1, part("ESU5", "2025-06-05"))
	if err := os.RemoveAll(filepath.Join(root, ".dag")); err != nil {
		t.Fatal(err)
	}
	l := open(t, root, Options{NoWrite: true})
	if tab, err := l.Table(t.Context(), ticks, nil); err != nil || len(tab.Series) != 1 {
		t.Error(tab, err)
	}
	if err := l.Sweep(t.Context()); err != nil {
		t.Error(err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if _, err := l.Begin(); err == nil {
		t.Error("a lake for reading stages")
	}
	if _, err := os.Stat(filepath.Join(root, ".dag")); err == nil {
		t.Error("a lake for reading was written to")
	}
	gone, err := Open(filepath.Join(root, "nowhere"), layouts(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if tab, err := gone.Table(t.Context(), ticks, nil); err != nil || len(tab.Series) != 0 {
		t.Error(tab, err)
	}
	if err := gone.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(root, "nowhere")); err == nil {
		t.Error("a lake was made by looking at it")
	}
}
