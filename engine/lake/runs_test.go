package lake

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"dag/engine/addr"
)

// recordRun keeps a record as a process does that has ended since: on another host,
// not heard of for two days.
func recordRun(t *testing.T, root, id string, heard time.Time, doc string) {
	t.Helper()
	l := open(t, root, Options{RunID: id})
	r, err := l.Record()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(r, "{\"event\":\"notice\"}\n"); err != nil {
		t.Fatal(err)
	}
	if doc != "" {
		if err := r.Save([]byte(doc)); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	mustWrite(t, l.path(".dag/runs/"+id+"/owner.json"), ownerOf(t, "", heard))
}

// TestRecordsOfRuns: the newest first, which of them live, and what may go.
func TestRecordsOfRuns(t *testing.T) {
	root := filepath.Join(t.TempDir(), "lake")
	now := time.Now().Add(48 * time.Hour)
	recordRun(t, root, "20250801-1", time.Now(), `{"n": 1}`)
	recordRun(t, root, "20250802-1", time.Now(), "")
	recordRun(t, root, "20250803-1", now, `{"n": 3}`)
	recordRun(t, root, "20250804-1", time.Now(), `{"n": 4}`)
	l := open(t, root, Options{RunID: "x", Now: func() time.Time { return now }})
	runs, err := l.Runs()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range runs {
		alive := ""
		if r.Alive() {
			alive = " alive"
		}
		doc, err := r.Doc()
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, r.ID+" "+string(doc)+alive)
	}
	if want := []string{`20250804-1 {"n": 4}`, `20250803-1 {"n": 3} alive`, `20250801-1 {"n": 1}`}; !slices.Equal(got, want) {
		t.Errorf("runs %q, want %q", got, want)
	}
	f, err := runs[0].Events()
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(f); err != nil || string(b) != "{\"event\":\"notice\"}\n" || f.Close() != nil {
		t.Errorf("events %q, %v", b, err)
	}
	for keep, want := range map[int]string{0: "20250802-1", 2: "20250801-1 20250802-1", 1: "20250801-1 20250802-1"} {
		list, err := l.Leftovers(context.Background(), Keep{Knows: func(addr.Partition) bool { return true }, Runs: keep})
		if err != nil {
			t.Fatal(err)
		}
		var old []string
		for _, x := range list {
			if x.Kind == OldRun {
				old = append(old, x.Owner)
			}
		}
		if got := strings.Join(old, " "); got != want {
			t.Errorf("of which %d are kept, %q may go, want %q", keep, got, want)
		}
	}
	if err := l.ForgetRun("20250803-1"); err == nil {
		t.Error("the record of a run that goes on is removed")
	}
	mustWrite(t, l.path(".dag/runs/20250803-1/results.json"), []byte("{}"))
	if err := l.ForgetRun("20250803-1"); err != nil {
		t.Error("a run that has results has ended:", err)
	}
	if err := l.ForgetRun("20250803-1"); err != nil {
		t.Error("it is gone already:", err)
	}
	if err := l.ForgetRun("../runs"); err == nil {
		t.Error("a path is taken for a run")
	}
	if err := l.Remove(context.Background(), Leftover{Kind: OldRun, Path: ".dag/runs/20250801-1"}, Keep{}); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(l.path(".dag/runs/20250801-1")); err == nil {
		t.Error("the record is still there")
	}
}

// TestRunThatWasKilledIsEnded: others write down how it ended.
func TestRunThatWasKilledIsEnded(t *testing.T) {
	root := filepath.Join(t.TempDir(), "lake")
	recordRun(t, root, "20250801-1", time.Now(), `{"n": 1}`)
	runs, err := open(t, root, Options{}).Runs()
	if err != nil || len(runs) != 1 {
		t.Fatal(runs, err)
	}
	r := runs[0]
	if _, err := r.Results(); r.HasResults() || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a run that was killed has results: %v", err)
	}
	if err := r.End([]byte("results"), []byte(`{"n": 2}`)); err != nil {
		t.Fatal(err)
	}
	results, err := r.Results()
	doc, err2 := r.Doc()
	if string(results)+string(doc) != `results{"n": 2}` || !r.HasResults() {
		t.Errorf("%s and %s: %v, %v", results, doc, err, err2)
	}
	runs, err = open(t, root, Options{NoWrite: true}).Runs()
	if err != nil || runs[0].End(nil, nil) == nil {
		t.Errorf("a lake that is only read is written: %v", err)
	}
}
