package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"dag/contracts"
	"dag/pipelines"
)

// emptyProject writes the shipped pipeline into a folder without data and makes
// it the working folder.
func emptyProject(f *testing.F) {
	f.Helper()
	dir := f.TempDir()
	if err := writeOut(pipelines.FS, filepath.Join(dir, pipelinesDir)); err != nil {
		f.Fatal(err)
	}
	if err := writeOut(contracts.FS, filepath.Join(dir, contractsDir)); err != nil {
		f.Fatal(err)
	}
	f.Chdir(dir)
}

func testApp(stdout, stderr io.Writer) *app {
	return &app{
		name: "dag", stdin: strings.NewReader(""), stdout: stdout, stderr: stderr, now: time.Now, log: zerolog.Nop(), notice: func(string) {},
	}
}

// FuzzArguments types anything at all behind dag, one argument a line: it ends with
// a code of the table, and says something where that is not 0.
func FuzzArguments(f *testing.F) {
	emptyProject(f)
	for _, s := range []string{
		"", "plan", "plan\nbar5s\n--json", "ls\n-x\nstate:stale", "status\n--layer\nsilver", "graph\n--level=dataset", "why\na[b=c]", "show\n--resolved", "apply\n-j\n2",
		"--color\nalways\nversion", "-C", "plan\n--dates\n2025-01-01:", "fmt\n--check", "help\nplan", "completion\nbash", "schema\nplan", "lock\nls", "gc", "doctor", "-vq\nls\n+state:failed+",
		"explain\nupstream", "index\nrebuild", "ls\n--symbol\nES,NQ", "touch\nbar5s\n--reason\nx", "validate\n--var\na=b", "ls\n(a b),!c\n--timings", "\xff\n\x00",
	} {
		f.Add(s)
	}
	codes := []int{0, exitInternal, exitChanges, exitUsage, exitFailed, exitDrift, exitLease, exitProblems}
	f.Fuzz(func(t *testing.T, text string) {
		args := strings.Split(text, "\n")
		// It stays in its folder, makes no market, and keeps no tree for completion.
		if strings.ContainsAny(text, "/~") || strings.Contains(text, "..") || slices.Contains(args, "demo") || strings.HasPrefix(text, "__complete") {
			t.Skip()
		}
		var stderr bytes.Buffer
		code := testApp(io.Discard, &stderr).execute(context.Background(), args)
		if !slices.Contains(codes, code) {
			t.Errorf("%q ends with %d", args, code)
		}
		if code == exitInternal && !strings.Contains(stderr.String(), "error") {
			t.Errorf("%q fails and says %q", args, &stderr)
		}
	})
}

// FuzzCompletion asks how anything that is typed may go on: what is offered begins
// with it, and is on one line.
func FuzzCompletion(f *testing.F) {
	emptyProject(f)
	if err := os.MkdirAll("lake/silver", 0o755); err != nil {
		f.Fatal(err)
	}
	p, err := testApp(io.Discard, io.Discard).load()
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range []string{"", "bar5s[", "bar5s[symbol=ES,dt=..", `approach["`, "2+(a,state:", "]", "+", "a+1", "bar5s[dt=2025-01,[", "é[", "1:", "2025-0,"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		for _, offer := range []func(*completer, string) []choice{(*completer).selector, (*completer).partition, (*completer).dates, (*completer).date} {
			c := &completer{ctx: context.Background(), project: p}
			for _, ch := range c.choose(offer, typed) {
				if !strings.HasPrefix(ch.text, typed) || strings.Contains(strings.TrimPrefix(ch.text, typed)+ch.about, "\n") {
					t.Errorf("%q goes on as %q %q", typed, ch.text, ch.about)
				}
			}
			c.close()
		}
	})
}
