package exec_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime/pprof"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"dag/engine/addr"
	"dag/engine/event"
	"dag/engine/exec"
	"dag/engine/lake"
	"dag/engine/stage"
)

// onePerDay reads the doubled numbers of one contract and day.
const onePerDay = `
dataset "silver" "t" "copied" {
  keys     = ["symbol", "dt"]
  path     = "copied/${key.symbol}"
  contract = "t.avsc"
}
stage "copy" {
  transform = "t.copy"
  input "in" { from = dataset.silver.t.doubled }
  output "out" { to = dataset.silver.t.copied }
}
`

// fusedWorld is the pipeline of the tests with a copy in place of the total: a
// dataset that is not stored is read one partition at a time.
func fusedWorld(t testing.TB, stored bool) *world {
	w := newWorld(t)
	w.edit = func(hcl string) string {
		head, _, _ := strings.Cut(hcl, `dataset "gold" "t" "total"`)
		if !stored {
			head = strings.Replace(head, `path     = "doubled/${key.symbol}"`, "path     = \"doubled/${key.symbol}\"\n  stored   = false", 1)
		}
		return head + onePerDay
	}
	w.runs["copy"] = func(_ context.Context, t stage.Task) error {
		in, err := values(t)
		if err != nil {
			return err
		}
		t.Count("numbers", int64(len(in)))
		out, err := t.Output("out")
		if err != nil {
			return err
		}
		return write(out, in...)
	}
	return w
}

func TestFusedStageMakesTheSameBytes(t *testing.T) {
	var bytes []string
	for _, stored := range []bool{true, false} {
		w := fusedWorld(t, stored)
		w.raw("2025-08-04.txt", "ESU5 1\nESZ5 2\nESU5 3\n")
		w.apply(context.Background(), nil)
		equal(t, w.value("silver.t.copied[symbol=ESU5,dt=2025-08-04]"), []int64{2, 6})
		b, err := os.ReadFile(filepath.Join(w.root, "copied", "ESU5", "dt=2025-08-04", "part-00000.parquet"))
		if err != nil {
			t.Fatal(err)
		}
		bytes = append(bytes, string(b))
		if _, err := os.Stat(filepath.Join(w.root, "doubled")); (err == nil) != stored {
			t.Errorf("stored is %v, and of the folder: %v", stored, err)
		}
		if w.apply(context.Background(), nil); len(w.finished(event.Done)) != 0 {
			t.Errorf("a second apply ran %v", w.finished(event.Done))
		}
	}
	if bytes[0] != bytes[1] {
		t.Error("the bytes differ")
	}
}

// What a fused stage is made from decides about those that read it.
func TestFusedStagePassesChangesOn(t *testing.T) {
	w := fusedWorld(t, false)
	w.raw("2025-08-04.txt", "ESU5 1\nESZ5 2\n")
	w.apply(context.Background(), nil)
	w.raw("2025-08-04.txt", "ESU5 1\nESZ5 5\n")
	w.apply(context.Background(), nil)
	equal(t, w.finished(event.Done), []string{"copy[symbol=ESZ5,dt=2025-08-04]", "ingest[root=ES,dt=2025-08-04]"})
	equal(t, w.finished(event.CutOff), []string{"copy[symbol=ESU5,dt=2025-08-04]"})
	equal(t, w.value("silver.t.copied[symbol=ESZ5,dt=2025-08-04]"), []int64{10})

	if err := os.RemoveAll(filepath.Join(w.root, "copied", "ESU5")); err != nil {
		t.Fatal(err)
	}
	w.apply(context.Background(), nil)
	equal(t, w.finished(event.Done), []string{"copy[symbol=ESU5,dt=2025-08-04]"})
}

func TestFusedStageThatFailsNamesItsDataset(t *testing.T) {
	w := fusedWorld(t, false)
	w.runs["double"] = func(context.Context, stage.Task) error { return errors.New("no luck") }
	w.raw("2025-08-04.txt", "ESU5 1\n")
	out := w.apply(context.Background(), nil)
	if out.Counts[event.Failed] != 1 {
		t.Errorf("counts %v", out.Counts)
	}
	for _, e := range w.events {
		if f, ok := e.(event.StepFinished); ok && f.Err != nil && !strings.Contains(f.Err.Error(), "silver.t.doubled, which is not stored: no luck") {
			t.Error(f.Err)
		}
	}
}

// An input of a fused stage that moves before the unit runs is met.
func TestFusedInputGoneMeanwhile(t *testing.T) {
	w := fusedWorld(t, false)
	w.raw("2025-08-04.txt", "ESU5 1\n")
	w.apply(context.Background(), meanwhile(w, "copy[symbol=ESU5,dt=2025-08-04]", func() {
		if err := os.RemoveAll(filepath.Join(w.root, "bronze")); err != nil {
			t.Fatal(err)
		}
	}))
	equal(t, w.replanned(), []string{"copy[symbol=ESU5,dt=2025-08-04]: its input bronze.t.events[symbol=ESU5,dt=2025-08-04] is gone"})
}

// keepAll is a filter that keeps every row.
func keepAll(_ context.Context, t stage.Task) error {
	out, err := t.Output("out")
	if err != nil {
		return err
	}
	for rec, err := range t.Read("in", "x") {
		if err != nil {
			return err
		}
		b := array.NewBooleanBuilder(memory.DefaultAllocator)
		b.AppendValues(slices.Repeat([]bool{true}, int(rec.NumRows())), nil)
		col := b.NewArray()
		keep := array.NewRecord(stage.Keep, []arrow.Array{col}, rec.NumRows())
		col.Release()
		err := out.Write(keep)
		keep.Release()
		if err != nil {
			return err
		}
	}
	return out.Close()
}

// TestFusedReaderThatHasEnough: where a reader stops, nothing goes on reading for
// it, ahead or to complete rows.
func TestFusedReaderThatHasEnough(t *testing.T) {
	w := fusedWorld(t, false)
	w.runs["double"] = keepAll
	w.spec = func(s *stage.Spec) {
		if s.Name == "t.double" {
			s.Outputs[0].Extends = &stage.Extension{Port: "in", Filter: true}
		}
	}
	w.runs["copy"] = func(_ context.Context, t stage.Task) error {
		for _, err := range t.Read("in", "x") {
			if err != nil {
				return err
			}
			break
		}
		out, err := t.Output("out")
		if err != nil {
			return err
		}
		return write(out, 1)
	}
	w.raw("2025-08-04.txt", strings.Repeat("ESU5 1\n", 4*lake.BatchRows))
	w.apply(context.Background(), nil)
	equal(t, w.value("silver.t.copied[symbol=ESU5,dt=2025-08-04]"), []int64{1})
	var stacks strings.Builder
	if err := pprof.Lookup("goroutine").WriteTo(&stacks, 2); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"parallel.Ahead", "iter.Pull2"} {
		if strings.Contains(stacks.String(), name) {
			t.Errorf("a goroutine is left in %s:\n%s", name, stacks.String())
		}
	}
}

func TestReadFused(t *testing.T) {
	w := fusedWorld(t, false)
	w.raw("2025-08-04.txt", "ESU5 1\nESU5 4\n")
	w.apply(context.Background(), nil)
	g, lk := w.open()
	p := w.plan(g, lk)
	work, ok, err := p.Fused(context.Background(), partition(t, "silver.t.doubled[symbol=ESU5,dt=2025-08-04]"))
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	n := int64(0)
	for rec, err := range exec.ReadFused(context.Background(), lk, work) {
		if err != nil {
			t.Fatal(err)
		}
		n += rec.NumRows()
	}
	if n != 2 {
		t.Errorf("%d rows", n)
	}
	for _, other := range []string{"silver.t.doubled[symbol=ESU5,dt=2025-08-05]", "silver.t.doubled[symbol=ESZ5,dt=2025-08-04]", "bronze.t.events[symbol=ESU5,dt=2025-08-04]"} {
		if _, ok, _ := p.Fused(context.Background(), partition(t, other)); ok {
			t.Errorf("%s can be made", other)
		}
	}
}

func partition(t *testing.T, text string) addr.Partition {
	t.Helper()
	p, err := addr.ParsePartition(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}
