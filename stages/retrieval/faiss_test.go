package retrieval

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"testing"
	"time"
)

// faissResult is what testdata/faiss_bench.py prints.
type faissResult struct {
	Version  string             `json:"version"`
	BuildMS  float64            `json:"build_ms"`
	SearchMS map[string]float64 `json:"search_ms"`
	Found    map[string][][]int `json:"found"`
}

// faiss runs the script with the Python of $FAISS_PYTHON, or python3, and skips
// where that has no faiss.
func faiss(b *testing.B, f *Flat, k, repeats int, queries []string) faissResult {
	b.Helper()
	python := os.Getenv("FAISS_PYTHON")
	if python == "" {
		python = "python3"
	}
	if err := exec.Command(python, "-c", "import faiss").Run(); err != nil {
		b.Skipf("%s has no faiss (pip install faiss-cpu; FAISS_PYTHON names another Python): %v", python, err)
	}
	data := make([]byte, 0, 4*len(f.x))
	for _, v := range f.x {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(v))
	}
	path := filepath.Join(b.TempDir(), "vectors.f32")
	if err := os.WriteFile(path, data, 0o644); err != nil {
		b.Fatal(err)
	}
	args := append([]string{"testdata/faiss_bench.py", path, strconv.Itoa(f.dim), strconv.Itoa(k), strconv.Itoa(repeats)}, queries...)
	cmd := exec.Command(python, args...)
	cmd.Env, cmd.Stderr = append(os.Environ(), "OMP_NUM_THREADS=1"), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		b.Fatal(err)
	}
	var r faissResult
	if err := json.Unmarshal(out, &r); err != nil {
		b.Fatal(err)
	}
	return r
}

// medianTime is the median time of some runs, in ms.
func medianTime(repeats int, run func()) float64 {
	times := make([]float64, repeats)
	for i := range times {
		start := time.Now()
		run()
		times[i] = float64(time.Since(start).Nanoseconds()) / 1e6
	}
	slices.Sort(times)
	return times[repeats/2]
}

// BenchmarkFAISS prints times and recall beside those of FAISS IndexFlatL2 for
// 100,000 × 256 on one thread: build-ms, search-ms and recall are ours, recall
// against a float64 scan; ratio is our time over theirs.
func BenchmarkFAISS(b *testing.B) {
	const k, repeats = 20, 15
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	f := benchFlat(b, 100_000, 256)
	theirs := faiss(b, f, k, repeats, []string{"1", "64"})
	build := medianTime(repeats, func() {
		if _, err := NewFlat(f.dim, slices.Clone(f.x)); err != nil {
			b.Fatal(err)
		}
	})
	for _, nq := range []int{1, 64} {
		name := strconv.Itoa(nq)
		b.Run("queries="+name, func(b *testing.B) {
			var hits [][]Hit
			ours := medianTime(repeats, func() {
				var err error
				if hits, err = f.Search(f.x[:nq*f.dim], k, Rules{}); err != nil {
					b.Fatal(err)
				}
			})
			found, agreed := 0, 0
			for q := range hits {
				want := scanAll(f, f.row(q), q, k, Rules{})
				for i, h := range hits[q] {
					if h == want[i] {
						found++
					}
					if slices.Contains(theirs.Found[name][q], h.Row) {
						agreed++
					}
				}
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(build, "build-ms")
			b.ReportMetric(theirs.BuildMS, "faiss-build-ms")
			b.ReportMetric(ours, "search-ms")
			b.ReportMetric(theirs.SearchMS[name], "faiss-search-ms")
			b.ReportMetric(ours/theirs.SearchMS[name], "ratio")
			b.ReportMetric(float64(found)/float64(nq*k), "recall")
			b.ReportMetric(float64(agreed)/float64(nq*k), "faiss-agrees")
		})
	}
}
