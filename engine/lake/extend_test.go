package lake

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"dag/engine/addr"
	"dag/engine/contract"
	"dag/engine/manifest"
	"dag/engine/stage"
)

var doubled = addr.Dataset{Layer: "silver", Product: "future", Table: "doubled"}

// openDoubled opens a lake with a dataset whose rows are those of ticks, and one
// column more.
func openDoubled(t *testing.T, root string) *Lake {
	t.Helper()
	list := layouts()
	d := list[0]
	d.Addr = doubled
	d.Path = append([]Segment{{Prefix: "gold"}}, d.Path[1:]...)
	d.Contract = &contract.Contract{Name: "Doubled", Schema: arrow.NewSchema([]arrow.Field{
		{Name: "ts", Type: arrow.PrimitiveTypes.Int64},
		{Name: "twice", Type: arrow.PrimitiveTypes.Int64},
		{Name: "price", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
	}, nil)}
	l, err := Open(root, append(list, d), Options{})
	if err != nil {
		t.Fatal(err)
	}
	l.fs = quickFS{}
	t.Cleanup(func() { _ = l.leases.Close() })
	return l
}

// extend commits the doubled partition of a tick partition, n rows of it.
func extend(t *testing.T, l *Lake, n int, adds ...string) ([]Committed, error) {
	t.Helper()
	in, err := l.OpenPartition(part("ESU5", "2025-08-04"))
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	s, err := l.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Discard()
	p := addr.Partition{Dataset: doubled, Keys: part("ESU5", "2025-08-04").Keys}
	w, err := s.Extend(t.Context(), p, in, &stage.Extension{Port: "in", Adds: adds})
	if err != nil {
		return nil, err
	}
	for at := 0; at < n; at += 30_000 {
		if err := w.Write(column("twice", at, min(at+30_000, n))); err != nil {
			return nil, err
		}
	}
	return s.Commit(t.Context(), []Output{{p, made("v")}})
}

// column is a batch of one column that holds the numbers from lo to hi.
func column(name string, lo, hi int) arrow.Record {
	s := arrow.NewSchema([]arrow.Field{{Name: name, Type: arrow.PrimitiveTypes.Int64}}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, s)
	for i := lo; i < hi; i++ {
		b.Field(0).(*array.Int64Builder).Append(int64(2 * i))
	}
	return b.NewRecord()
}

// Columns that are copied and columns that are encoded again give the same file.
func TestExtend(t *testing.T) {
	const rows = 140_000
	root := filepath.Join(t.TempDir(), "lake")
	l := openDoubled(t, root)
	mustPut(t, l, "v", rows, 5, part("ESU5", "2025-08-04"))
	file := filepath.Join(root, "gold", "symbol=ESU5", "table=ticks", "dt=2025-08-04", manifest.DataName)
	if _, err := extend(t, l, rows, "twice"); err != nil {
		t.Fatal(err)
	}
	copied, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	// Without our manifest the input is another tool's, and nothing is taken from
	// it unread.
	ticks := filepath.Join(root, "silver", "symbol=ESU5", "table=ticks", "dt=2025-08-04")
	for _, name := range []string{manifest.FileName, manifest.SuccessName} {
		if err := os.Remove(filepath.Join(ticks, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(ticks, manifest.SuccessName), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Dir(file)); err != nil {
		t.Fatal(err)
	}
	if _, err := extend(t, l, rows, "twice"); err != nil {
		t.Fatal(err)
	}
	if encoded, err := os.ReadFile(file); err != nil || !bytes.Equal(copied, encoded) {
		t.Errorf("%d bytes were copied, and %d encoded, not the same (%v)", len(copied), len(encoded), err)
	}
	in, err := l.OpenPartition(addr.Partition{Dataset: doubled, Keys: part("ESU5", "2025-08-04").Keys})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	at := int64(0)
	for rec, err := range in.Read(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		for i := range int(rec.NumRows()) {
			if ts, twice := rec.Column(0).(*array.Int64).Value(i), rec.Column(1).(*array.Int64).Value(i); ts != at || twice != 2*at {
				t.Fatalf("row %d holds %d, %d", at, ts, twice)
			}
			at++
		}
	}
	if at != rows {
		t.Errorf("%d rows", at)
	}
}

func TestExtendMistakes(t *testing.T) {
	l := openDoubled(t, filepath.Join(t.TempDir(), "lake"))
	mustPut(t, l, "v", 100, 5, part("ESU5", "2025-08-04"))
	for _, unverified := range []bool{false, true} {
		if unverified {
			dir := filepath.Join(l.Root(), "silver", "symbol=ESU5", "table=ticks", "dt=2025-08-04")
			if err := os.WriteFile(filepath.Join(dir, manifest.SuccessName), nil, 0o666); err != nil {
				t.Fatal(err)
			}
		}
		for _, rows := range []int{0, 99, 101} {
			if _, err := extend(t, l, rows, "twice"); err == nil || !strings.Contains(err.Error(), "100") {
				t.Errorf("%d rows beside 100: %v", rows, err)
			}
		}
		if _, err := extend(t, l, 100, "price"); err == nil {
			t.Error("another column was written than is declared, and there was no error")
		}
	}
}

// TestExtendBlamesItsInput: damage that is met while columns are copied has the input
// made anew, as if it had been read.
func TestExtendBlamesItsInput(t *testing.T) {
	root := filepath.Join(t.TempDir(), "lake")
	l := openDoubled(t, root)
	p := part("ESU5", "2025-08-04")
	mustPut(t, l, "v", 3000, 5, p)
	file := filepath.Join(root, "silver", "symbol=ESU5", "table=ticks", "dt=2025-08-04", manifest.DataName)
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 64 {
		b[100+i] ^= 0xff
	}
	if err := os.WriteFile(file, b, 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := extend(t, l, 3000, "twice"); err == nil || !strings.Contains(err.Error(), "was changed after it was written; apply again to make it anew") {
		t.Error(err)
	}
	if tr, err := l.Current(t.Context(), p); err != nil || tr.State != manifest.OutputChanged {
		t.Errorf("state %d, %v", tr.State, err)
	}
}
