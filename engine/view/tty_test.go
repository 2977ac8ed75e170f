package view

import (
	"bytes"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

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
	refresh := make(chan any)
	now := start
	tty := NewTTY(&out, TTYOptions{Style: Style{Width: 100}, Commands: Commands{Name: "dag"}, Now: func() time.Time { return now }, Refresh: refresh})
	// A frame is drawn when the one after it has been asked for.
	frame := func() string {
		for range 3 {
			refresh <- nil
		}
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
		"3 of 4, 1 failed, 1 blocked · 12.0 s, about 4.00 s to go", "error: bar5s[symbol=ESU5,dt=2025-08-15] failed after 2.00 s",
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
	done := make(chan struct{})
	go func() {
		defer close(done)
		tty.Close()
	}()
	for {
		select {
		case <-done:
			return
		case refresh <- nil:
		}
	}
}

// TestTTYWithoutTerminal goes on counting when nothing can be drawn any more.
func TestTTYWithoutTerminal(t *testing.T) {
	defer goleak.VerifyNone(t)
	refresh := make(chan any, 1)
	tty := NewTTY(failing{}, TTYOptions{Style: Style{Width: 80}, Now: func() time.Time { return start }, Refresh: refresh})
	tty.Sink(event.RunStarted{Time: start, WillRun: 1})
	refresh <- nil
	for _, e := range run() {
		tty.Sink(e)
	}
	tty.Close()
	if tty.tally.counts[event.Failed] != 1 {
		t.Errorf("counted %v", tty.tally.counts)
	}
}
