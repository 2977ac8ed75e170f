package view

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// How soon and how often a phase that takes long says how far it is. Elsewhere
// than on a terminal, where nothing is drawn over, it says so less often.
const (
	phaseAfter = 300 * time.Millisecond
	phaseEvery = 200 * time.Millisecond
)

// PhaseOptions say where and how a phase is shown.
type PhaseOptions struct {
	Size   Size // of the terminal; nil: it is none, and nothing is drawn over
	Now    func() time.Time
	After  func(time.Duration) <-chan time.Time
	Number func(int64) string // writes counts; nil: Count
}

// Phase shows, once it has taken a while, what has been counted so far and the
// rate: "reading the lake: 120 000 partitions, 400 000/s". count is called from a
// goroutine of its own. The function it returns ends it and clears its line.
func Phase(w io.Writer, o PhaseOptions, count func() (what string, n int64)) (end func()) {
	stop, done := make(chan struct{}), make(chan struct{})
	if o.Number == nil {
		o.Number = Count[int64]
	}
	p := &phase{w: w, o: o, count: count, since: o.Now(), canvas: canvas{w: w, size: o.Size}}
	go func() {
		defer close(done)
		every := phaseEvery
		if o.Size == nil {
			every = plainEvery
		}
		for wait := phaseAfter; ; wait = every {
			select {
			case <-stop:
				return
			case <-o.After(wait):
				p.draw()
			}
		}
	}()
	return sync.OnceFunc(func() {
		close(stop)
		<-done
		p.clear()
	})
}

// phase is what is drawn; its goroutine owns it until done.
type phase struct {
	w      io.Writer
	o      PhaseOptions
	count  func() (string, int64)
	what   string    // of the line before
	since  time.Time // when what began, and the count then
	from   int64
	canvas canvas
}

func (p *phase) draw() {
	what, n := p.count()
	if what == "" {
		return
	}
	now := p.o.Now()
	if p.what != "" && what != p.what {
		p.since, p.from = now, n
	}
	p.what = what
	line := fmt.Sprintf("%s %s", p.o.Number(n), what)
	if d := now.Sub(p.since).Seconds(); d > 0 {
		line += fmt.Sprintf(", %s/s", p.o.Number(int64(float64(n-p.from)/d)))
	}
	if p.o.Size == nil {
		fmt.Fprintln(p.w, line) // progress that cannot be shown is no reason to stop
		return
	}
	p.canvas.draw("", []string{line})
}

// clear takes the line off a terminal.
func (p *phase) clear() {
	if len(p.canvas.drawn) > 0 {
		p.canvas.draw("", nil)
	}
}
