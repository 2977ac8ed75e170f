package retrieval_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"dag/engine/addr"
	"dag/engine/stage"
	"dag/engine/stage/stagetest"
	setupindex "dag/stages/gold/future/setup_index"
	"dag/stages/retrieval"
)

// dimension of the family approach2m.
const dimension = 256

// vectors are rows of gold.future.setup_vectors to be made into an index.
type vectors struct {
	days, perDay int
	// outcome labels a vector and may change it.
	outcome func(r *rand.Rand, v []float64) (string, float64)
}

var levels = []string{"or_high", "or_low", "pm_high", "pm_low"}

// record makes the vectors of one day.
func (m vectors) record(r *rand.Rand, s *arrow.Schema, date time.Time) arrow.Record {
	b := array.NewRecordBuilder(memory.DefaultAllocator, s)
	defer b.Release()
	v := make([]float64, dimension)
	for i := range m.perDay {
		for j := range v {
			v[j] = r.NormFloat64()
		}
		outcome, score := m.outcome(r, v)
		level, direction := levels[i%len(levels)], int64(1)
		if i/len(levels)%2 == 1 {
			direction = -1
		}
		trigger := date.Add(13*time.Hour + 30*time.Minute + time.Duration(i)*14*time.Minute).UnixNano()
		for c, f := range s.Fields() {
			switch f.Name {
			case "episode_id":
				b.Field(c).(*array.StringBuilder).Append(fmt.Sprintf("%s_ESU5_%s_%d", date.Format(time.DateOnly), level, trigger))
			case "dt":
				b.Field(c).(*array.StringBuilder).Append(date.Format(time.DateOnly))
			case "level_type":
				b.Field(c).(*array.StringBuilder).Append(level)
			case "outcome":
				b.Field(c).(*array.StringBuilder).Append(outcome)
			case "outcome_score":
				b.Field(c).(*array.Float64Builder).Append(score)
			case "trigger_candle_ts":
				b.Field(c).(*array.Int64Builder).Append(trigger)
			case "approach_direction":
				b.Field(c).(*array.Int64Builder).Append(direction)
			case "is_front_month":
				b.Field(c).(*array.BooleanBuilder).Append(true)
			case "vector":
				list := b.Field(c).(*array.ListBuilder)
				list.Append(true)
				list.ValueBuilder().(*array.Float64Builder).AppendValues(v, nil)
			default:
				b.Field(c).AppendEmptyValue()
			}
		}
	}
	return b.NewRecord()
}

// index runs the stage over the days, and opens what it wrote.
func (m vectors) index(t testing.TB, seed uint64) *retrieval.Index {
	t.Helper()
	spec := setupindex.New().Spec()
	task := stagetest.NewTask(t, spec, map[string]string{"root": "ES"}, nil, nil)
	r := rand.New(rand.NewPCG(seed, 0))
	for d := range m.days {
		date := time.Date(2023, 1, 2, 0, 0, 0, 0, time.UTC).AddDate(0, 0, d/5*7+d%5)
		keys := addr.MakeKeys(addr.KeyValue{Key: "symbol", Value: "ESU5"}, addr.KeyValue{Key: "dt", Value: date.Format(time.DateOnly)})
		task.AddPartition("vectors", keys, m.record(r, spec.Inputs[0].Columns, date))
	}
	if err := setupindex.New().Run(t.Context(), task); err != nil {
		t.Fatal(err)
	}
	x, err := retrieval.Open(source{task})
	if err != nil {
		t.Fatal(err)
	}
	return x
}

// source is the output of a task as a partition.
type source struct{ task *stagetest.Task }

func (s source) Rows() stage.Batches             { return one(s.task.Table("index")) }
func (s source) Table(name string) stage.Batches { return one(s.task.TableBeside("index", name)) }

func (s source) File(name string) (io.ReaderAt, int64, error) {
	b := s.task.FileBeside("index", name)
	return bytes.NewReader(b), int64(len(b)), nil
}

func one(rec arrow.Record) stage.Batches {
	return func(yield func(arrow.Record, error) bool) { yield(rec, nil) }
}

// noise labels at random: there is nothing to find.
func noise(r *rand.Rand, _ []float64) (string, float64) {
	switch r.IntN(5) {
	case 0, 1:
		return "BREAK", 8 + r.Float64()
	case 2, 3:
		return "REJECT", -8 - r.Float64()
	}
	return "CHOP", 0
}

// planted draws one of two kinds of vectors, far apart in the first tenth of
// features, of which each mostly ends its own way.
func planted(r *rand.Rand, v []float64) (string, float64) {
	outcome, score := noise(r, v)
	if r.IntN(2) == 0 {
		return outcome, score
	}
	sign := 1.0
	outcome, score = "BREAK", 9
	if r.IntN(2) == 0 {
		sign, outcome, score = -1, "REJECT", -9
	}
	for j := range v[:dimension/10] {
		v[j] += 3 * sign
	}
	return outcome, score
}
