package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"dag/engine/manifest"
)

// flip turns one bit in the middle of a file and keeps its times, as a disk
// would: flip FILE.
func flip(ts *testscript.TestScript, _ bool, args []string) {
	path := ts.MkAbs(args[0])
	info, err := os.Stat(path)
	ts.Check(err)
	b, err := os.ReadFile(path)
	ts.Check(err)
	b[len(b)/2] ^= 1
	ts.Check(os.WriteFile(path, b, 0o644))
	ts.Check(os.Chtimes(path, info.ModTime(), info.ModTime()))
}

// age makes a file or folder two days old: age PATH.
func age(ts *testscript.TestScript, _ bool, args []string) {
	then := time.Now().Add(-48 * time.Hour)
	ts.Check(os.Chtimes(ts.MkAbs(args[0]), then, then))
}

// copyTree copies a folder: copytree FROM TO.
func copyTree(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(os.CopyFS(ts.MkAbs(args[1]), os.DirFS(ts.MkAbs(args[0]))))
}

// foreign makes of a lake one that another tool has written: foreign LAKE. There
// is nothing of dag in it, and the markers are empty.
func foreign(ts *testscript.TestScript, _ bool, args []string) {
	root := ts.MkAbs(args[0])
	ts.Check(makeForeign(root))
	ts.Check(os.WriteFile(filepath.Join(ts.Getenv("WORK"), "digests"), digests(ts, root), 0o644))
}

func makeForeign(root string) error {
	if err := os.RemoveAll(filepath.Join(root, ".dag")); err != nil {
		return err
	}
	return filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case e.Name() == manifest.SuccessName:
			return os.WriteFile(path, nil, 0o644)
		case e.Name() == manifest.FileName:
			return os.WriteFile(path, []byte(`{"dataset": "theirs", "row_count": 1}`), 0o644)
		}
		return nil
	})
}

// untouched wants the data files to be what they were at the last foreign:
// untouched LAKE.
func untouched(ts *testscript.TestScript, _ bool, args []string) {
	if now := digests(ts, ts.MkAbs(args[0])); ts.ReadFile(filepath.Join(ts.Getenv("WORK"), "digests")) != string(now) {
		ts.Fatalf("the data files are others:\n%s", now)
	}
}

// digests lists the data files of a lake with their SHA-256 and times.
func digests(ts *testscript.TestScript, root string) []byte {
	var out bytes.Buffer
	ts.Check(filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".parquet") {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		info, err := e.Info()
		fmt.Fprintf(&out, "%x %s %s\n", sha256.Sum256(b), info.ModTime(), path)
		return err
	}))
	return out.Bytes()
}

// TestAdoptGolden takes over what the reference made: first what needs nothing
// that is not there, and what waits for tables that the reference did not keep
// after those have been made.
func TestAdoptGolden(t *testing.T) {
	if _, err := os.Stat(golden); err != nil {
		t.Skip("the golden days are not there")
	}
	for name, want := range map[string][]int{"week": {0}, "day": {exitProblems, 0}} {
		t.Run(name, func(t *testing.T) {
			root := filepath.Join(t.TempDir(), "lake")
			if err := os.CopyFS(root, os.DirFS(filepath.Join(golden, name, "expected"))); err != nil {
				t.Fatal(err)
			}
			dag := func(args ...string) int {
				return run(append([]string{"-C", "../..", "--lake", root, "--var", "semantics=reference", "-q", "--log-file", filepath.Join(t.TempDir(), "log")}, args...))
			}
			before := sums(t, root)
			for i, code := range want {
				if i > 0 {
					if code := dag("apply", "+silver.future.market_by_price_10_first4h", "--progress", "none"); code != 0 {
						t.Fatalf("apply of what the reference did not keep ended with %d", code)
					}
				}
				if got := dag("adopt", "--layer", "all"); got != code {
					t.Fatalf("adopt %d ended with %d, not %d", i+1, got, code)
				}
			}
			if code := dag("plan", "--detailed-exitcode", "-x", "silver.future.front_month", "--layer", "silver"); code != 0 {
				t.Errorf("the plan afterwards is not empty: %d", code)
			}
			if code := dag("ls", "state:unverified"); code != exitUsage {
				t.Errorf("something is still unverified: %d", code)
			}
			if code := dag("verify"); code != 0 {
				t.Errorf("verify ended with %d", code)
			}
			after := sums(t, root)
			for path, sum := range before {
				if after[path] != sum {
					t.Errorf("%s was changed", path)
				}
			}
		})
	}
}

// sums are the SHA-256 of the data files of a lake.
func sums(t *testing.T, root string) map[string][32]byte {
	t.Helper()
	out := map[string][32]byte{}
	err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".parquet") {
			return err
		}
		b, err := os.ReadFile(path)
		out[path] = sha256.Sum256(b)
		return err
	})
	if err != nil || len(out) == 0 {
		t.Fatal(len(out), err)
	}
	return out
}
