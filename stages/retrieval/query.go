package retrieval

import (
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"
)

// Query asks what happened after set-ups like one.
type Query struct {
	EpisodeID string // of the set-up; empty for a vector of no episode
	Date      string // its day; empty for a vector of no episode
	Level     string
	Direction int64 // +1 from below the level, -1 from above
	Vector    []float64
	// AsOf is the date from which on nothing is known. A query never sees its own
	// day or later ones; it is required of a vector without a day (10 R-2).
	AsOf string

	K           int
	MaxPerDay   int
	ExcludeChop bool
	Alpha       float64 // weight of the base rates; 10 §5 has 1
}

// The defaults of a query.
const (
	DefaultK         = 10
	DefaultMaxPerDay = 2
	DefaultAlpha     = 1.0
)

// What a statement needs behind it at least (spec 10 §5), and how many
// neighbours of equal weight. enoughDates counts dates that are learnt from, and
// those that a claim of skill was tested on.
const (
	enoughDates     = 20
	enoughEpisodes  = 50
	enoughEffective = 5
)

// Neighbour is an earlier episode and how near it is.
type Neighbour struct {
	Episode
	Distance   float64 // squared, of normalised vectors
	Similarity float64 // its weight: exp(-Distance/Bandwidth)
}

// Class is one outcome.
type Class struct {
	Name        string
	Probability float64
	BaseRate    float64 // its share among all episodes the query might have found
	Lift        float64 // Probability/BaseRate; NaN if BaseRate is 0
}

// Answer is what past set-ups say. What is undefined without neighbours or
// training is NaN.
type Answer struct {
	AsOf          string // only earlier dates were seen
	Neighbours    []Neighbour
	Classes       []Class
	ExpectedScore float64 // ticks, weighted mean of the neighbours'
	EffectiveN    float64 // W²/Σw²: how many neighbours of equal weight say as much
	MeanDistance  float64
	Confidence    float64 // share of training episodes whose own neighbours are no nearer
	Bandwidth     float64 // median of the training episodes' mean distances to their neighbours

	Episodes, Dates int    // the training set
	First, Last     string // its dates
	// Of the level before AsOf, from both sides: what decides whether they are enough.
	LevelEpisodes, LevelDates int
	// Thin says why the sample is too thin to rely on; empty if it is not.
	Thin string
}

// Ask answers a query with corrected semantics (10 R-1 … R-11): the k nearest
// episodes of the same level and direction before AsOf, at most MaxPerDay of a
// day and one of a chain of overlapping ones; everything fitted on the dates
// before AsOf alone.
func Ask(x *Index, q Query) (*Answer, error) {
	if err := q.Check(x); err != nil {
		return nil, err
	}
	a := &Answer{AsOf: q.AsOf}
	if a.AsOf == "" || q.Date != "" && q.Date < a.AsOf {
		a.AsOf = q.Date
	}
	g := x.Group(q.Level, q.Direction)
	if g == nil {
		g = &Group{Level: q.Level, Direction: q.Direction}
	}
	raw, err := x.GroupVectors(g)
	if err != nil {
		return nil, err
	}
	t, err := newTraining(x, g, raw, a.AsOf, momentsBefore(x, g, a.AsOf), q.ExcludeChop)
	if err != nil {
		return nil, err
	}
	point := make([]float32, x.Dimension)
	t.scale.Apply(point, q.Vector)
	rules := t.rules(q.MaxPerDay)
	rules.Skip = func(_, row int) bool { return q.EpisodeID != "" && t.episodes[row].EpisodeID == q.EpisodeID }
	found, err := t.flat.Search(point, q.K, rules)
	if err != nil {
		return nil, err
	}
	usual, err := t.usualDistances([]int{q.K}, q.MaxPerDay)
	if err != nil {
		return nil, err
	}
	a.LevelEpisodes, a.LevelDates = levelBefore(x, q.Level, a.AsOf)
	a.fill(t, &q, found[0], usual[0])
	return a, nil
}

// Check refuses a query that cannot be answered.
func (q *Query) Check(x *Index) error {
	if err := checkVector(x, q.Vector); err != nil {
		return err
	}
	if q.EpisodeID == "" && !slices.Contains(x.Levels(), q.Level) {
		return noLevel(x, q.Level)
	}
	switch {
	case q.Direction != 1 && q.Direction != -1:
		return fmt.Errorf("the direction is %d, neither 1 (from below the level) nor -1 (from above)", q.Direction)
	case q.K < 1:
		return fmt.Errorf("k is %d, not at least 1", q.K)
	case q.MaxPerDay < 1:
		return fmt.Errorf("max-per-day is %d, not at least 1", q.MaxPerDay)
	case !(q.Alpha >= 0) || math.IsInf(q.Alpha, 0):
		return fmt.Errorf("alpha is %v, not a finite number from 0", q.Alpha)
	case q.AsOf == "" && q.Date == "":
		return fmt.Errorf("a vector without a day needs the date as of which to ask: without it the answer would look into the future")
	}
	return nil
}

func noLevel(x *Index, level string) error {
	return fmt.Errorf("the index holds no episode at level %q; it has %s", level, strings.Join(x.Levels(), ", "))
}

// fill says what the neighbours found say.
func (a *Answer) fill(t *training, q *Query, hits []Hit, usual []float64) {
	a.Episodes, a.Dates, a.First, a.Last = len(t.episodes), t.dates, t.first, t.last
	a.Bandwidth = median(usual)
	w := weights(hits, a.Bandwidth)
	f := t.foretell(hits, w, q.Alpha)
	for i, h := range hits {
		a.Neighbours = append(a.Neighbours, Neighbour{t.episodes[h.Row], h.Distance, w[i]})
	}
	for c, name := range t.classes {
		if q.ExcludeChop && name == chop {
			continue
		}
		class := Class{Name: name, Probability: f.p[c], BaseRate: t.prior[c], Lift: math.NaN()}
		if class.BaseRate > 0 {
			class.Lift = class.Probability / class.BaseRate
		}
		a.Classes = append(a.Classes, class)
	}
	a.ExpectedScore = f.score
	a.EffectiveN, a.MeanDistance, a.Confidence = 0, math.NaN(), math.NaN()
	if len(hits) > 0 {
		a.EffectiveN, a.MeanDistance = f.weight*f.weight/f.weightSq, meanDistance(hits)
		if n := len(usual); n > 0 {
			nearer := sort.SearchFloat64s(usual, a.MeanDistance)
			a.Confidence = float64(n-nearer) / float64(n)
		}
	}
	a.Thin = a.thin(q, f.weight)
}

// thin says why a sample is too thin. The weight is that of all neighbours
// together, which the effective number does not tell: it is the same for
// neighbours that are all equally far off.
func (a *Answer) thin(q *Query, weight float64) string {
	switch {
	case len(a.Neighbours) == 0:
		return "there is no earlier episode of this level and direction: nothing can be said"
	case a.LevelEpisodes < enoughEpisodes || a.LevelDates < enoughDates:
		return fmt.Sprintf("only %d earlier episodes on %d days at this level, from either side; at least %d on %d days are wanted", a.LevelEpisodes, a.LevelDates, enoughEpisodes, enoughDates)
	case len(a.Neighbours) < q.K:
		return fmt.Sprintf("only %d of %d neighbours were found", len(a.Neighbours), q.K)
	case a.Confidence == 0:
		return "nothing like it has been seen: every earlier episode has nearer neighbours"
	case !(weight >= q.Alpha):
		return "the neighbours are so far off that they weigh less than the base rates"
	case !(a.EffectiveN >= enoughEffective):
		return fmt.Sprintf("the neighbours weigh as much as %.1f; at least %d are wanted", a.EffectiveN, enoughEffective)
	}
	return ""
}

// levelBefore counts the episodes of a level before a date, from both sides, and
// their dates: spec 10 §5 wants so many per level.
func levelBefore(x *Index, level, date string) (episodes, dates int) {
	seen := map[string]bool{}
	for i := range x.Groups {
		if x.Groups[i].Level != level {
			continue
		}
		for j := range x.Groups[i].Dates {
			if d := &x.Groups[i].Dates[j]; d.Date < date {
				seen[d.Date] = true
				episodes += int(d.Count)
			}
		}
	}
	return episodes, len(seen)
}
