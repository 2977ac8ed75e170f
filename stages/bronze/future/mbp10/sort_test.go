package mbp10

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"

	"dag/engine/stage"
	"dag/engine/stage/stagetest"
	"dag/stages/internal/dbn"
	"dag/stages/internal/mbp10"
)

// at is an event of an instrument; size tells it apart from those of equal key.
func at(id uint32, ts uint64, seq, size uint32) []byte {
	return event(seq, func(m *dbn.MBP10) { m.InstrumentID, m.TsEvent, m.Size = id, noon+ts, size })
}

// received is an event received so many ns after noon: files are told apart by that.
func received(ts uint64, rec []byte) []byte {
	binary.LittleEndian.PutUint64(rec[atTsRecv:], noon+ts)
	return rec
}

func TestTiesKeepInputOrder(t *testing.T) {
	m := metadata(dbn.SchemaMBP10, usual())
	second := file(t, m, received(2000, at(idU5, 5, 1, 20)), received(2000, at(idU5, 1, 9, 21)), received(2000, at(idZ5, 5, 1, 22)))
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
		records = append(records, received(uint64(i), at([]uint32{idU5, idZ5, idU5, idSpread}[i%4], uint64(i/3^5), i%2, i)))
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
	one := file(t, metadata(dbn.SchemaMBP10, usual()), received(2000, at(idU5, 0, 0, 1)))
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

// discard is a task that forgets what is written.
type discard struct{ *stagetest.Task }

func (discard) Output(string, ...string) (stage.Writer, error) { return discardWriter{}, nil }

type discardWriter struct{}

func (discardWriter) Write(arrow.Record) error { return nil }
func (discardWriter) Close() error             { return nil }

// TestWritingFails: the error of the writer ends the stage, however much is built
// behind it.
func TestWritingFails(t *testing.T) {
	full := errors.New("the disk is full")
	for _, good := range []int{0, 1, 3} {
		task := &failing{Task: newTask(t, nil, market(t, 12*batchRows)), good: good, err: full}
		if err := New().Run(t.Context(), task); !errors.Is(err, full) {
			t.Errorf("after %d batches: %v", good, err)
		}
	}
}

// TestWritingPanics: a bug of the writer ends the stage, and nothing goes on
// building rows for it.
func TestWritingPanics(t *testing.T) {
	defer func() {
		if p := recover(); p != "a bug" {
			t.Errorf("panic %v", p)
		}
	}()
	New().Run(t.Context(), &failing{Task: newTask(t, nil, market(t, 12*batchRows)), good: 1})
	t.Error("it ended")
}

// failing is a task whose writers fail after some batches; without an error they panic.
type failing struct {
	*stagetest.Task
	good int
	err  error
}

func (f *failing) Output(string, ...string) (stage.Writer, error) { return f, nil }

func (f *failing) Write(arrow.Record) error {
	f.good--
	switch {
	case f.good >= 0:
		return nil
	case f.err == nil:
		panic("a bug")
	}
	return f.err
}

func (f *failing) Close() error { return nil }

// market is a file of n records of two contracts.
func market(tb testing.TB, n int) []byte {
	data := file(tb, metadata(dbn.SchemaMBP10, usual()))
	for i := range n {
		rec := at([]uint32{idU5, idZ5}[i%2], uint64(i), uint32(i), uint32(i))
		binary.LittleEndian.PutUint64(rec[atTsRecv:], noon+uint64(i))
		data = append(data, rec...)
	}
	return data
}

// TestRecordsAllocateNothing compares runs of few records with runs of many, in
// memory that both fill: what grows is by sorted run and by batch of rows.
func TestRecordsAllocateNothing(t *testing.T) {
	allocations := func(records int) float64 {
		task := discard{newTask(t, stage.Params{"sort_memory": int64(256 << 10)}, market(t, records))}
		return testing.AllocsPerRun(3, func() {
			if err := New().Run(t.Context(), task); err != nil {
				t.Fatal(err)
			}
		})
	}
	few, many := allocations(4_000), allocations(24_000)
	if perRecord := (many - few) / 20_000; perRecord > 0.1 {
		t.Errorf("%v allocations a record", perRecord)
	}
}

// BenchmarkRun is the whole transform but for the writing; time is for a record.
func BenchmarkRun(b *testing.B) {
	const n = 100_000
	task := discard{newTask(b, nil, market(b, n))}
	b.ReportAllocs()
	b.SetBytes(n * mbp10.RecordSize)
	for b.Loop() {
		if err := New().Run(b.Context(), task); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/record")
}

// TestFilesThatOverlap: a copy of a file, and parts that share more than their edge,
// are no day; parts of one file give what the whole gives, and snapshots may repeat.
func TestFilesThatOverlap(t *testing.T) {
	m := metadata(dbn.SchemaMBP10, usual())
	var records [][]byte
	for i := range uint32(400) {
		records = append(records, received(uint64(i)*1e7, at([]uint32{idU5, idZ5}[i%2], uint64(i), i, i)))
	}
	whole := file(t, m, records...)
	want := outputs(run(t, nil, whole))
	if got := outputs(run(t, nil, file(t, m, records[:200]...), file(t, m, records[200:]...))); got != want {
		t.Error("the rows depend on where the files are cut")
	}
	for name, second := range map[string][]byte{"a copy": whole, "an overlap": file(t, m, records[100:]...), "a part": file(t, m, records[7])} {
		err := New().Run(t.Context(), newTask(t, nil, file(t, m, records[:250]...), second))
		if err == nil || !strings.Contains(err.Error(), "a.dbn and b.dbn both hold events of ES") {
			t.Errorf("%s: %v", name, err)
		}
	}
	snapshot := received(1e7, event(1, func(m *dbn.MBP10) { m.Flags = dbn.FlagSnapshot }))
	run(t, nil, file(t, m, records[:200]...), file(t, m, append([][]byte{snapshot}, records[200:]...)...))
}
