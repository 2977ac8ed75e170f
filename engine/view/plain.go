package view

import (
	"io"
	"time"

	"dag/engine/event"
)

// plainEvery is the least time between two lines of plain progress.
const plainEvery = 5 * time.Second

// Plain returns a sink for what is no terminal: a line of progress at most
// every 5 s of the events' own clock, and what must not be missed at once.
func Plain(w io.Writer, s Style, c Commands) event.Sink {
	p := &printer{w: w, style: s}
	t := NewTally()
	var last time.Time
	progress := func(now time.Time) {
		if now.Sub(last) >= plainEvery {
			p.printf("%s\n", t.line(now))
			last = now
		}
	}
	return func(e event.Event) {
		t.Sink(e)
		switch e := e.(type) {
		case event.RunStarted:
			last = e.Time
		case event.StepProgress:
			progress(e.Time)
		case event.StepRetried:
			p.retried(e)
		case event.StepReplanned:
			p.replanned(e)
		case event.StepFinished:
			if e.Result == event.Failed {
				p.failure(e, t.run, c)
			}
			progress(e.Time)
		case event.Notice:
			p.notice(e)
		}
	}
}

// Failures returns a sink that shows only what must not be missed.
func Failures(w io.Writer, s Style, c Commands) event.Sink {
	p := &printer{w: w, style: s}
	run := ""
	return func(e event.Event) {
		switch e := e.(type) {
		case event.RunStarted:
			run = e.RunID
		case event.StepFinished:
			if e.Result == event.Failed {
				p.failure(e, run, c)
			}
		case event.Notice:
			p.notice(e)
		}
	}
}
