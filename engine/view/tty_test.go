package view

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"dag/engine/addr"
	"dag/engine/event"
)

// screen collects what is drawn.
type screen struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

// take returns what has been drawn since the last call.
func (s *screen) take() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.b.Reset()
	return s.b.String()
}

// TestTTY draws a frame on demand, with a clock of its own.
func TestTTY(t *testing.T) {
	defer goleak.VerifyNone(t)
	var out screen
	now := start
	tty := NewTTY(&out, TTYOptions{
		Commands: Commands{Name: "dag"}, Now: func() time.Time { return now },
		Size: func() (int, int) { return 100, 24 },
	})
	frame := func() string {
		tty.mu.Lock()
		defer tty.mu.Unlock()
		tty.draw()
		return out.take()
	}
	events := run()
	for _, e := range events[:5] {
		tty.Sink(e)
	}
	now = start.Add(5 * time.Second)
	first := frame()
	for _, want := range []string{
		"0 of 3, 1 running · 5.00 s", "░", "ingest[symbol=ESU5,dt=2025-08-14]  5.00 s  2 400 000 rows  600 k rows/s",
		"note: took over the lease",
	} {
		if !strings.Contains(first, want) {
			t.Errorf("the first frame lacks %q:\n%s", want, first)
		}
	}
	for _, e := range events[5 : len(events)-1] {
		tty.Sink(e)
	}
	now = start.Add(12 * time.Second)
	second := frame()
	for _, want := range []string{
		"3 of 4, 1 failed, 1 blocked · 12.0 s\n", "error: bar5s[symbol=ESU5,dt=2025-08-15] failed after 2.00 s",
		"repeat: dag apply 'bar5s[symbol=ESU5,dt=2025-08-15]'",
	} {
		if !strings.Contains(second, want) {
			t.Errorf("the second frame lacks %q:\n%s", want, second)
		}
	}
	last := frame()
	if strings.Contains(last, "rows/s") {
		t.Errorf("a unit that has ended is still drawn:\n%s", last)
	}
	tty.Sink(events[len(events)-1])
	tty.Close()
}

// TestTTYWithoutTerminal goes on counting when nothing can be drawn any more.
func TestTTYWithoutTerminal(t *testing.T) {
	defer goleak.VerifyNone(t)
	refresh := make(chan time.Time, 1)
	tty := NewTTY(failing{}, TTYOptions{Now: func() time.Time { return start }, Refresh: refresh})
	tty.Sink(event.RunStarted{Time: start, WillRun: 1})
	refresh <- start
	for _, e := range run() {
		tty.Sink(e)
	}
	tty.Close()
	if tty.tally.counts[event.Failed] != 1 {
		t.Errorf("counted %v", tty.tally.counts)
	}
}

// TestPlainSpeaksSeldom: a line in 5 s and one for each failure, however much happens.
func TestPlainSpeaksSeldom(t *testing.T) {
	var out bytes.Buffer
	sink := Plain(&out, Style{}, Commands{Name: "dag"})
	sink(event.RunStarted{Time: start, WillRun: 600, Workers: 1})
	for i := range 600 { // ten in a second
		u := event.Unit{Stage: addr.Stage{Name: "bar5s"}, Keys: addr.Keys(fmt.Sprintf("symbol=ESU5,dt=%d", i))}
		now := start.Add(time.Duration(i) * time.Second / 10)
		f := event.StepFinished{Time: now, Unit: u, Result: event.Done}
		if i%200 == 199 {
			f.Result, f.Err = event.Failed, errors.New("disk")
		}
		sink(event.StepStarted{Time: now, Unit: u, Attempt: 1})
		sink(event.StepProgress{Time: now, Unit: u, RowsIn: 1})
		sink(f)
	}
	progress, failures := strings.Count(out.String(), " of 600"), strings.Count(out.String(), "error: ")
	if progress != 11 || failures != 3 { // after 5, 10, … 55 s
		t.Errorf("%d lines of progress and %d failures:\n%s", progress, failures, out.String())
	}
}
