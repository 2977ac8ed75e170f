package view

import (
	"io"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"dag/engine/event"
)

// TTY draws a run on a terminal: a bar of everything with the time to go, and
// below it a line for each running unit with its rows and their rate. Failures
// are printed above as they happen.
type TTY struct {
	c   Commands
	now func() time.Time

	mu     sync.Mutex // the drawing goroutine reads what events change
	canvas canvas
	above  strings.Builder // printed, and not on the screen yet
	out    *printer        // to above
	tally  *Tally
	lines  []*line // in the order they began

	stop, stopped chan struct{}
}

// line is a running unit.
type line struct {
	unit    string
	started time.Time
	rows    int64
	at      time.Time // of the last count of rows
}

// TTYOptions is what a TTY takes from outside.
type TTYOptions struct {
	Style    Style
	Commands Commands
	Now      func() time.Time
	Size     Size             // asked for each frame; nil: of a usual terminal
	Refresh  <-chan time.Time // a frame for each
}

// NewTTY begins to draw on w; Close ends it.
func NewTTY(w io.Writer, o TTYOptions) *TTY {
	t := &TTY{
		c: o.Commands, now: o.Now, tally: NewTally(), canvas: canvas{w: w, size: o.Size},
		stop: make(chan struct{}), stopped: make(chan struct{}),
	}
	t.out = &printer{w: &t.above, style: o.Style}
	go t.refresh(o.Refresh)
	return t
}

func (t *TTY) refresh(frames <-chan time.Time) {
	defer close(t.stopped)
	for {
		select {
		case <-t.stop:
			return
		case <-frames:
			t.mu.Lock()
			t.draw()
			t.mu.Unlock()
		}
	}
}

// Sink takes one event in.
func (t *TTY) Sink(e event.Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.out.style.Width, _ = t.canvas.room()
	t.tally.Sink(e)
	switch e := e.(type) {
	case event.StepStarted:
		t.start(e)
	case event.StepProgress:
		if i := t.find(e.Unit); i >= 0 {
			t.lines[i].rows, t.lines[i].at = max(e.RowsIn, e.RowsOut), e.Time
		}
	case event.StepRetried:
		t.out.retried(e)
	case event.StepReplanned:
		t.out.replanned(e)
	case event.StepFinished:
		if i := t.find(e.Unit); i >= 0 {
			t.lines = slices.Delete(t.lines, i, i+1)
		}
		if e.Result == event.Failed {
			t.out.failure(e, t.tally.run, t.c)
		}
	case event.Notice:
		t.out.notice(e)
	}
	if t.above.Len() > 0 {
		t.draw()
	}
}

func (t *TTY) start(e event.StepStarted) {
	if e.Attempt == 1 {
		t.lines = append(t.lines, &line{unit: e.Unit.String(), started: e.Time, at: e.Time})
	}
}

func (t *TTY) find(u event.Unit) int {
	name := u.String()
	return slices.IndexFunc(t.lines, func(l *line) bool { return l.unit == name })
}

// draw puts what has been printed and a frame on the screen.
func (t *TTY) draw() {
	t.canvas.draw(t.above.String(), t.frame())
	t.above.Reset()
}

// frame is what is drawn below: never more than the screen has rows, one of them
// for the cursor.
func (t *TTY) frame() []string {
	if t.tally.started.IsZero() {
		return nil
	}
	columns, rows := t.canvas.room()
	columns-- // see canvas.draw
	now := t.now()
	frame := []string{t.tally.bar(now, columns)}
	shown := min(len(t.lines), max(rows-2, 0))
	if shown < len(t.lines) && shown > 0 {
		shown-- // for the line that counts the others
	}
	for _, l := range t.lines[:shown] {
		frame = append(frame, l.text(now, columns))
	}
	if n := len(t.lines) - shown; n > 0 && rows > 2 {
		frame = append(frame, "  … and "+Count(n)+" more")
	}
	return frame
}

// leastName is how many columns of a unit's name stay where there is little room.
const leastName = 12

// text is cut in the unit's name rather than in the numbers.
func (l *line) text(now time.Time, columns int) string {
	numbers := "  " + Duration(now.Sub(l.started))
	if l.rows > 0 {
		numbers += "  " + Count(l.rows) + " rows"
		if r := Rate(l.rows, l.at.Sub(l.started)); r != "" {
			numbers += "  " + r
		}
	}
	room := columns - 2 - utf8.RuneCountInString(numbers)
	return cut("  "+cut(l.unit, max(room, leastName))+numbers, columns)
}

// Close takes the bar and its lines off the screen.
func (t *TTY) Close() {
	close(t.stop)
	<-t.stopped
	t.mu.Lock()
	defer t.mu.Unlock()
	t.canvas.draw(t.above.String(), nil)
}
