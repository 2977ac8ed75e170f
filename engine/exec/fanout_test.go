package exec_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dag/engine/addr"
	"dag/engine/event"
	"dag/engine/manifest"
	"dag/engine/stage"
)

// settled fails the test if a plan has anything to do.
func (w *world) settled() {
	w.t.Helper()
	g, lk := w.open()
	for _, it := range w.plan(g, lk).Items {
		w.t.Errorf("left to do: %s, %s", it.Describe(), it.Reason.Code)
	}
	if err := lk.Close(); err != nil {
		w.t.Error(err)
	}
}

func (w *world) manifest(part string) *manifest.Manifest {
	w.t.Helper()
	_, lk := w.open()
	p, err := addr.ParsePartition(part)
	if err != nil {
		w.t.Fatal(err)
	}
	m, err := lk.Manifest(p)
	if err != nil {
		w.t.Fatal(err)
	}
	return m
}

// recordFanOut replaces what is recorded of the fan-out.
func (w *world) recordFanOut(text string) {
	w.t.Helper()
	list, _ := filepath.Glob(filepath.Join(w.root, ".dag", "fanout", "*.jsonl"))
	if len(list) != 1 {
		w.t.Fatalf("the records are %q", list)
	}
	if err := os.WriteFile(list[0], []byte(text), 0o666); err != nil {
		w.t.Fatal(err)
	}
}

// A value that goes leaves an empty partition, which stays the unit's own: it is
// compared, made again, and filled when the value comes back.
func TestValueThatGoesBecomesEmpty(t *testing.T) {
	const gone = "bronze.t.events[symbol=ESZ5,dt=2025-08-04]"
	for name, change := range map[string]func(t *testing.T, w *world){
		"nothing happens": func(t *testing.T, w *world) {},
		"its folder is deleted": func(t *testing.T, w *world) {
			if err := os.RemoveAll(filepath.Join(w.root, "bronze", "ESZ5")); err != nil {
				t.Fatal(err)
			}
		},
		"the transform changes": func(t *testing.T, w *world) {
			w.spec = func(s *stage.Spec) { s.Version = 2 }
		},
		"the record is lost": func(t *testing.T, w *world) {
			w.recordFanOut("")
			w.spec = func(s *stage.Spec) { s.Version = 2 }
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.raw("2025-08-04.txt", "ESU5 1\nESZ5 2\n")
			w.apply(context.Background(), nil)
			w.raw("2025-08-04.txt", "ESU5 1\nESH6 40\n")
			w.apply(context.Background(), nil)
			change(t, w)
			w.apply(context.Background(), nil)
			equal(t, w.value("silver.t.doubled[symbol=ESZ5,dt=2025-08-04]"), nil)
			equal(t, w.value("gold.t.total[root=ES]"), []int64{82})
			if m, other := w.manifest(gone), w.manifest("bronze.t.events[symbol=ESU5,dt=2025-08-04]"); m.RowCount != 0 || m.Fingerprint != other.Fingerprint {
				t.Errorf("%s is not made from what its siblings are", gone)
			}
			w.settled()
			w.raw("2025-08-04.txt", "ESZ5 3\n")
			w.apply(context.Background(), nil)
			equal(t, w.value(gone), []int64{3})
			equal(t, w.value("gold.t.total[root=ES]"), []int64{6})
			w.settled()
		})
	}
}

// A unit that made no value at all runs again when what it read has changed, and
// not otherwise.
func TestFanOutOfNothing(t *testing.T) {
	for name, c := range map[string]struct {
		change func(w *world)
		runs   []string
	}{
		"nothing happens":       {func(w *world) {}, nil},
		"its file changes":      {func(w *world) { w.raw("2025-08-04.txt", "ESU5 1\nESZ5 2\n") }, []string{"double[symbol=ESU5,dt=2025-08-04]", "double[symbol=ESZ5,dt=2025-08-04]", "ingest[root=ES,dt=2025-08-04]", "total[root=ES]"}},
		"the transform changes": {func(w *world) { w.spec = func(s *stage.Spec) { s.Version = 2 } }, []string{"ingest[root=ES,dt=2025-08-04]"}},
		"the record is of before": {func(w *world) {
			w.recordFanOut(`{"stage":"ingest","unit":"root=ES,dt=2025-08-04","values":[]}` + "\n")
		}, []string{"ingest[root=ES,dt=2025-08-04]"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.raw("2025-08-04.txt", "")
			w.apply(context.Background(), nil)
			w.settled()
			c.change(w)
			w.apply(context.Background(), nil)
			equal(t, w.finished(event.Done), c.runs)
			w.settled()
		})
	}
}

// A record that the stage as it is now cannot have made is no record.
func TestStrangeRecord(t *testing.T) {
	values := map[string]string{
		"a way out":          `["../../../evil"]`,
		"one bad value":      `["ESU5","ES/../../x"]`,
		"no text":            `["ESU5",""]`,
		"a bracket":          `["a]b"]`,
		"twice":              `["ESU5","ESU5"]`,
		"two parts":          `["ESZ5,ESH6"]`,
		"not of the pattern": `["ESU5","ESU5ESZ5ESH6"]`,
		"of another root":    `["ESU5","NQU5"]`,
	}
	for name, list := range values {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.raw("2025-08-04.txt", "ESU5 1\n")
			w.apply(context.Background(), nil)
			w.recordFanOut(`{"stage":"ingest","unit":"root=ES,dt=2025-08-04","values":` + list + "}\n")
			w.apply(context.Background(), nil)
			equal(t, w.finished(event.Failed), nil)
			w.settled()
			if folders, _ := filepath.Glob(filepath.Join(w.root, "bronze", "*")); len(folders) != 1 {
				t.Errorf("there are %q", folders)
			}
		})
	}
}

// What is recorded for other fan_out keys, or for another pattern of one, is no
// record either.
func TestFanOutKeysChange(t *testing.T) {
	for name, c := range map[string]struct {
		edits  []string
		values []string
	}{
		"a key more": {[]string{
			`key "dt" {`, "key \"venue\" {\n type = string\n}\nkey \"dt\" {",
			"[\"symbol\", \"dt\"]\n  path     = \"bronze", "[\"symbol\", \"venue\", \"dt\"]\n  path     = \"bronze",
			`fan_out = ["symbol"]`, `fan_out = ["symbol", "venue"]`,
			`input "in" { from = dataset.bronze.t.events }`, "input \"in\" {\n from = dataset.bronze.t.events\n collect = [\"venue\"]\n }",
		}, []string{"ESU5", "X"}},
		"a narrower pattern": {[]string{"{3,8}", "{3,4}"}, []string{"ESU5"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.raw("2025-08-04.txt", "ESU5 1\nESU5ESZ5 2\n")
			w.apply(context.Background(), nil)
			w.edit = strings.NewReplacer(c.edits...).Replace
			w.runs["ingest"] = func(ctx context.Context, t stage.Task) error {
				o, err := t.Output("out", c.values...)
				if err != nil {
					return err
				}
				return write(o, 7)
			}
			w.apply(context.Background(), nil)
			equal(t, w.finished(event.Failed), nil)
			equal(t, w.value("silver.t.doubled[symbol=ESU5,dt=2025-08-04]"), []int64{14})
			w.settled()
		})
	}
}

// A value of another unit is an error of the unit that brings it: two that write
// one partition would take turns for ever.
func TestValueOfAnotherRoot(t *testing.T) {
	w := newWorld(t)
	w.raw("2025-08-04.txt", "ESU5 1\nNQU5 100\n")
	dir := filepath.Join(w.root, "raw", "NQ")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "2025-08-04.txt"), []byte("NQU5 7\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		w.apply(context.Background(), nil)
		equal(t, w.finished(event.Failed), []string{"ingest[root=ES,dt=2025-08-04]"})
		for _, e := range w.events {
			if f, ok := e.(event.StepFinished); ok && f.Err != nil && !strings.Contains(f.Err.Error(), "ingest[root=ES,dt=2025-08-04]: symbol NQU5 has root NQ, but this unit makes what has root ES") {
				t.Errorf("the error is %v", f.Err)
			}
		}
		equal(t, w.value("gold.t.total[root=NQ]"), []int64{14})
	}
	w.raw("2025-08-04.txt", "ESU5 1\n")
	w.apply(context.Background(), nil)
	equal(t, w.value("gold.t.total[root=ES]"), []int64{2})
	w.settled()
}
