package setupindex

import (
	"bytes"
	"errors"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"

	"dag/engine/stage"
)

// written is an index in memory that a test may spoil.
type written struct {
	parameters []Parameters
	features   []Feature
	episodes   []Episode
	dates      []Date
	vectors    []byte
}

// whole is an index of three episodes: two of one group on two dates, one of
// another.
func whole() *written {
	family, err := FamilyNamed(Approach2m)
	if err != nil {
		panic(err) // the name is a constant
	}
	w := &written{parameters: []Parameters{{Format: Format, Family: family.Name, Semantics: "corrected", Dimension: int64(len(family.Features)), Vectors: 3, Classes: family.Classes}}}
	for i, name := range family.Features {
		w.features = append(w.features, Feature{int64(i), name})
	}
	w.vectors = make([]byte, 3*8*len(family.Features))
	for i, e := range []Episode{
		{EpisodeID: "a", Date: "2025-08-04", Level: "or_low", Trigger: 1, Direction: -1, Outcome: "BREAK"},
		{EpisodeID: "b", Date: "2025-08-04", Level: "pm_high", Trigger: 2, Direction: 1, Outcome: "CHOP"},
		{EpisodeID: "c", Date: "2025-08-05", Level: "pm_high", Trigger: 3, Direction: 1, Outcome: "REJECT"},
	} {
		e.ID = int64(i)
		w.episodes = append(w.episodes, e)
		counts := make([]int64, len(family.Classes))
		for c, class := range family.Classes {
			if class == e.Outcome {
				counts[c] = 1
			}
		}
		zeros := make([]float64, len(family.Features))
		w.dates = append(w.dates, Date{Level: e.Level, Direction: e.Direction, Date: e.Date, Count: 1, Mean: zeros, M2: zeros, Classes: counts})
	}
	return w
}

func (w *written) Rows() stage.Batches { return batches(EpisodeColumns(), w.episodes) }

func (w *written) Table(name string) stage.Batches {
	switch name {
	case ParametersTable:
		return batches(ParameterColumns(), w.parameters)
	case FeaturesTable:
		return batches(FeatureColumns(), w.features)
	case DatesTable:
		return batches(DateColumns(), w.dates)
	}
	return func(yield func(arrow.Record, error) bool) { yield(nil, errors.New("no table "+name)) }
}

func (w *written) File(string) (io.ReaderAt, int64, error) {
	return bytes.NewReader(w.vectors), int64(len(w.vectors)), nil
}

// batches are the records that Write makes of rows.
func batches[T any](columns []Column[T], rows []T) stage.Batches {
	return func(yield func(arrow.Record, error) bool) {
		err := Write(writerFunc(func(rec arrow.Record) error {
			if !yield(rec, nil) {
				return io.EOF
			}
			return nil
		}), columns, rows)
		if err != nil && err != io.EOF {
			yield(nil, err)
		}
	}
}

type writerFunc func(arrow.Record) error

func (f writerFunc) Write(rec arrow.Record) error { return f(rec) }
func (f writerFunc) Close() error                 { return nil }

func TestOpen(t *testing.T) {
	w := whole()
	PutVector(w.vectors[2*len(w.vectors)/3:], []float64{1.5, -2})
	x, err := Open(w)
	if err != nil {
		t.Fatal(err)
	}
	if len(x.Groups) != 2 || x.Groups[1].From != 1 || x.Groups[1].To != 3 || len(x.Groups[1].Dates) != 2 {
		t.Errorf("groups are %+v", x.Groups)
	}
	v, err := x.ReadVectors(1, 3)
	if d := int(x.Dimension); err != nil || len(v) != 2*d || v[d] != 1.5 || v[d+1] != -2 || v[0] != 0 {
		t.Errorf("vectors are %v, %v", v, err)
	}
}

// TestOpenRefuses spoils an index in every way that is looked for.
func TestOpenRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*written)
		want  string
	}{
		"no parameters":  {func(w *written) { w.parameters = nil }, "the index is empty"},
		"no vectors":     {func(w *written) { w.parameters[0].Vectors, w.episodes = 0, nil }, "the index is empty"},
		"format":         {func(w *written) { w.parameters[0].Format = 2 }, "the index has format 2 in 1 rows; this version reads format 1"},
		"family":         {func(w *written) { w.parameters[0].Family = "x" }, `there is no family of vectors "x"`},
		"dimension":      {func(w *written) { w.parameters[0].Dimension = 3 }, "dimension 3 and a list of 256"},
		"fewer features": {func(w *written) { w.parameters[0].Dimension, w.features = 2, w.features[:2] }, "holds 2 features, and approach2m has 256"},
		"other feature":  {func(w *written) { w.features[7].Name = "y" }, "feature 7 of the index is y"},
		"feature order":  {func(w *written) { w.features[7].Position = 8 }, "row 7 is position 8"},
		"metadata":       {func(w *written) { w.episodes = w.episodes[:2] }, "3 vectors and metadata of 2"},
		"ids":            {func(w *written) { w.episodes[1].ID = 5 }, "row 1 of the index has vector_id 5"},
		"episode twice":  {func(w *written) { w.episodes[2].EpisodeID = "b" }, "holds episode b twice"},
		"outcome":        {func(w *written) { w.episodes[2].Outcome = "z" }, `episode c of the index has outcome "z"`},
		"score":          {func(w *written) { w.episodes[2].Score = math.Inf(1) }, "episode c of the index has outcome_score +Inf"},
		"order":          {func(w *written) { w.episodes[2].Trigger = 0 }, "episode c lies behind a later one"},
		"apart": {func(w *written) {
			w.episodes[0].Level, w.episodes[0].Direction = "pm_high", 1
			w.episodes[1].Level = "pm_low"
		}, "do not lie together"},
		"date missing":    {func(w *written) { w.dates = w.dates[:2] }, "ends before 2025-08-05 of pm_high"},
		"date too many":   {func(w *written) { w.dates = append(w.dates, w.dates[2]) }, "1 rows more"},
		"other date":      {func(w *written) { w.dates[2].Date = "2025-08-06" }, "2025-08-06 of pm_high, direction +1, where 2025-08-05"},
		"count":           {func(w *written) { w.dates[2].Count = 2 }, "counts 2 episodes, of classes [0 1 0]"},
		"classes":         {func(w *written) { w.dates[2].Classes = []int64{1, 0, 0} }, "of classes [1 0 0]"},
		"mean of another": {func(w *written) { w.dates[2].Mean = nil }, "counts 1 episodes"},
		"truncated":       {func(w *written) { w.vectors = w.vectors[:100] }, "has 100 bytes; 3 vectors of 256 values have 6144"},
	} {
		w := whole()
		c.spoil(w)
		if _, err := Open(w); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func TestReadVectorsRefusesValuesThatAreNone(t *testing.T) {
	w := whole()
	PutVector(w.vectors[2*8*256+8:], []float64{math.NaN()})
	x, err := Open(w)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := x.ReadVectors(0, 3); err == nil || !strings.Contains(err.Error(), "of episode c is NaN") {
		t.Errorf("%v", err)
	}
}

// TestMerge: moments of parts merge to those of the whole, also where the mean
// is so far from 0 that sums of squares would keep no digit.
func TestMerge(t *testing.T) {
	values := []float64{1e9 + 1, 1e9 + 2, 1e9 + 4, math.NaN(), 1e9 + 8}
	all, merged := NewMoments(1), NewMoments(1)
	for i, v := range values {
		all.Add([]float64{v})
		if i%2 == 1 {
			part := NewMoments(1)
			part.Add(values[i-1 : i])
			part.Add(values[i : i+1])
			merged.Merge(part)
		}
	}
	last := NewMoments(1)
	last.Add(values[4:])
	merged.Merge(last)
	want := math.Sqrt(28.75 / 3) // of 1, 2, 4, 8 about 3.75
	for name, m := range map[string]*Moments{"added": all, "merged": merged} {
		if m.N[0] != 4 || m.Mean[0] != 1e9+3.75 || math.Abs(m.Std()[0]-want) > 1e-7 {
			t.Errorf("%s: n %d, mean %v, std %v; want 4, 1e9+3.75, %v", name, m.N[0], m.Mean[0], m.Std()[0], want)
		}
	}
}

func TestFitMergesDirections(t *testing.T) {
	dates := []Date{
		{Level: "a", Direction: -1, Date: "2", Count: 1, Mean: []float64{2}, M2: []float64{0}},
		{Level: "a", Direction: 1, Date: "1", Count: 1, Mean: []float64{4}, M2: []float64{0}},
		{Level: "b", Direction: 1, Date: "3", Count: 1, Mean: []float64{5}, M2: []float64{0}},
	}
	apart, shared := Fit(dates, false), Fit(dates, true)
	if len(apart) != 3 || apart[0].First != "2" || apart[0].Std[0] != 1 || apart[1].Mean[0] != 4 {
		t.Errorf("apart: %+v", apart)
	}
	if len(shared) != 2 || shared[0].Direction != 0 || shared[0].First != "1" || shared[0].Last != "2" || shared[0].Count != 2 || shared[0].Mean[0] != 3 || shared[0].Std[0] != math.Sqrt2 {
		t.Errorf("shared: %+v", shared)
	}
}

// TestGroupVectorsRefusesOthers: vectors of the right size that are not those of
// the moments beside them.
func TestGroupVectorsRefusesOthers(t *testing.T) {
	w := whole()
	x, err := Open(w)
	if err != nil {
		t.Fatal(err)
	}
	g := &x.Groups[1]
	if v, err := x.GroupVectors(g); err != nil || len(v) != 2*256 {
		t.Fatalf("%d values, %v", len(v), err)
	}
	PutVector(w.vectors[2*8*256+8:], []float64{0.001})
	if _, err := x.GroupVectors(g); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "of pm_high, direction +1, on 2025-08-05 has mean 0.001") {
		t.Errorf("%v", err)
	}
	if _, err := x.GroupVectors(&x.Groups[0]); err != nil {
		t.Errorf("the other group: %v", err)
	}
}
