//go:build unix

package lake

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"dag/engine/calendar"
	"dag/engine/manifest"
)

// BenchmarkTable lists a lake of 120,000 partitions that is in the index, and
// beside it walks the same folders with readdir and stat alone.
func BenchmarkTable(b *testing.B) {
	root := b.TempDir()
	const symbols, days = 60, 2000
	for s := range symbols {
		dir := filepath.Join(root, fmt.Sprintf("silver/symbol=ES%d/table=ticks", s))
		for d := range days {
			if err := os.MkdirAll(filepath.Join(dir, "dt="+calendar.Day(15_000+d).String()), 0o777); err != nil {
				b.Fatal(err)
			}
		}
	}
	l, err := Open(root, layouts(), Options{Now: func() time.Time { return time.Now().Add(time.Hour) }})
	if err != nil {
		b.Fatal(err)
	}
	if _, err := l.Table(b.Context(), ticks, nil); err != nil {
		b.Fatal(err)
	}
	if err := l.SaveIndex(); err != nil {
		b.Fatal(err)
	}
	cpu := func() time.Duration {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	b.Run("table", func(b *testing.B) {
		start := cpu()
		for b.Loop() {
			l, err := Open(root, layouts(), Options{NoWrite: true})
			if err != nil {
				b.Fatal(err)
			}
			t, err := l.Table(b.Context(), ticks, nil)
			if err != nil || len(t.Series) != symbols || len(t.Series[0].Parts) != days || t.Series[0].Parts[0].State != manifest.Incomplete {
				b.Fatal(len(t.Series), err)
			}
		}
		b.ReportMetric(float64((cpu()-start).Milliseconds())/float64(b.N), "cpu-ms/op")
	})
	b.Run("walk", func(b *testing.B) {
		start := cpu()
		for b.Loop() {
			for s := range symbols {
				f, err := os.Open(filepath.Join(root, fmt.Sprintf("silver/symbol=ES%d/table=ticks", s)))
				if err != nil {
					b.Fatal(err)
				}
				names, err := f.Readdirnames(-1)
				if err != nil {
					b.Fatal(err)
				}
				for _, n := range names {
					if _, _, err := statAt(f, n); err != nil {
						b.Fatal(err)
					}
				}
				f.Close()
			}
		}
		b.ReportMetric(float64((cpu()-start).Milliseconds())/float64(b.N), "cpu-ms/op")
	})
}
