package lake

import (
	"crypto/sha256"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"dag/engine/addr"
	"dag/engine/manifest"
)

// deliver writes a raw file of a root with a time of change in the past.
func deliver(t *testing.T, root, symbol, name, content string) string {
	t.Helper()
	dir := filepath.Join(root, "raw/symbol="+symbol+"/table=dbn")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
		t.Fatal(err)
	}
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(path, old, old); err != nil {
		t.Fatal(err)
	}
	return path
}

func sumOf(s string) (out manifest.Sum) {
	h := sha256.Sum256([]byte(s))
	copy(out[:], h[:])
	return out
}

func TestSource(t *testing.T) {
	root := t.TempDir()
	path := deliver(t, root, "ES", "b.dbn", "bbb")
	deliver(t, root, "ES", "a.dbn", "a")
	deliver(t, root, "NQ", "a.dbn", "n")
	deliver(t, root, "es", "a.dbn", "ignored: no root")
	deliver(t, root, "ES", ".part", "ignored: hidden")
	l := open(t, root, Options{})
	tab, err := l.Table(t.Context(), raw, nil)
	if err != nil || len(tab.Series) != 2 || tab.Series[0].Keys != "root=ES" || len(tab.Series[0].Files) != 2 {
		t.Fatal(tab, err)
	}
	if f := tab.Series[0].Files[1]; f.Name != "b.dbn" || f.Size != 3 || f.Digest != (manifest.Sum{}) {
		t.Errorf("%+v", f)
	}
	in, err := l.OpenSource(raw, "root=ES", "b.dbn")
	if err != nil {
		t.Fatal(err)
	}
	r, err := in.Open()
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(r); string(b) != "bbb" || err != nil {
		t.Error(b, err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if d, err := in.Digest(t.Context()); d != sumOf("bbb") || err != nil {
		t.Error(d, err)
	}
	if in.Name() != "b.dbn" || in.Path() != "raw/symbol=ES/table=dbn/b.dbn" || in.Size() != 3 {
		t.Error(in.Name(), in.Path(), in.Size())
	}
	if err := l.SaveIndex(); err != nil {
		t.Fatal(err)
	}
	next := open(t, root, Options{})
	tab, err = next.Table(t.Context(), raw, nil)
	if err != nil || tab.Series[0].Files[1].Digest != sumOf("bbb") || tab.Series[0].Files[0].Digest != (manifest.Sum{}) {
		t.Error(tab, err)
	}
	if d, err := next.Digest(t.Context(), raw, "root=ES", "a.dbn"); d != sumOf("a") || err != nil {
		t.Error(d, err)
	}
	if err := os.WriteFile(path, []byte("ccc"), 0o666); err != nil {
		t.Fatal(err)
	}
	if d, err := open(t, root, Options{}).Digest(t.Context(), raw, "root=ES", "b.dbn"); d != sumOf("ccc") || err != nil {
		t.Error("a changed file keeps its digest:", d, err)
	}
	for _, bad := range []struct {
		series addr.Keys
		file   string
	}{{"root=ES", "../a"}, {"root=ES", "none"}, {"", "a.dbn"}, {"root=es", "a.dbn"}, {"symbol=ES", "a.dbn"}} {
		if _, err := l.OpenSource(raw, bad.series, bad.file); err == nil {
			t.Errorf("%v can be opened", bad)
		}
	}
}

// TestSourceChangesWhileRead: no digest for a file that was not one thing.
func TestSourceChangesWhileRead(t *testing.T) {
	root := t.TempDir()
	path := deliver(t, root, "ES", "a.dbn", "abc")
	l := open(t, root, Options{})
	in, err := l.OpenSource(raw, "root=ES", "a.dbn")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("abcd"), 0o666); err != nil {
		t.Fatal(err)
	}
	if d, err := in.Digest(t.Context()); err == nil {
		t.Error("it has digest", d)
	}
}

// TestDigestFromConsumers: without an index the manifests of consumers tell
// what a file's content was.
func TestDigestFromConsumers(t *testing.T) {
	root := t.TempDir()
	path := deliver(t, root, "ES", "a.dbn", "abc")
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	claimed := sumOf("known from the manifest")
	m := made("v")
	m.Inputs = []manifest.Input{{Port: "dbn", Partition: "raw.future.dbn[root=ES,dt=2025-06-05]", Digest: claimed.String(),
		File: "raw/symbol=ES/table=dbn/a.dbn", Bytes: 3, ModTime: info.ModTime().UnixNano()}}
	l := open(t, root, Options{})
	s, err := l.Begin()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Commit(t.Context(), []Output{{part("ESU5", "2025-06-05"), m}}); err != nil {
		t.Fatal(err)
	}
	l = open(t, root, Options{})
	if _, err := l.Table(t.Context(), ticks, nil); err != nil {
		t.Fatal(err)
	}
	if d, err := l.Digest(t.Context(), raw, "root=ES", "a.dbn"); d != claimed || err != nil {
		t.Error("the file was hashed again:", d, err)
	}
	deliver(t, root, "ES", "a.dbn", "abcd")
	if d, err := l.Digest(t.Context(), raw, "root=ES", "a.dbn"); d != sumOf("abcd") || err != nil {
		t.Error("a changed file was not hashed:", d, err)
	}
}

func TestFanOut(t *testing.T) {
	root := t.TempDir()
	st := addr.Stage{Name: "ingest", Instance: "a/b"}
	l := open(t, root, Options{})
	if _, ok, err := l.FanOut(st, "root=ES"); ok || err != nil {
		t.Error(ok, err)
	}
	for _, r := range []manifest.FanOut{
		{Values: []string{"ESU5"}}, {Values: []string{"ESU5", "ESZ5"}}, {Values: []string{"ESU5", "ESZ5"}},
		{Made: &manifest.Made{Fingerprint: manifest.Fingerprint{Sum: "1"}}}, {Made: &manifest.Made{Fingerprint: manifest.Fingerprint{Sum: "2"}}},
	} {
		if err := l.SetFanOut(st, addr.Keys("root=ES"), r); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.SetFanOut(st, "root=NQ", manifest.FanOut{Values: []string{"NQU5"}}); err != nil {
		t.Fatal(err)
	}
	path := l.fanOutPath(st)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	// A crash in the middle of a line loses that line alone.
	if err := os.WriteFile(path, append(b, `{"stage":"ingest[\"a/b\"]","unit":"root=NQ","val`...), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := open(t, root, Options{}).SetFanOut(st, "root=YM", manifest.FanOut{Values: []string{"YMU5"}}); err != nil {
		t.Fatal(err)
	}
	all, err := open(t, root, Options{}).FanOuts(st)
	if es := all["root=ES"]; err != nil || len(all) != 3 || len(es.Values) != 0 || es.Made == nil || es.Made.Fingerprint.Sum != "2" {
		t.Error(all, err)
	}
	if nq, ym := all["root=NQ"], all["root=YM"]; !slices.Equal(nq.Values, []string{"NQU5"}) || !slices.Equal(ym.Values, []string{"YMU5"}) || nq.Made != nil {
		t.Error(all)
	}
}
