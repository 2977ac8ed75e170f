package lake

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/apache/arrow/go/v17/arrow/array"

	"dag/engine/addr"
	"dag/engine/contract"
	"dag/engine/manifest"
)

// openIndex opens a lake whose keyless dataset holds two tables beside its rows.
func openIndex(t *testing.T, root string) *Lake {
	t.Helper()
	list := layouts()
	list[1].Tables = map[string]*contract.Contract{"features": tickContract(), "dates": tickContract()}
	l, err := Open(root, list, Options{})
	if err != nil {
		t.Fatal(err)
	}
	l.fs = quickFS{}
	t.Cleanup(func() { _ = l.leases.Close() })
	return l
}

// putIndex commits the keyless partition with a table, a binary file, and one
// table never opened.
func putIndex(t *testing.T, l *Lake, version, data string) Committed {
	t.Helper()
	s, err := l.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Discard()
	w, err := s.Partition(addr.Partition{Dataset: totals})
	if err != nil {
		t.Fatal(err)
	}
	features, err := w.Table("features")
	if err != nil {
		t.Fatal(err)
	}
	f, err := w.File("vectors.f64")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(rows(3, 7)); err != nil {
		t.Fatal(err)
	}
	if err := features.Write(rows(2, 40)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(f, data); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"features", "unknown"} {
		if _, err := w.Table(name); err == nil {
			t.Errorf("table %s was opened twice or is unknown, and there was no error", name)
		}
	}
	for _, name := range []string{"vectors.f64", "../x", ""} {
		if _, err := w.File(name); err == nil {
			t.Errorf("file %q was opened", name)
		}
	}
	c, err := s.Commit(t.Context(), []Output{{addr.Partition{Dataset: totals}, made(version)}})
	if err != nil {
		t.Fatal(err)
	}
	return c[0]
}

func TestTablesAndFilesBesideTheRows(t *testing.T) {
	l := openIndex(t, filepath.Join(t.TempDir(), "lake"))
	p := addr.Partition{Dataset: totals}
	first := putIndex(t, l, "v1", "four")
	if first.Rows != 3 {
		t.Errorf("%d rows: only those of the partition itself count", first.Rows)
	}
	in, err := l.OpenPartition(p)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	for table, want := range map[string]int64{"features": 2, "dates": 0} {
		n := int64(0)
		for rec, err := range in.Table(t.Context(), table, "price") {
			if err != nil {
				t.Fatal(err)
			}
			if n += rec.NumRows(); rec.Column(0).(*array.Int64).Value(0) != 40 {
				t.Error(rec)
			}
		}
		if n != want {
			t.Errorf("table %s has %d rows, want %d", table, n, want)
		}
	}
	r, size, err := in.File("vectors.f64")
	if err != nil || size != 4 {
		t.Fatal(size, err)
	}
	data, err := io.ReadAll(io.NewSectionReader(r, 0, size))
	if string(data) != "four" || err != nil {
		t.Errorf("%q, %v", data, err)
	}
	if _, _, err := in.File("other"); err == nil {
		t.Error("a file that is not there was opened")
	}
	for _, err := range in.Table(t.Context(), "other") {
		if err == nil {
			t.Error("a table that is not there was read")
		}
	}
	if again := putIndex(t, l, "v1", "four"); !again.Unchanged {
		t.Error("the same content is not Unchanged")
	}
	if other := putIndex(t, l, "v1", "five"); other.Unchanged || other.Digest == first.Digest {
		t.Error("the binary file is not part of the content")
	}
	if err := os.Remove(filepath.Join(l.path("gold/totals"), "dates.parquet")); err != nil {
		t.Fatal(err)
	}
	if tr, err := l.Trace(t.Context(), p); err != nil || tr.State != manifest.OutputChanged {
		t.Errorf("a table is gone and the state is %v, %v", tr.State, err)
	}
}
