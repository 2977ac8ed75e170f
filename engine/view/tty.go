package view

import (
	"io"
	"strings"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"dag/engine/event"
)

// TTY draws a run on a terminal: a bar of everything with the time to go, and
// below it a line for each running unit with its rows and their rate. Failures
// are printed above as they happen.
type TTY struct {
	c        Commands
	out      *printer // prints above the bars
	progress *mpb.Progress
	now      func() time.Time

	mu      sync.Mutex // the drawing goroutine reads what events change
	tally   *Tally
	overall *mpb.Bar
	lines   map[string]*line
	drawn   int // lines so far: they stand in the order they began
}

// line is a running unit.
type line struct {
	name    string
	started time.Time
	rows    int64
	at      time.Time // of the last count of rows
	bar     *mpb.Bar
}

// TTYOptions is what a TTY takes from outside.
type TTYOptions struct {
	Style    Style
	Commands Commands
	Now      func() time.Time
	// Refresh draws on demand, for tests; nil: several times a second.
	Refresh <-chan any
}

// NewTTY begins to draw on w; Close ends it.
func NewTTY(w io.Writer, o TTYOptions) *TTY {
	options := []mpb.ContainerOption{mpb.WithOutput(w), mpb.WithAutoRefresh()}
	if o.Style.Width > 0 {
		options = append(options, mpb.WithWidth(o.Style.Width))
	}
	if o.Refresh != nil {
		options = append(options, mpb.WithManualRefresh(o.Refresh))
	}
	t := &TTY{c: o.Commands, progress: mpb.New(options...), now: o.Now, tally: NewTally(), lines: map[string]*line{}}
	t.out = &printer{w: t.progress, style: o.Style}
	return t
}

// Sink takes one event in.
func (t *TTY) Sink(e event.Event) {
	t.mu.Lock()
	t.tally.Sink(e)
	t.mu.Unlock()
	switch e := e.(type) {
	case event.RunStarted:
		style := mpb.BarStyle().Lbound("").Rbound("").Filler("█").Tip("").Padding("░")
		t.overall = t.bar(style.Build(), mpb.BarWidth(20), mpb.BarPriority(0), mpb.AppendDecorators(decor.Any(t.summary)))
		t.advance()
	case event.Grown:
		t.advance()
	case event.StepStarted:
		t.start(e)
	case event.StepProgress:
		t.count(e)
	case event.StepRetried:
		t.out.retried(e)
	case event.StepReplanned:
		t.out.replanned(e)
	case event.StepFinished:
		t.finish(e)
	case event.Notice:
		t.out.notice(e)
	}
}

// bar adds a bar; nil when the terminal is gone and nothing is drawn any more.
func (t *TTY) bar(f mpb.BarFiller, options ...mpb.BarOption) *mpb.Bar {
	b, err := t.progress.Add(0, f, options...)
	if err != nil {
		return nil
	}
	return b
}

func (t *TTY) summary(decor.Statistics) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return " " + t.tally.line(t.now())
}

func (t *TTY) advance() {
	t.mu.Lock()
	total, ended := t.tally.total, t.tally.ended()
	t.mu.Unlock()
	if t.overall != nil {
		t.overall.SetTotal(int64(total), false)
		t.overall.SetCurrent(int64(ended))
	}
}

func (t *TTY) start(e event.StepStarted) {
	if e.Attempt > 1 {
		return
	}
	l := &line{name: unitAddress(e.Unit.Stage, e.Unit.Keys), started: e.Time, at: e.Time}
	text := func(decor.Statistics) string {
		t.mu.Lock()
		defer t.mu.Unlock()
		return l.text(t.now())
	}
	t.drawn++
	l.bar = t.bar(mpb.NopStyle().Build(), mpb.BarPriority(t.drawn), mpb.BarRemoveOnComplete(), mpb.PrependDecorators(decor.Any(text)))
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lines[e.Unit.String()] = l
}

func (l *line) text(now time.Time) string {
	parts := []string{"  " + l.name, Duration(now.Sub(l.started))}
	if l.rows > 0 {
		parts = append(parts, Count(l.rows)+" rows", Rate(l.rows, l.at.Sub(l.started)))
	}
	return strings.TrimRight(strings.Join(parts, "  "), " ")
}

func (t *TTY) count(e event.StepProgress) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if l := t.lines[e.Unit.String()]; l != nil {
		l.rows, l.at = max(e.RowsIn, e.RowsOut), e.Time
	}
}

func (t *TTY) finish(e event.StepFinished) {
	t.mu.Lock()
	l := t.lines[e.Unit.String()]
	delete(t.lines, e.Unit.String())
	run := t.tally.run
	t.mu.Unlock()
	if l != nil && l.bar != nil {
		l.bar.Abort(true)
	}
	if e.Result == event.Failed {
		t.out.failure(e, run, t.c)
	}
	t.advance()
}

// Close takes the bars off the screen.
func (t *TTY) Close() {
	t.mu.Lock()
	bars := []*mpb.Bar{t.overall}
	for _, l := range t.lines {
		bars = append(bars, l.bar)
	}
	t.mu.Unlock()
	for _, b := range bars {
		if b != nil {
			b.Abort(true)
		}
	}
	t.progress.Wait()
}
