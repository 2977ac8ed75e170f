package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"dag/engine/addr"
	"dag/engine/lake"
	"dag/stages/synthetic"
)

// session is a program that runs on a terminal of its own.
type session struct {
	*terminal
	t      *testing.T
	master *os.File
	cmd    *exec.Cmd
	ended  chan struct{} // when the terminal has nothing more to read
}

// openTerminal returns both ends of a new one.
func openTerminal(t *testing.T) (master, slave *os.File) {
	t.Helper()
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Skipf("there are no pseudo-terminals here: %v", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil { // so that closing it ends a read
		t.Fatal(err)
	}
	master = os.NewFile(uintptr(fd), "/dev/ptmx")
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	return master, slave
}

// dagOn starts dag in a folder with a terminal of so many columns and rows.
func dagOn(t *testing.T, dir string, columns, rows int, env []string, args ...string) *session {
	t.Helper()
	master, slave := openTerminal(t)
	s := &session{terminal: newTerminal(columns, rows), t: t, master: master, cmd: dagCommand(t, dir, env, args...), ended: make(chan struct{})}
	s.setSize(columns, rows)
	s.cmd.Stdin, s.cmd.Stdout, s.cmd.Stderr = slave, slave, slave
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if err := slave.Close(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(s.ended)
		_, _ = io.Copy(s.terminal, master) // ends with an error when the last writer has gone
	}()
	t.Cleanup(func() {
		_ = s.cmd.Process.Kill() // it has ended, unless the test failed
		_ = master.Close()
		<-s.ended
	})
	return s
}

// dagCommand is this test's binary as dag, see TestMain.
func dagCommand(t *testing.T, dir string, env []string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := &exec.Cmd{Path: self, Args: append([]string{"dag"}, args...), Dir: dir}
	cmd.Env = append([]string{"HOME=" + dir, "PATH=" + os.Getenv("PATH"), "TERM=xterm"}, env...)
	return cmd
}

func (s *session) setSize(columns, rows int) {
	s.t.Helper()
	if err := unix.IoctlSetWinsize(int(s.master.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Col: uint16(columns), Row: uint16(rows)}); err != nil {
		s.t.Fatal(err)
	}
	s.resize(columns, rows)
}

// await waits until the screen has a line that matches.
func (s *session) await(pattern string) {
	s.t.Helper()
	re := regexp.MustCompile(`(?m)` + pattern)
	for deadline := time.Now().Add(time.Minute); !re.MatchString(s.text()); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.t.Fatalf("there is no %s on the screen:\n%s", pattern, s.text())
		}
	}
}

// code waits for the end and returns the exit code.
func (s *session) code() int {
	s.t.Helper()
	err := s.cmd.Wait()
	<-s.ended
	return codeOf(s.t, err)
}

func codeOf(t *testing.T, err error) int {
	t.Helper()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if err == nil {
		return 0
	}
	return exit.ExitCode()
}

// checkSummary wants the end of the screen to be the summary of a run, and nothing of
// the live view above it.
func (s *session) checkSummary(want string) {
	s.t.Helper()
	s.checkGone(s.t)
	text := s.text()
	i := strings.LastIndex(text, "\nApply: ")
	if i < 0 || !strings.HasPrefix(text[i+1:], want) {
		s.t.Fatalf("the summary is not %q:\n%s", want, text)
	}
	for _, bad := range []string{"panic", "goroutine "} {
		if strings.Contains(text, bad) {
			s.t.Errorf("a trace on the screen:\n%s", text)
		}
	}
}

// stand is a project with raw files, and a lease that keeps the ingest of its first
// day waiting until it is released.
type stand struct {
	dir     string
	release func()
}

const firstDay = "bronze.future.market_by_price_10[root=ES,dt=2025-08-04]"

func newStand(t *testing.T, raw string) *stand {
	t.Helper()
	dir := t.TempDir()
	if err := writeMarket(raw, "testdata/small.hcl", dir); err != nil {
		t.Fatal(err)
	}
	l, err := lake.Open(filepath.Join(dir, "lake"), nil, lake.Options{})
	if err != nil {
		t.Fatal(err)
	}
	p, err := addr.ParsePartition(firstDay)
	if err != nil {
		t.Fatal(err)
	}
	lease, err := l.Lease(context.Background(), p)
	if err != nil {
		t.Fatal(err)
	}
	s := &stand{dir: dir}
	released := false
	s.release = func() {
		if released {
			return
		}
		released = true
		if err := errors.Join(lease.Release(), l.Close()); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(s.release)
	return s
}

// breakDay makes the raw file of a day one that cannot be read.
func (s *stand) breakDay(t *testing.T, day string) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(s.dir, "lake/raw/*/*/*/*/*"+strings.ReplaceAll(day, "-", "")+"*"))
	if err != nil || len(names) != 1 {
		t.Fatalf("%v, %v", names, err)
	}
	if err := os.WriteFile(names[0], []byte("no DBN"), 0o644); err != nil {
		t.Fatal(err)
	}
}

// checkWhole makes what is missing, and verifies all there is.
func (s *stand) checkWhole(t *testing.T, apply ...string) {
	t.Helper()
	s.release()
	for _, args := range [][]string{append([]string{"apply", "-q"}, apply...), {"verify", "-q"}, {"gc", "--json"}} {
		out, err := dagCommand(t, s.dir, nil, args...).CombinedOutput()
		if err != nil {
			t.Fatalf("dag %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	left, err := filepath.Glob(filepath.Join(s.dir, "lake/.dag/tmp/*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left in the lake: %v, %v", left, err)
	}
}

// whatRuns is a run that waits for the stand's lease, and held the line of that unit.
var whatRuns = []string{"apply", "-j", "2", "--lock-timeout", "5m"}

const held = `^ +ingest_mbp10\[root=ES,dt=2025-08-04\]  .* s$`

// TestLive runs apply on pseudo-terminals and looks at what a person sees.
func TestLive(t *testing.T) {
	raw := t.TempDir()
	if _, err := synthetic.Write(raw, synthetic.Config{Seed: 1, Root: "ES", Start: "2025-08-04", Days: 2, Events: 1000}); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]func(t *testing.T, s *stand){
		"normal":              liveNormal,
		"narrow":              liveNarrow,
		"resized":             liveResized,
		"without colour":      liveNoColor,
		"--color never":       liveColorNever,
		"TERM=dumb":           liveDumb,
		"a failure":           liveFailure,
		"interrupted":         liveInterrupted,
		"the terminal closed": liveClosed,
	} {
		t.Run(name, func(t *testing.T) { test(t, newStand(t, raw)) })
	}
}

func liveNormal(t *testing.T, s *stand) {
	d := dagOn(t, s.dir, 100, 24, nil, whatRuns...)
	d.await(held)
	d.await(`^█+░+ 5 of 6, 1 running · .* s, longer than expected$`)
	s.release()
	if c := d.code(); c != 0 {
		t.Errorf("exit code %d:\n%s", c, d.text())
	}
	d.checkSummary("Apply: 10 done in ")
	if !d.coloured {
		t.Error("there is no colour")
	}
}

func liveNarrow(t *testing.T, s *stand) {
	d := dagOn(t, s.dir, 30, 24, nil, whatRuns...)
	d.await(`^5 of 6, longer than expected…?$`)
	d.await(`^  ingest_mbp10.*…  .* m?s$`)
	s.release()
	d.code()
	d.checkSummary("Apply: 10 done in ")
}

func liveResized(t *testing.T, s *stand) {
	d := dagOn(t, s.dir, 120, 24, nil, whatRuns...)
	d.await(held)
	for _, size := range [][2]int{{40, 24}, {20, 10}, {90, 24}, {33, 7}} {
		d.setSize(size[0], size[1])
		d.await(fmt.Sprintf(`\A(?s:.*\n)[^\n]*5 of 6[^\n]{0,%d}(\n[^\n]{1,%d})?\z`, size[0], size[0]-1))
	}
	d.takeBroken() // frames that were under way
	s.release()
	d.code()
	d.checkSummary("Apply: 10 done in ")
}

func liveNoColor(t *testing.T, s *stand) {
	d := dagOn(t, s.dir, 100, 24, []string{"NO_COLOR=1"}, whatRuns...)
	d.await(held)
	s.release()
	d.code()
	d.checkSummary("Apply: 10 done in ")
	if d.coloured {
		t.Error("NO_COLOR, and there is colour")
	}
}

func liveColorNever(t *testing.T, s *stand) {
	d := dagOn(t, s.dir, 100, 24, nil, append(slices.Clone(whatRuns), "--color", "never")...)
	d.await(held)
	s.release()
	d.code()
	d.checkSummary("Apply: 10 done in ")
	if d.coloured {
		t.Error("--color never, and there is colour")
	}
}

func liveDumb(t *testing.T, s *stand) {
	s.release()
	d := dagOn(t, s.dir, 100, 24, []string{"TERM=dumb"}, whatRuns...)
	d.code()
	d.checkSummary("Apply: 10 done in ")
	if d.escaped {
		t.Error("a terminal that knows no escape sequences got one")
	}
}

func liveFailure(t *testing.T, s *stand) {
	s.breakDay(t, "2025-08-05")
	d := dagOn(t, s.dir, 100, 24, nil, whatRuns...)
	d.await(held)
	d.await(`^error: ingest_mbp10\[root=ES,dt=2025-08-05\] failed after`)
	d.await(`^  repeat: dag apply 'ingest_mbp10\[root=ES,dt=2025-08-05\]'$`)
	d.await(`^█+░+ 1 of 2, 1 running, 1 failed · .* s`)
	s.release()
	if c := d.code(); c != exitFailed {
		t.Errorf("exit code %d:\n%s", c, d.text())
	}
	d.checkSummary("Apply: 5 done, 1 failed in ")
}

func liveInterrupted(t *testing.T, s *stand) {
	d := dagOn(t, s.dir, 100, 24, nil, whatRuns...)
	d.await(`░ 5 of 6, 1 running`)
	if _, err := d.master.Write([]byte{3}); err != nil {
		t.Fatal(err)
	}
	if c := d.code(); c != exitInterrupt {
		t.Errorf("exit code %d:\n%s", c, d.text())
	}
	d.checkSummary("Apply: 5 done, 1 canceled in ")
	d.await(`^stopped: interrupt$`)
	s.checkWhole(t)
}

func liveClosed(t *testing.T, s *stand) {
	d := dagOn(t, s.dir, 100, 24, nil, whatRuns...)
	d.await(`░ 5 of 6, 1 running`)
	if err := d.master.Close(); err != nil {
		t.Fatal(err)
	}
	if c := d.code(); c != exitHangup {
		t.Errorf("exit code %d", c)
	}
	s.checkWhole(t)
}

// TestReaderGone: what a run makes is not its output, and goes on without a reader.
func TestReaderGone(t *testing.T) {
	raw := t.TempDir()
	if _, err := synthetic.Write(raw, synthetic.Config{Seed: 1, Root: "ES", Start: "2025-08-04", Days: 1, Events: 1000}); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"apply"}, {"apply", "--json"}, {"apply", "--progress", "json"}, {"apply", "--progress", "tty"}} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			s := newStand(t, raw)
			s.release()
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			cmd := dagCommand(t, s.dir, nil, args...)
			cmd.Stdout, cmd.Stderr = w, w
			if err := errors.Join(r.Close(), cmd.Start(), w.Close()); err != nil {
				t.Fatal(err)
			}
			if c := codeOf(t, cmd.Wait()); c != 0 {
				t.Errorf("exit code %d", c)
			}
			out, err := dagCommand(t, s.dir, nil, "plan", "--detailed-exitcode").CombinedOutput()
			if c := codeOf(t, err); c != 0 {
				t.Errorf("something is left to do, exit code %d:\n%s", c, out)
			}
			s.checkWhole(t)
		})
	}
}
