package main

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"github.com/rogpeppe/go-internal/testscript"
)

// namespaces tells whether this machine lets anybody mount file systems that only
// his own processes see: full and read-only lakes are real ones then.
var namespaces = sync.OnceValue(func() bool {
	return exec.Command("unshare", "-Urm", "mount", "-t", "tmpfs", "none", "/tmp").Run() == nil
})

// stalled is where a script keeps what its stall holds.
type stalled struct{ lock *os.File }

// stall makes a lake one whose disk hangs when what a fan-out made is to be written
// down: its unit stands there with its outputs staged and its leases taken. `stall
// LAKE`; `! stall` ends it.
func stall(ts *testscript.TestScript, neg bool, args []string) {
	held := ts.Value(stalled{}).(*stalled)
	if neg {
		ts.Check(held.lock.Close())
		return
	}
	path := ts.MkAbs(filepath.Join(args[0], ".dag", "fanout", "lock"))
	ts.Check(os.MkdirAll(filepath.Dir(path), 0o755))
	var err error
	held.lock, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
	ts.Check(err)
	ts.Defer(func() { _ = held.lock.Close() }) // it fails if the script has ended the stall
	ts.Check(syscall.Flock(int(held.lock.Fd()), syscall.LOCK_EX))
}

// sameData holds the data files of two lakes to each other: samedata LAKE LAKE.
func sameData(ts *testscript.TestScript, _ bool, args []string) {
	one, other := dataFiles(ts, ts.MkAbs(args[0])), dataFiles(ts, ts.MkAbs(args[1]))
	if len(one) == 0 || len(one) != len(other) {
		ts.Fatalf("%s has %d data files, %s has %d", args[0], len(one), args[1], len(other))
	}
	for name, data := range one {
		if !bytes.Equal(data, other[name]) {
			ts.Fatalf("%s is not the same in %s and %s", name, args[0], args[1])
		}
	}
}

func dataFiles(ts *testscript.TestScript, lake string) map[string][]byte {
	found := map[string][]byte{}
	ts.Check(filepath.WalkDir(lake, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".parquet") {
			return err
		}
		found[strings.TrimPrefix(path, lake)], err = os.ReadFile(path)
		return err
	}))
	return found
}
