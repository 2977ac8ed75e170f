package exec_test

import (
	"context"
	"fmt"
	"runtime/debug"
	"strings"
	"syscall"
	"testing"
	"time"

	"dag/engine/exec"
	"dag/engine/stage"
)

// BenchmarkNoop applies units that do nothing: what is left is the engine, per
// partition, staging, manifest, commit and syncs included.
func BenchmarkNoop(b *testing.B) {
	const symbols, days = 10, 20
	var lines strings.Builder
	for s := range symbols {
		fmt.Fprintf(&lines, "ES%02d 1\n", s)
	}
	defer debug.SetGCPercent(debug.SetGCPercent(200)) // as cmd/dag does
	var used time.Duration
	for b.Loop() {
		b.StopTimer()
		w := newWorld(b)
		w.runs["ingest"] = func(_ context.Context, t stage.Task) error {
			for s := range symbols {
				out, err := t.Output("out", fmt.Sprintf("ES%02d", s))
				if err != nil {
					return err
				}
				if err := out.Close(); err != nil {
					return err
				}
			}
			return nil
		}
		w.runs["double"] = func(context.Context, stage.Task) error { return nil }
		w.runs["total"] = w.runs["double"]
		for d := range days {
			w.raw(fmt.Sprintf("2025-08-%02d.txt", d+1), lines.String())
		}
		g, lk := w.open()
		p := w.plan(g, lk)
		o := w.options()
		o.Workers, o.Events = 2, nil
		before := cpuTime(b)
		b.StartTimer()
		out, err := exec.Run(context.Background(), p, lk, o)
		b.StopTimer()
		if err != nil || out.Counts["failed"] > 0 {
			b.Fatal(out, err)
		}
		used += cpuTime(b) - before
		if err := lk.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
	const partitions = days*symbols*2 + 1
	b.ReportMetric(float64(used.Microseconds())/partitions/float64(b.N), "cpu-µs/partition")
}

// cpuTime is what this process has used so far.
func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
