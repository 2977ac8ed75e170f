package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/rogpeppe/go-internal/testscript"

	"dag/contracts"
	"dag/engine/addr"
	"dag/engine/lake"
	"dag/pipelines"
	"dag/stages/synthetic"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"dag": main})
}

// TestScript runs testdata/script: what a user types above, what comes of it
// below. -update rewrites expected files.
func TestScript(t *testing.T) {
	raw := sync.OnceValues(func() (string, error) {
		root := t.TempDir()
		_, err := synthetic.Write(root, synthetic.Config{Seed: 1, Root: "ES", Start: "2025-08-04", Days: 3, Events: 1000})
		return root, err
	})
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		UpdateScripts:       os.Getenv("UPDATE_SCRIPTS") != "",
		Setup: func(e *testscript.Env) error {
			e.Setenv("HOME", e.WorkDir)
			e.Setenv("NO_COLOR", "1")
			e.Values[stalled{}] = new(stalled)
			return nil
		},
		Condition: func(name string) (bool, error) {
			if name == "namespaces" {
				return namespaces(), nil
			}
			return false, fmt.Errorf("there is no condition %q", name)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"code":   code,
			"schema": schemaCommand,
			"hold":   hold,
			"await":  await,
			"flip":   flip, "age": age, "copytree": copyTree, "foreign": foreign, "untouched": untouched,
			"study": study,
			"stall": stall, "samedata": sameData,
			"killed": killed, "elsewhere": runElsewhere, "runid": runID, "shorten": shorten,
			"market": func(ts *testscript.TestScript, _ bool, args []string) {
				root, err := raw()
				ts.Check(err)
				market(ts, root, ts.MkAbs(args[0]))
			},
		},
	})
}

// code runs a command that has to end with an exit code: code 3 dag plan --x.
func code(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, not %d\n%s", got, want, ts.ReadFile("stderr"))
	}
}

// market makes a project in dir: three days of a synthetic market, and the part
// of the shipped pipeline in testdata/small.hcl.
func market(ts *testscript.TestScript, raw, dir string) {
	ts.Check(writeMarket(raw, filepath.Join(testdata(ts), "small.hcl"), dir))
}

// writeMarket writes a project of one file of HCL, with a copy of a raw lake.
func writeMarket(raw, hcl, dir string) error {
	small, err := os.ReadFile(hcl)
	if err != nil {
		return err
	}
	if err := errors.Join(writeOut(pipelines.FS, filepath.Join(dir, pipelinesDir)), writeOut(contracts.FS, filepath.Join(dir, contractsDir))); err != nil {
		return err
	}
	for _, product := range []string{"future.hcl", "future_option.hcl"} {
		if err := os.Remove(filepath.Join(dir, pipelinesDir, product)); err != nil {
			return err
		}
	}
	return errors.Join(
		os.WriteFile(filepath.Join(dir, pipelinesDir, "small.hcl"), small, 0o644),
		os.CopyFS(filepath.Join(dir, "lake"), os.DirFS(raw)),
	)
}

// runElsewhere makes the newest run of a lake one of another container: elsewhere LAKE.
func runElsewhere(ts *testscript.TestScript, _ bool, args []string) {
	names, err := filepath.Glob(filepath.Join(ts.MkAbs(args[0]), ".dag", "runs", "*", "owner.json"))
	ts.Check(err)
	path := names[len(names)-1]
	text, err := os.ReadFile(path)
	ts.Check(err)
	ts.Check(os.WriteFile(path, []byte(strings.Replace(string(text), `"boot_id":"`, `"boot_id":"x`, 1)), 0o644))
}

// killed makes the newest run of a lake one that was killed, after so many events
// (default: all of them): killed LAKE [EVENTS].
func killed(ts *testscript.TestScript, _ bool, args []string) {
	names, err := filepath.Glob(filepath.Join(ts.MkAbs(args[0]), ".dag", "runs", "*"))
	ts.Check(err)
	for file, change := range map[string][2]string{"run.json": {`"state": "done"`, `"state": "running"`}, "owner.json": {`"pid":`, `"pid": 4194305, "was":`}} {
		path := filepath.Join(names[len(names)-1], file)
		text, err := os.ReadFile(path)
		ts.Check(err)
		ts.Check(os.WriteFile(path, []byte(strings.Replace(string(text), change[0], change[1], 1)), 0o644))
	}
	ts.Check(os.Remove(filepath.Join(names[len(names)-1], "results.json")))
	if len(args) > 1 {
		events, err := strconv.Atoi(args[1])
		ts.Check(err)
		path := filepath.Join(names[len(names)-1], "events.ndjson")
		text, err := os.ReadFile(path)
		ts.Check(err)
		ts.Check(os.WriteFile(path, []byte(strings.Join(strings.SplitAfter(string(text), "\n")[:events], "")), 0o644))
	}
}

// runID sets a variable to the id of a run, counted back from the newest, 0: runid
// LAKE NAME N.
func runID(ts *testscript.TestScript, _ bool, args []string) {
	names, err := filepath.Glob(filepath.Join(ts.MkAbs(args[0]), ".dag", "runs", "*"))
	ts.Check(err)
	back, err := strconv.Atoi(args[2])
	ts.Check(err)
	ts.Setenv(args[1], filepath.Base(names[len(names)-1-back]))
}

// shorten takes the last hundred records off a file of order book events, and puts
// them into a file of their own if one is named: shorten FILE [REST].
func shorten(ts *testscript.TestScript, _ bool, args []string) {
	packed, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	r, err := zstd.NewReader(nil)
	ts.Check(err)
	defer r.Close()
	text, err := r.DecodeAll(packed, nil)
	ts.Check(err)
	w, err := zstd.NewWriter(nil)
	ts.Check(err)
	const record = 368 // bytes
	cut := len(text) - 100*record
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), w.EncodeAll(text[:cut], nil), 0o644))
	if len(args) > 1 {
		metadata := text[:8+binary.LittleEndian.Uint32(text[4:])]
		ts.Check(os.WriteFile(ts.MkAbs(args[1]), w.EncodeAll(slices.Concat(metadata, text[cut:]), nil), 0o644))
	}
}

// study writes the shipped project and the futures of 45 lean sessions: study LAKE
// EFFECT.
func study(ts *testscript.TestScript, _ bool, args []string) {
	ts.Check(writeOut(pipelines.FS, ts.MkAbs(pipelinesDir)))
	ts.Check(writeOut(contracts.FS, ts.MkAbs(contractsDir)))
	effect, err := strconv.ParseFloat(args[1], 64)
	ts.Check(err)
	cfg := synthetic.Study()
	cfg.Days, cfg.Events, cfg.Seed, cfg.Effect = 45, 6000, 20250101, effect
	_, err = synthetic.Write(ts.MkAbs(args[0]), cfg)
	ts.Check(err)
}

// testdata finds this package's testdata: scripts run elsewhere.
func testdata(ts *testscript.TestScript) string {
	dir, err := os.Getwd()
	ts.Check(err)
	return filepath.Join(dir, "testdata")
}

// hold takes the lease of a partition and keeps it until the script ends: hold
// LAKE PARTITION.
func hold(ts *testscript.TestScript, _ bool, args []string) {
	l, err := lake.Open(ts.MkAbs(args[0]), nil, lake.Options{})
	ts.Check(err)
	p, err := addr.ParsePartition(args[1])
	ts.Check(err)
	lease, err := l.Lease(context.Background(), p)
	ts.Check(err)
	ts.Defer(func() {
		ts.Check(errors.Join(lease.Release(), l.Close()))
	})
}

// await waits until a file matches, or so many of those that a pattern names: await
// FILE PATTERN [N].
func await(ts *testscript.TestScript, _ bool, args []string) {
	pattern, want := regexp.MustCompile("(?m)"+args[1]), 1
	if len(args) > 2 {
		var err error
		want, err = strconv.Atoi(args[2])
		ts.Check(err)
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		names, err := filepath.Glob(ts.MkAbs(args[0]))
		ts.Check(err)
		found := 0
		for _, name := range names {
			if b, err := os.ReadFile(name); err == nil && pattern.Match(b) {
				found++
			}
		}
		if found >= want {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("%d of %s have %s, not %d", found, args[0], args[1], want)
		}
	}
}
