package main

import (
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"dag/stages/synthetic"
)

// BenchmarkDay applies the shipped pipeline to one synthetic day, from raw DBN
// to the approaches of the front contract, everything stored. DAG_BENCH_EVENTS
// sets the size of the day.
func BenchmarkDay(b *testing.B) {
	events := 200_000
	if s := os.Getenv("DAG_BENCH_EVENTS"); s != "" {
		var err error
		if events, err = strconv.Atoi(s); err != nil {
			b.Fatal(err)
		}
	}
	raw := b.TempDir()
	cfg := synthetic.Default()
	cfg.Days, cfg.Events = 1, events
	summary, err := synthetic.Write(raw, cfg)
	if err != nil {
		b.Fatal(err)
	}
	var before, after syscall.Rusage
	cpu := int64(0)
	for b.Loop() {
		root := filepath.Join(b.TempDir(), "lake")
		if err := os.MkdirAll(root, 0o777); err != nil {
			b.Fatal(err)
		}
		if err := os.Symlink(filepath.Join(raw, "raw"), filepath.Join(root, "raw")); err != nil {
			b.Fatal(err)
		}
		_ = syscall.Getrusage(syscall.RUSAGE_SELF, &before)
		if code := run([]string{"-C", "../..", "--lake", root, "apply", "-q", "--progress", "none", "--symbol", "ESU5"}); code != 0 {
			b.Fatalf("apply ended with %d", code)
		}
		_ = syscall.Getrusage(syscall.RUSAGE_SELF, &after)
		cpu += after.Utime.Nano() + after.Stime.Nano() - before.Utime.Nano() - before.Stime.Nano()
	}
	b.ReportMetric(float64(cpu)/float64(b.N)/float64(summary.Records), "cpu-ns/record")
}
