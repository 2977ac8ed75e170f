package main

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"dag/engine/addr"
	"dag/engine/event"
	"dag/engine/view"
)

// terminal is what a person sees of what is written to it. When it becomes
// narrower it breaks its lines anew, as most terminals do.
type terminal struct {
	mu            sync.Mutex
	writes        int
	wrote         *sync.Cond
	columns, rows int
	lines         [][]rune // each may take several rows
	line, column  int      // of the cursor; a line's second row begins at columns
	held          []byte   // the beginning of an escape sequence or of a rune
	escaped       bool     // ever, with a sequence of any kind
	coloured      bool     // ever
	unknown       []string // sequences that it has no meaning for
	broken        []string // lines that were printed beyond the last column
}

func newTerminal(columns, rows int) *terminal {
	t := &terminal{columns: columns, rows: rows, lines: [][]rune{nil}}
	t.wrote = sync.NewCond(&t.mu)
	return t
}

// Write takes what a program writes, each line feed a return as well.
func (t *terminal) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := string(append(t.held, p...))
	t.held = nil
	for text != "" {
		n := t.take(text)
		if n == 0 {
			t.held = []byte(text)
			break
		}
		text = text[n:]
	}
	t.writes++
	t.wrote.Broadcast()
	return len(p), nil
}

// take interprets the beginning of text and returns how much; 0: more is needed.
func (t *terminal) take(text string) int {
	switch text[0] {
	case '\r':
		t.column -= t.column % t.columns
		return 1
	case '\n':
		t.feed()
		return 1
	case 0x1b:
		return t.escape(text)
	}
	for i, r := range text {
		if r == '\uFFFD' && len(text) < 4 {
			return 0
		}
		if i == 0 {
			t.put(r)
			return len(string(r))
		}
	}
	return 0
}

func (t *terminal) feed() {
	t.line, t.column = t.line+1, 0
	if t.line == len(t.lines) {
		t.lines = append(t.lines, nil)
	}
}

func (t *terminal) put(r rune) {
	l := t.lines[t.line]
	for len(l) <= t.column {
		l = append(l, ' ')
	}
	l[t.column] = r
	t.lines[t.line] = l
	if t.column == t.columns {
		t.broken = append(t.broken, string(l))
	}
	t.column++
}

// escape interprets a sequence of ESC [ digits letter.
func (t *terminal) escape(text string) int {
	t.escaped = true
	end := strings.IndexFunc(text, func(r rune) bool { return r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' })
	if end < 0 {
		return 0
	}
	n, err := strconv.Atoi(strings.Trim(text[1:end], "["))
	if err != nil {
		n = 1
	}
	switch text[end] {
	case 'A':
		t.up(n)
	case 'J':
		t.lines = t.lines[:t.line+1]
		t.lines[t.line] = t.lines[t.line][:min(t.column, len(t.lines[t.line]))]
	case 'm':
		t.coloured = true
	default:
		t.unknown = append(t.unknown, text[:end+1])
	}
	return end + 1
}

// up moves the cursor by rows, as far as the screen goes.
func (t *terminal) up(n int) {
	for n = min(n, t.rows-1); n > 0; n-- {
		switch {
		case t.column >= t.columns:
			t.column -= t.columns
		case t.line > 0:
			t.line--
			t.column += max(len(t.lines[t.line])-1, 0) / t.columns * t.columns
		}
	}
}

// awaitWrite waits until so many writes have come.
func (t *terminal) awaitWrite(n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for t.writes < n {
		t.wrote.Wait()
	}
}

func (t *terminal) resize(columns, rows int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.columns, t.rows = columns, rows
}

// size is a view.Size.
func (t *terminal) size() (int, int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.columns, t.rows
}

// text is all that stands there, what has gone up included.
func (t *terminal) text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var b strings.Builder
	for _, l := range t.lines {
		b.WriteString(strings.TrimRight(string(l), " ") + "\n")
	}
	return strings.TrimRight(b.String(), "\n")
}

// takeBroken returns the lines that went beyond the last column since the last call.
func (t *terminal) takeBroken() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	b := t.broken
	t.broken = nil
	return b
}

// isLive tells a line of the live view, which must neither break nor stay.
func isLive(line string) bool {
	return strings.ContainsAny(line, "█░") || strings.Contains(line, " running") || strings.Contains(line, "no history") ||
		strings.Contains(line, "to go") || strings.HasPrefix(line, "  ") && strings.Contains(line, "[") && !strings.Contains(line, ":")
}

// checkGone fails if anything of the live view still stands, or ever broke.
func (t *terminal) checkGone(tb testing.TB) {
	tb.Helper()
	for _, line := range strings.Split(t.text(), "\n") {
		if isLive(line) && !strings.HasPrefix(line, "Estimate:") {
			tb.Errorf("this is left behind: %q in\n%s", line, t.text())
		}
	}
	t.checkWhole(tb)
}

func (t *terminal) checkWhole(tb testing.TB) {
	tb.Helper()
	for _, line := range t.takeBroken() {
		if isLive(line) && !strings.HasPrefix(line, "Estimate:") {
			tb.Errorf("this line broke: %q", line)
		}
	}
	if len(t.unknown) > 0 {
		tb.Errorf("sequences that not every terminal knows: %q", t.unknown)
	}
}

// liveEvents starts units and reports their rows.
func liveEvents(units int) []event.Event {
	at := time.Date(2025, 8, 14, 0, 0, 0, 0, time.UTC)
	stage := addr.Stage{Name: "ingest_mbp10"}
	list := []event.Event{event.RunStarted{Time: at, RunID: "r", WillRun: units, Workers: units, Work: []event.Work{{Stage: stage, Units: units, Each: time.Minute}}}}
	for i := range units {
		u := event.Unit{Stage: stage, Keys: addr.Keys(fmt.Sprintf("root=ES,dt=2025-08-%02d", i+1))}
		list = append(list, event.StepStarted{Time: at, Unit: u, Attempt: 1}, event.StepProgress{Time: at.Add(time.Second), Unit: u, RowsIn: 1_000_000})
	}
	return list
}

// TestLiveViewFits draws on terminals of all sizes, makes them larger and smaller, and
// checks that no more stands there than the frame. What has gone up and off a terminal
// that became too small for its frame stays there: those are not among the sizes.
func TestLiveViewFits(t *testing.T) {
	const units = 9
	now := time.Date(2025, 8, 14, 0, 0, 10, 0, time.UTC)
	for _, sizes := range [][4]int{
		{100, 24, 40, 24}, {100, 24, 20, 50}, {20, 24, 100, 24}, {100, 6, 200, 6}, {30, 5, 30, 24}, {8, 4, 80, 24}, {3, 2, 100, 24}, {60, 12, 60, 11}, {100, 24, 60, 50},
	} {
		screen := newTerminal(sizes[0], sizes[1])
		frames := make(chan time.Time)
		tty := view.NewTTY(screen, view.TTYOptions{Commands: view.Commands{Name: "dag"}, Now: func() time.Time { return now }, Size: screen.size, Refresh: frames})
		for _, e := range liveEvents(units) {
			tty.Sink(e)
		}
		drawn := 0
		check := func() {
			frames <- now
			screen.awaitWrite(drawn + 1)
			drawn++
			screen.checkWhole(t)
			_, rows := screen.size()
			// The cursor stands on a row of its own.
			if n, want := strings.Count(screen.text(), "\n")+1, min(units+1, max(rows-1, 1)); n != want {
				t.Errorf("%v: %d lines, not %d:\n%s", sizes, n, want, screen.text())
			}
		}
		check()
		screen.resize(sizes[2], sizes[3])
		check()
		text := screen.text()
		tty.Close()
		if left := screen.text(); left != "" {
			t.Errorf("%v: this is left behind:\n%s", sizes, left)
		}
		if sizes[2] != 60 {
			continue
		}
		for _, want := range []string{"0 of 9, 9 running · 10.0 s, about 50.0 s to go", "  ingest_mbp10[root…  10.0 s  1 000 000 rows  1.00 M rows/s"} {
			if !strings.Contains(text, want) {
				t.Errorf("there is no %q in\n%s", want, text)
			}
		}
	}
}
