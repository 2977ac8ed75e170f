package main

import (
	"fmt"
	"math"
	"runtime/metrics"
	"strconv"
	"strings"
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

// heapPerWorker is the heap that a worker's batches, pages and dictionaries fit
// in, garbage included; the process has one share for itself.
const heapPerWorker = 80 << 20

// heapLimit is where the garbage collector is to work harder rather than let the
// heap grow: what the workers need, and never more than the memory they share.
// What lives at once may still be more.
func heapLimit(memory int64, workers int) int64 {
	return min(memory/20*17, heapPerWorker*int64(workers+1))
}
