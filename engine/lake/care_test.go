package lake

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"dag/engine/addr"
	"dag/engine/manifest"
)

// strip makes a partition one of another tool: an empty marker, and a manifest
// that is not ours.
func strip(t *testing.T, l *Lake, p addr.Partition) string {
	t.Helper()
	rel, err := l.Folder(p)
	if err != nil {
		t.Fatal(err)
	}
	dir := l.path(rel)
	for name, text := range map[string]string{manifest.SuccessName: "", manifest.FileName: `{"theirs": 1}`, ".part.crc": "crc"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func trace(t *testing.T, l *Lake, p addr.Partition) manifest.Trace {
	t.Helper()
	tr, err := l.Trace(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func versionSum(version string) manifest.Sum { return manifest.NewHasher(version).Done() }

func TestRestateForeign(t *testing.T) {
	t.Run("exchange", func(t *testing.T) { restateForeign(t, quickFS{}) })
	t.Run("no exchange", func(t *testing.T) { restateForeign(t, noExchangeFS{}) })
}

func restateForeign(t *testing.T, fs filesystem) {
	l := open(t, filepath.Join(t.TempDir(), "lake"), Options{})
	l.fs = fs
	p := part("ESU5", "2025-08-04")
	mustPut(t, l, "v1", 3, 7, p)
	dir := strip(t, l, p)
	before, err := os.Stat(filepath.Join(dir, manifest.DataName))
	if err != nil {
		t.Fatal(err)
	}
	seen := trace(t, l, p)
	if seen.State != manifest.Unverified {
		t.Fatalf("%+v", seen)
	}
	var read int64
	now, err := l.Restate(t.Context(), Restatement{Partition: p, Seen: seen, Manifest: made("v2"), Read: func(n int64) { read += n }})
	if err != nil {
		t.Fatal(err)
	}
	if now.State != manifest.Complete || now.Fingerprint != versionSum("v2") || now.Rows != 3 || now.Digest != seen.Digest || now.Day != seen.Day || read != now.Bytes {
		t.Errorf("%+v, read %d", now, read)
	}
	if got := trace(t, l, p); got != now {
		t.Errorf("it is %+v, and Restate said %+v", got, now)
	}
	after, err := os.Stat(filepath.Join(dir, manifest.DataName))
	if err != nil || !os.SameFile(before, after) || !after.ModTime().Equal(before.ModTime()) {
		t.Error("the data file is another one", err)
	}
	for name, want := range map[string]string{ForeignManifest: `{"theirs": 1}`, ".part.crc": "crc"} {
		if b, err := os.ReadFile(filepath.Join(dir, name)); string(b) != want {
			t.Errorf("%s: %q %v", name, b, err)
		}
	}
	if n, price, err := firstPrice(l, p); n != 3 || price != 7 || err != nil {
		t.Error(n, price, err)
	}
	var changed *ChangedError
	if _, err := l.Restate(t.Context(), Restatement{Partition: p, Seen: seen, Manifest: made("v3")}); !errors.As(err, &changed) {
		t.Error("what is not as it was seen was restated:", err)
	}
	if now, err = l.Restate(t.Context(), Restatement{Partition: p, Seen: now, Manifest: made("v3")}); err != nil || now.Fingerprint != versionSum("v3") {
		t.Error("one of ours:", now, err)
	}
	if got := trace(t, l, p); got != now {
		t.Errorf("it is %+v, and Restate said %+v", got, now)
	}
}

// TestRestateRefuses: data that cannot be what the manifest would say stays as it
// is.
func TestRestateRefuses(t *testing.T) {
	for name, spoil := range map[string]func(dir string) error{
		"no Parquet": func(dir string) error { return os.WriteFile(filepath.Join(dir, manifest.DataName), []byte("x"), 0o666) },
		"no files":   func(dir string) error { return os.Remove(filepath.Join(dir, manifest.DataName)) },
		"a folder":   func(dir string) error { return os.Mkdir(filepath.Join(dir, "more"), 0o777) },
		"no marker":  func(dir string) error { return os.Remove(filepath.Join(dir, manifest.SuccessName)) },
		"unsorted": func(dir string) error { // the second file begins before the end of the first
			b, err := os.ReadFile(filepath.Join(dir, manifest.DataName))
			return errors.Join(err, os.WriteFile(filepath.Join(dir, "part-00001.parquet"), b, 0o666))
		},
	} {
		l := open(t, filepath.Join(t.TempDir(), "lake"), Options{})
		p := part("ESU5", "2025-08-04")
		mustPut(t, l, "v1", 3, 7, p)
		dir := strip(t, l, p)
		if err := spoil(dir); err != nil {
			t.Fatal(err)
		}
		seen := trace(t, l, p)
		var unfit *UnfitError
		if _, err := l.Restate(t.Context(), Restatement{Partition: p, Seen: seen, Manifest: made("v2")}); !errors.As(err, &unfit) {
			t.Errorf("%s: %v", name, err)
		}
		if got := trace(t, l, p); got != seen {
			t.Errorf("%s: it is %+v, and was %+v", name, got, seen)
		}
		if left, _ := filepath.Glob(l.path(tmpDir) + "/*/*.0"); len(left) > 0 {
			t.Errorf("%s: %v is left", name, left)
		}
	}
}

func TestRestateNeedsTablesAndFiles(t *testing.T) {
	l := openIndex(t, filepath.Join(t.TempDir(), "lake"))
	p := addr.Partition{Dataset: totals}
	first := putIndex(t, l, "v1", "four")
	dir := strip(t, l, p)
	r := Restatement{Partition: p, Seen: trace(t, l, p), Manifest: made("v2"), Files: []string{"vectors.f64"}}
	now, err := l.Restate(t.Context(), r)
	if err != nil || now.Digest != first.Digest {
		t.Errorf("tables and files are not all in the content: %+v %v", now, err)
	}
	strip(t, l, p)
	if err := os.Remove(filepath.Join(dir, "dates.parquet")); err != nil {
		t.Fatal(err)
	}
	r.Seen = trace(t, l, p)
	if _, err := l.Restate(t.Context(), r); err == nil || !strings.Contains(err.Error(), "has no file dates.parquet") {
		t.Error(err)
	}
}

func TestInvalidate(t *testing.T) {
	root := filepath.Join(t.TempDir(), "lake")
	l := open(t, root, Options{LockTimeout: -1})
	p := part("ESU5", "2025-08-04")
	mustPut(t, l, "v1", 3, 7, p)
	if done, err := l.Invalidate(t.Context(), p); !done || err != nil {
		t.Fatal(done, err)
	}
	if got := trace(t, l, p).State; got != manifest.Incomplete {
		t.Error(got)
	}
	table, err := l.Table(t.Context(), ticks, nil)
	if err != nil || table.Series[0].Parts[0].State != manifest.Incomplete {
		t.Error("the index has not seen it", err)
	}
	if done, err := l.Invalidate(t.Context(), p); done || err != nil {
		t.Error("there was a marker to take", err)
	}
	mustPut(t, l, "v1", 3, 7, p)
	if got := trace(t, l, p).State; got != manifest.Complete {
		t.Error(got)
	}
	other := open(t, root, Options{LockTimeout: -1, RunID: "other"})
	lease, err := other.Lease(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	defer lease.Release()
	var held *LeaseError
	if _, err := l.Invalidate(t.Context(), p); !errors.As(err, &held) {
		t.Error(err)
	}
}

// kinds are the problems of a partition.
func kinds(v Verified) string {
	var out []string
	for _, p := range v.Problems {
		out = append(out, string(p.Kind))
	}
	return strings.Join(out, " ")
}

func TestVerify(t *testing.T) {
	write := func(name, text string) func(string) error {
		return func(dir string) error { return os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666) }
	}
	remove := func(name string) func(string) error {
		return func(dir string) error { return os.Remove(filepath.Join(dir, name)) }
	}
	for name, c := range map[string]struct {
		spoil func(dir string) error
		want  string
	}{
		"nothing": {func(string) error { return nil }, ""},
		"a flipped bit": {func(dir string) error {
			path := filepath.Join(dir, manifest.DataName)
			b, err := os.ReadFile(path)
			if err == nil {
				b[len(b)/2] ^= 4
				err = os.WriteFile(path, b, 0o666)
			}
			return err
		}, "file_changed"},
		"another size":     {write(manifest.DataName, "x"), "file_resized"},
		"gone":             {remove(manifest.DataName), "file_gone"},
		"a stranger":       {write("part-00001.parquet", "x"), "file_added"},
		"a sidecar":        {write("_note", "x"), ""},
		"no marker":        {remove(manifest.SuccessName), "incomplete"},
		"no manifest":      {remove(manifest.FileName), "manifest_broken"},
		"another manifest": {write(manifest.FileName, "{}"), "manifest_broken"},
		"of another tool":  {write(manifest.SuccessName, ""), ""},
		"of another tool, and no Parquet": {func(dir string) error {
			return errors.Join(write(manifest.SuccessName, "")(dir), write(manifest.DataName, "x")(dir))
		}, "foreign_broken"},
		"of another tool, and empty": {func(dir string) error {
			return errors.Join(write(manifest.SuccessName, "")(dir), remove(manifest.DataName)(dir))
		}, "foreign_broken"},
	} {
		l := open(t, filepath.Join(t.TempDir(), "lake"), Options{})
		p := part("ESU5", "2025-08-04")
		mustPut(t, l, "v1", 3, 7, p)
		rel, err := l.Folder(p)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.spoil(l.path(rel)); err != nil {
			t.Fatal(err)
		}
		v, err := l.Verify(t.Context(), p, func(int64) {})
		if err != nil || kinds(v) != c.want {
			t.Errorf("%s: %q %v, want %q", name, kinds(v), err, c.want)
		}
		if strings.HasPrefix(name, "of another tool") != v.Unrecorded {
			t.Errorf("%s: Unrecorded is %v", name, v.Unrecorded)
		}
	}
}

func TestVerifyFindsACopiedFolder(t *testing.T) {
	l := open(t, filepath.Join(t.TempDir(), "lake"), Options{})
	mustPut(t, l, "v1", 3, 7, part("ESU5", "2025-08-04"))
	if err := os.CopyFS(l.path("silver/symbol=ESU5/table=ticks/dt=2025-08-05"), os.DirFS(l.path("silver/symbol=ESU5/table=ticks/dt=2025-08-04"))); err != nil {
		t.Fatal(err)
	}
	v, err := l.Verify(t.Context(), part("ESU5", "2025-08-05"), func(int64) {})
	if err != nil || kinds(v) != "manifest_misplaced" || v.Problems[0].Old != part("ESU5", "2025-08-04").String() {
		t.Errorf("%+v %v", v, err)
	}
	if v, err := l.Verify(t.Context(), part("ESU5", "2025-08-06"), func(int64) {}); err != nil || len(v.Problems) > 0 {
		t.Error("what is not there:", v, err)
	}
}

func TestVerifySource(t *testing.T) {
	l := open(t, filepath.Join(t.TempDir(), "lake"), Options{})
	dir := l.path("raw/symbol=ES/table=dbn")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "20250804.dbn")
	old := time.Now().Add(-time.Hour)
	put := func(text string) {
		if err := errors.Join(os.WriteFile(path, []byte(text), 0o666), os.Chtimes(path, old, old)); err != nil {
			t.Fatal(err)
		}
	}
	verify := func() Verified {
		v, err := l.VerifySource(t.Context(), raw, "root=ES", "20250804.dbn", func(int64) {})
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	put("four")
	if v := verify(); !v.Unrecorded || v.Files != 0 {
		t.Errorf("nobody has read it yet: %+v", v)
	}
	if _, err := l.Digest(t.Context(), raw, "root=ES", "20250804.dbn"); err != nil {
		t.Fatal(err)
	}
	if v := verify(); v.Unrecorded || len(v.Problems) > 0 || v.Bytes != 4 {
		t.Errorf("%+v", v)
	}
	put("five")
	if v := verify(); kinds(v) != "source_changed" || v.Problems[0].Path != "raw/symbol=ES/table=dbn/20250804.dbn" {
		t.Errorf("%+v", v)
	}
	if _, err := l.VerifySource(t.Context(), raw, "root=ES", "x", func(int64) {}); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

func TestOrphans(t *testing.T) {
	l := open(t, filepath.Join(t.TempDir(), "lake"), Options{})
	home, stray := part("ESU5", "2025-08-04"), part("ESU5", "2025-08-05")
	mustPut(t, l, "v1", 3, 7, home, stray)
	from := os.DirFS(l.path("silver/symbol=ESU5/table=ticks/dt=2025-08-04"))
	for _, dir := range []string{"silver/symbol=ESU5/table=old/dt=2025-08-04", "silver/symbol=esu5/table=ticks/dt=2025-08-04"} {
		if err := os.CopyFS(l.path(dir), from); err != nil {
			t.Fatal(err)
		}
	}
	for _, dir := range []string{"silver/symbol=ESU5/table=ticks/dt=2025-13-04", "silver/symbol=ESU5/table=theirs/dt=2025-08-04", "raw/symbol=ES/table=dbn"} {
		if err := errors.Join(os.MkdirAll(l.path(dir), 0o777), os.WriteFile(l.path(dir+"/part-00000.parquet"), []byte("x"), 0o666)); err != nil {
			t.Fatal(err)
		}
	}
	looked := 0
	list, err := l.Orphans(t.Context(), func(p addr.Partition) bool { return p != stray }, func() { looked++ })
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, o := range list {
		got = append(got, fmt.Sprintf("%s %s own=%v %s", o.Kind, o.Path, o.Own, o.Name))
	}
	slices.Sort(got)
	want := []string{
		"no_dataset silver/symbol=ESU5/table=old/dt=2025-08-04 own=true silver.future.ticks[symbol=ESU5,dt=2025-08-04]",
		"no_place silver/symbol=ESU5/table=ticks/dt=2025-08-05 own=true silver.future.ticks[symbol=ESU5,dt=2025-08-05]",
		"no_value silver/symbol=ESU5/table=ticks/dt=2025-13-04 own=false silver.future.ticks",
		"no_value silver/symbol=esu5/table=ticks/dt=2025-08-04 own=true silver.future.ticks",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s", strings.Join(got, "\n"))
	}
	if looked < 10 {
		t.Error("only", looked, "folders were looked at")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.Orphans(ctx, func(addr.Partition) bool { return true }, func() {}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestDamageIsMadeGood: bytes that have changed in place are met when they are read;
// the next listing has the partition made anew, and a unit that makes the same bytes
// replaces it although manifest and fingerprint are the same.
func TestDamageIsMadeGood(t *testing.T) {
	root := filepath.Join(t.TempDir(), "lake")
	l := open(t, root, Options{})
	p := part("ESU5", "2025-08-04")
	mustPut(t, l, "v1", 3000, 7, p)
	rel, err := l.Folder(p)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(l.path(rel), manifest.DataName)
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	damage := func() {
		b := bytes.Clone(whole)
		for i := range 64 {
			b[100+i] ^= 0xff
		}
		if err := os.WriteFile(file, b, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	damage()
	if _, _, err := firstPrice(l, p); err == nil || !strings.Contains(err.Error(), "was changed after it was written; apply again to make it anew") {
		t.Fatal(err)
	}
	if err := l.SaveIndex(); err != nil {
		t.Fatal(err)
	}
	if tr, err := open(t, root, Options{}).Current(t.Context(), p); err != nil || tr.State != manifest.OutputChanged {
		t.Errorf("state %d, %v", tr.State, err)
	}
	for _, c := range mustPut(t, l, "v1", 3000, 7, p) {
		if c.Unchanged {
			t.Error("damage was taken for what the unit made")
		}
	}
	if b, err := os.ReadFile(file); err != nil || !bytes.Equal(b, whole) {
		t.Error("the file is still damaged", err)
	}
	if tr, err := l.Current(t.Context(), p); err != nil || tr.State != manifest.Complete {
		t.Errorf("state %d, %v", tr.State, err)
	}
	for _, c := range mustPut(t, l, "v1", 3000, 7, p) {
		if !c.Unchanged {
			t.Error("the same bytes count as changed")
		}
	}

	// A file that is whole again before its unit has run: it stays, and the index
	// hears of it.
	damage()
	if _, _, err := firstPrice(l, p); err == nil {
		t.Error("damage was not met")
	}
	if err := os.WriteFile(file, whole, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, c := range mustPut(t, l, "v1", 3000, 7, p) {
		if !c.Unchanged {
			t.Error("the same bytes count as changed")
		}
	}
	if tr, err := l.Current(t.Context(), p); err != nil || tr.State != manifest.Complete {
		t.Errorf("state %d, %v", tr.State, err)
	}
}

// TestOneBadFolder: a folder that cannot be what its names say has a state like any
// other; it keeps nobody from listing the rest.
func TestOneBadFolder(t *testing.T) {
	large := func(path string) error {
		return errors.Join(os.Remove(path), os.WriteFile(path, nil, 0o666), os.Truncate(path, manifest.MaxBytes+1))
	}
	folder := func(path string) error { return errors.Join(os.Remove(path), os.Mkdir(path, 0o777)) }
	foreign := func(spoil func(path string) error) func(dir string) error {
		return func(dir string) error {
			return errors.Join(os.WriteFile(filepath.Join(dir, manifest.SuccessName), nil, 0o666), spoil(filepath.Join(dir, "part-00001.parquet")))
		}
	}
	for name, c := range map[string]struct {
		spoil func(dir string) error
		want  manifest.State
	}{
		"a manifest that is too large": {func(dir string) error { return large(filepath.Join(dir, manifest.FileName)) }, manifest.UnreadableManifest},
		"a folder for a manifest":      {func(dir string) error { return folder(filepath.Join(dir, manifest.FileName)) }, manifest.UnreadableManifest},
		"a marker that is too large":   {func(dir string) error { return large(filepath.Join(dir, manifest.SuccessName)) }, manifest.Incomplete},
		"a folder for a marker":        {func(dir string) error { return folder(filepath.Join(dir, manifest.SuccessName)) }, manifest.Incomplete},
		"a folder for rows":            {func(dir string) error { return folder(filepath.Join(dir, manifest.DataName)) }, manifest.OutputChanged},
		"another tool's dangling link": {foreign(func(path string) error { return os.Symlink("nowhere", path) }), manifest.Incomplete},
		"another tool's folder":        {foreign(func(path string) error { return os.Mkdir(path, 0o777) }), manifest.Incomplete},
	} {
		root := filepath.Join(t.TempDir(), "lake")
		l := open(t, root, Options{})
		bad, good := part("ESU5", "2025-08-04"), part("ESU5", "2025-08-05")
		mustPut(t, l, "v1", 3, 7, bad, good)
		rel, err := l.Folder(bad)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.spoil(l.path(rel)); err != nil {
			t.Fatal(err)
		}
		l = open(t, root, Options{})
		if a, b := trace(t, l, bad).State, trace(t, l, good).State; a != c.want || b != manifest.Complete {
			t.Errorf("%s: state %d, want %d; the other has %d", name, a, c.want, b)
		}
		mustPut(t, l, "v2", 3, 7, bad)
		if s := trace(t, l, bad).State; s != manifest.Complete {
			t.Errorf("%s: state %d after it was made anew", name, s)
		}
	}
}
