package exec_test

import (
	"context"
	"sync/atomic"
	"testing"

	"dag/engine/addr"
	"dag/engine/event"
	"dag/engine/exec"
	"dag/engine/manifest"
)

// TestPeakIsRecorded: the most that was seen while a unit ran stands in its manifest
// and its event, and changes nothing of what it made.
func TestPeakIsRecorded(t *testing.T) {
	w := newWorld(t)
	w.raw("2025-08-04.txt", "ESU5 1\n")
	part, err := addr.ParsePartition("silver.t.doubled[symbol=ESU5,dt=2025-08-04]")
	if err != nil {
		t.Fatal(err)
	}
	recorded := func() *manifest.Manifest {
		_, lk := w.open()
		m, err := lk.Manifest(part)
		if err != nil {
			t.Fatal(err)
		}
		if err := lk.Close(); err != nil {
			t.Fatal(err)
		}
		return m
	}
	w.apply(context.Background(), nil)
	before := recorded()
	if before.Run.PeakBytes != 0 {
		t.Errorf("%d bytes, and nothing measures", before.Run.PeakBytes)
	}
	w.raw("2025-08-04.txt", "ESU5 2\n")
	w.apply(context.Background(), nil)
	w.raw("2025-08-04.txt", "ESU5 1\n")
	var looks atomic.Int64
	w.apply(context.Background(), func(o *exec.Options) {
		o.Workers = 1
		o.Heap = func() int64 { return 1000 - 7*min(looks.Add(1), 100) } // falls: the first look is the most
	})
	after := recorded()
	if after.Digest != before.Digest || after.Fingerprint != before.Fingerprint {
		t.Errorf("it came out as another: %+v and %+v", before, after)
	}
	seen := map[string]int64{}
	for _, e := range w.events {
		if f, ok := e.(event.StepFinished); ok {
			seen[f.Unit.String()] = f.PeakBytes
		}
	}
	ingest, double := seen["ingest[root=ES,dt=2025-08-04]"], seen["double[symbol=ESU5,dt=2025-08-04]"]
	if ingest != 993 || double != after.Run.PeakBytes || double <= 300 || double >= ingest {
		t.Errorf("measured %v, recorded %d", seen, after.Run.PeakBytes)
	}
}
