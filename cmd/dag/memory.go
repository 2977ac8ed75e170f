package main

import (
	"fmt"
	"math"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"strings"
	"time"
)

// byteUnits are the units of sizes on the command line.
var byteUnits = []struct {
	suffix string
	size   float64
}{
	{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40},
	{"kB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12}, {"B", 1},
}

// parseBytes reads a size, as in 512MiB or 8GiB.
func parseBytes(s string) (int64, error) {
	for _, u := range byteUnits {
		digits, ok := strings.CutSuffix(s, u.suffix)
		if !ok {
			continue
		}
		f, err := strconv.ParseFloat(strings.TrimSpace(digits), 64)
		if n := f * u.size; err == nil && n >= 1 && n < math.MaxInt64 {
			return int64(n), nil
		}
		break
	}
	return 0, mistake("usage", fmt.Sprintf("%q is not a size", s), "write a number with a unit, as in 512MiB or 8GiB")
}

// memoryLimit is --memory, or three quarters of what there is.
func (f *applyFlags) memoryLimit() (int64, error) {
	if f.memory != "" {
		return parseBytes(f.memory)
	}
	return machineMemory() / 4 * 3, nil
}

// heapInUse is the heap of this process in bytes: objects that live, and those that
// the garbage collector has not taken yet.
func heapInUse() int64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return int64(sample[0].Value.Uint64())
}

// planHeap is where the garbage collector is to work harder while nothing but a
// plan is made: what a million partitions take.
const planHeap = 352 << 20

const (
	// heapPerWorker is the heap that a worker's batches, pages and dictionaries fit
	// in, garbage included; the process has one share for itself.
	heapPerWorker = 40 << 20
	// heapBeside is what the runtime takes beside objects.
	heapBeside = 16 << 20
	// heapEvery is how often the limit follows what lives.
	heapEvery = 100 * time.Millisecond
)

// heapLimit is where the garbage collector is to work harder rather than let the
// heap grow: what the workers need or, where more lives than that, twice of it; and
// never more than the memory they share. What lives at once may still be more.
func heapLimit(memory int64, workers int, live int64) int64 {
	needed := max(heapPerWorker*int64(workers+1), 2*live+heapBeside)
	if memory <= 0 { // nobody knows how much there is
		return needed
	}
	return min(memory/20*17, needed)
}

// keepHeap holds the heap to heapLimit until stop is called. A limit in the
// environment is left alone.
func keepHeap(memory int64, workers int) (stop func()) {
	if os.Getenv("GOMEMLIMIT") != "" {
		return func() {}
	}
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}} // what the last collection left
	follow := func() {
		metrics.Read(sample)
		debug.SetMemoryLimit(heapLimit(memory, workers, int64(sample[0].Value.Uint64())))
	}
	follow()
	done := make(chan struct{})
	go func() {
		tick := time.NewTicker(heapEvery)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				follow()
			case <-done:
				return
			}
		}
	}()
	return func() { close(done) }
}
