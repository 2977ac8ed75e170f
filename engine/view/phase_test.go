package view

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// A phase is silent until it has taken a while, then tells counts and rates, and
// leaves nothing on a terminal.
func TestPhase(t *testing.T) {
	for _, size := range []Size{func() (int, int) { return 80, 24 }, nil} {
		var b bytes.Buffer
		now := time.Unix(0, 0)
		ticks, waits := make(chan time.Time), make(chan time.Duration, 9)
		n, what := int64(0), ""
		o := PhaseOptions{Size: size, Now: func() time.Time { return now }, After: func(d time.Duration) <-chan time.Time { waits <- d; return ticks }}
		end := Phase(&b, o, func() (string, int64) { return what, n })
		if d := <-waits; d != phaseAfter {
			t.Errorf("the first line after %s", d)
		}
		for _, step := range []struct {
			what string
			n    int64
		}{{"", 0}, {"partitions looked at", 1000}, {"partitions looked at", 3000}, {"units compared", 50}, {"units compared", 150}} {
			what, n, now = step.what, step.n, now.Add(time.Second)
			ticks <- now
			<-waits
		}
		end()
		end()
		var lines []string
		for _, l := range strings.FieldsFunc(b.String(), func(r rune) bool { return r == '\r' || r == '\n' }) {
			if l = strings.TrimPrefix(l, "\x1b[1A\x1b[J"); l != "" {
				lines = append(lines, l)
			}
		}
		want := "1 000 partitions looked at, 500/s|3 000 partitions looked at, 1 000/s|50 units compared|150 units compared, 100/s"
		if got := strings.Join(lines, "|"); got != want {
			t.Errorf("terminal %v: got %q, want %q", size != nil, got, want)
		}
		if size != nil && !strings.HasSuffix(b.String(), "\r\x1b[1A\x1b[J") {
			t.Errorf("the line stays: %q", b.String())
		}
	}
}
