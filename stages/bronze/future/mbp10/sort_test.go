package mbp10

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"pgregory.net/rapid"

	"dag/engine/stage"
	"dag/engine/stage/stagetest"
	"dag/stages/internal/dbn"
)

// at is an event of an instrument; size tells it apart from those of equal key.
func at(id uint32, ts uint64, seq, size uint32) []byte {
	return event(seq, func(m *dbn.MBP10) { m.InstrumentID, m.TsEvent, m.Size = id, noon+ts, size })
}

func TestTiesKeepInputOrder(t *testing.T) {
	m := metadata(dbn.SchemaMBP10, usual())
	second := file(t, m, at(idU5, 5, 1, 20), at(idU5, 1, 9, 21), at(idZ5, 5, 1, 22))
	first := file(t, m, at(idU5, 5, 2, 10), at(idU5, 5, 1, 11), at(idU5, 5, 1, 12), at(idU5, 3, 7, 13), at(idZ5, 5, 1, 14))
	task := newTask(t, nil)
	task.AddFile("dbn", "b.dbn", second)
	task.AddFile("dbn", "a.dbn", first)
	if err := New().Run(t.Context(), task); err != nil {
		t.Fatal(err)
	}
	if got, want := longs(task, "ESU5", "size"), []int64{21, 13, 11, 12, 20, 10}; !slices.Equal(got, want) {
		t.Errorf("ESU5: %v, want %v", got, want)
	}
	if got, want := longs(task, "ESZ5", "size"), []int64{14, 22}; !slices.Equal(got, want) {
		t.Errorf("ESZ5: %v, want %v", got, want)
	}
}

// pattern draws times of n events: in order, in order but for a few, or in any.
func pattern(rt *rapid.T, n int) []uint64 {
	disorder := rapid.SampledFrom([]uint64{0, 3, 40, 2000}).Draw(rt, "disorder")
	ties := rapid.SampledFrom([]uint64{1, 4}).Draw(rt, "ties")
	seed := rapid.Uint64().Draw(rt, "seed")
	out := make([]uint64, n)
	for i := range out {
		seed = seed*6364136223846793005 + 1442695040888963407
		out[i] = uint64(i) / ties
		if disorder > 0 {
			out[i] += seed >> 33 % disorder
		}
	}
	return out
}

// TestMemoryDoesNotMatter compares a sort within the smallest memory, which
// spills many runs, with the stable sort of the library.
func TestMemoryDoesNotMatter(t *testing.T) {
	const perRun = minSortMemory / perRecord
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(1, 12*perRun).Draw(rt, "records")
		contracts := rapid.IntRange(1, 5).Draw(rt, "contracts")
		budget := rapid.SampledFrom([]int{minSortMemory, 3 * minSortMemory, 64 << 20}).Draw(rt, "memory")
		times := pattern(rt, n)
		s := newSorter(newTask(t, nil), budget)
		defer s.close()
		want := make([][][]byte, contracts)
		for i, ts := range times {
			id := i * 7 % 11 % contracts
			rec := at(idU5, ts, uint32(i*13%3), uint32(i))
			want[id] = append(want[id], rec)
			if err := s.add(int32(id), rec); err != nil {
				rt.Fatal(err)
			}
		}
		if err := s.finish(); err != nil {
			rt.Fatal(err)
		}
		if spilled := s.spill != nil; spilled != (n > budget/perRecord) {
			rt.Fatalf("%d records in %d bytes: spilled is %v", n, budget, spilled)
		}
		for id, list := range want {
			slices.SortStableFunc(list, func(a, b []byte) int {
				return cmp.Or(cmp.Compare(keyOf(a).ts, keyOf(b).ts), cmp.Compare(keyOf(a).seq, keyOf(b).seq))
			})
			if s.records(int32(id)) != len(list) {
				rt.Fatalf("contract %d has %d records, want %d", id, s.records(int32(id)), len(list))
			}
			if len(list) == 0 {
				continue // never asked for
			}
			i := 0
			err := s.sorted(int32(id), func(block []byte) error {
				for ; len(block) > 0; block = block[recordSize:] {
					if i == len(list) || !slices.Equal(block[:recordSize], list[i]) {
						return fmt.Errorf("contract %d: record %d of %d is not the one of a stable sort", id, i, len(list))
					}
					i++
				}
				return nil
			})
			if err != nil || i != len(list) {
				rt.Fatalf("contract %d: %d of %d records: %v", id, i, len(list), err)
			}
		}
	})
}

// outputs prints all that a run leaves.
func outputs(task *stagetest.Task) string {
	out := fmt.Sprint(task.Metrics())
	for _, symbol := range task.FanOuts("events") {
		rec := task.Table("events", symbol)
		out += fmt.Sprintln(symbol, rec.NumRows(), rec)
	}
	return out
}

// TestSmallMemoryGivesTheSameRows runs the whole transform.
func TestSmallMemoryGivesTheSameRows(t *testing.T) {
	m := metadata(dbn.SchemaMBP10, usual())
	var records [][]byte
	for i := range uint32(1500) {
		records = append(records, at([]uint32{idU5, idZ5, idU5, idSpread}[i%4], uint64(i/3^5), i%2, i))
	}
	files := [][]byte{file(t, m, records[:900]...), file(t, m, records[900:]...)}
	want := outputs(run(t, nil, files...))
	got := outputs(run(t, stage.Params{"sort_memory": int64(minSortMemory), "semantics": "reference"}, files...))
	if got != want {
		t.Error("the rows depend on the memory")
	}
}

func TestBatches(t *testing.T) {
	rec := at(idU5, 0, 0, 1)
	one := file(t, metadata(dbn.SchemaMBP10, usual()), rec)
	records := slices.Repeat([][]byte{rec}, 2*batchRows+1)
	records = append(records, slices.Repeat([][]byte{at(idZ5, 0, 0, 1)}, batchRows)...)
	task := run(t, nil, file(t, metadata(dbn.SchemaMBP10, usual()), records...), one)
	if got := batchSizes(task.Rows("events", "ESU5")); !slices.Equal(got, []int64{batchRows, batchRows, 2}) {
		t.Errorf("ESU5 is in batches of %v", got)
	}
	if got := batchSizes(task.Rows("events", "ESZ5")); !slices.Equal(got, []int64{batchRows}) {
		t.Errorf("ESZ5 is in batches of %v", got)
	}
}

// TestScratchThatIsCutOff is an error, not a lack of rows.
func TestScratchThatIsCutOff(t *testing.T) {
	s := newSorter(newTask(t, nil), minSortMemory)
	defer s.close()
	for i := range uint32(2 * minSortMemory / perRecord) {
		if err := s.add(0, at(idU5, uint64(i), 0, 0)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.finish(); err != nil {
		t.Fatal(err)
	}
	s.segments[0][1].records++
	if err := s.sorted(0, func([]byte) error { return nil }); err == nil {
		t.Error("a segment beyond the end of the file is read")
	}
}

func TestAddAllocatesNothing(t *testing.T) {
	s := newSorter(newTask(t, nil), minSortMemory)
	rec := at(idU5, 0, 0, 1)
	for range s.limit {
		if err := s.add(0, rec); err != nil {
			t.Fatal(err)
		}
	}
	s.keys, s.ids = s.keys[:0], s.ids[:0]
	clear(s.runs)
	allocs := testing.AllocsPerRun(s.limit-2, func() {
		if err := s.add(0, rec); err != nil {
			t.Fatal(err)
		}
	})
	if allocs != 0 {
		t.Errorf("%v allocations for a record", allocs)
	}
}

// discard is a task that forgets what is written.
type discard struct{ *stagetest.Task }

func (discard) Output(string, ...string) (stage.Writer, error) { return discardWriter{}, nil }

type discardWriter struct{}

func (discardWriter) Write(arrow.Record) error { return nil }
func (discardWriter) Close() error             { return nil }

// BenchmarkRun is the whole transform but for the writing; time is for a record.
func BenchmarkRun(b *testing.B) {
	const n = 100_000
	var data []byte
	for i := range uint32(n) {
		rec := at([]uint32{idU5, idZ5}[i%2], uint64(i), i, i)
		binary.LittleEndian.PutUint64(rec[atTsRecv:], noon+uint64(i))
		data = append(data, rec...)
	}
	head := file(b, metadata(dbn.SchemaMBP10, usual()))
	task := discard{newTask(b, nil, append(head, data...))}
	b.ReportAllocs()
	b.SetBytes(n * recordSize)
	for b.Loop() {
		if err := New().Run(b.Context(), task); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/record")
}
