package retrieval

import (
	"fmt"
	"math"
	"slices"
	"sort"

	"dag/stages/internal/setupindex"
)

// The index and its parts, as setupindex has them.
type (
	Index   = setupindex.Index
	Source  = setupindex.Source
	Episode = setupindex.Episode
	Group   = setupindex.Group
)

// ErrEmpty says that an index holds no episode.
var ErrEmpty = setupindex.ErrEmpty

// Open opens a partition of gold.future.setup_index; see setupindex.Open.
func Open(s Source) (*Index, error) { return setupindex.Open(s) }

// ErrDamaged says that the vectors of an index are not those that were written.
var ErrDamaged = setupindex.ErrDamaged

// chop is the class of episodes that went neither way.
const chop = "CHOP"

// training is what may be known as of a date of one level and direction: the
// episodes of earlier dates, normalised by a fit on these alone.
type training struct {
	classes  []string
	episodes []Episode // that may be neighbours, in the order of rows
	class    []int     // of each, in classes
	day      []int32
	chain    []int64
	dates    int // distinct, of episodes
	first    string
	last     string
	scale    *setupindex.Scale
	flat     *Flat
	prior    []float64 // share of each class; NaN without episodes, as the next
	score    float64   // mean
	scores   []float64 // mean of each class; that of all for a class without episodes
}

// newTraining takes the episodes of a group before a date. raw are the vectors
// of the group; moments are those of the dates before.
func newTraining(x *Index, g *Group, raw []float64, asOf string, moments *setupindex.Moments, excludeChop bool) (*training, error) {
	d := int(x.Dimension)
	all := x.Episodes[g.From:g.To]
	before := sort.Search(len(all), func(i int) bool { return all[i].Date >= asOf })
	t := &training{classes: x.Classes, scale: moments.Scale(), prior: make([]float64, len(x.Classes)), scores: make([]float64, len(x.Classes))}
	normalised := make([]float32, 0, before*d)
	for i, e := range all[:before] {
		if excludeChop && e.Outcome == chop {
			continue
		}
		if n := len(t.episodes); n == 0 || t.episodes[n-1].Date != e.Date {
			t.dates++
		}
		class := slices.Index(x.Classes, e.Outcome)
		t.prior[class]++
		t.score += e.Score
		t.scores[class] += e.Score
		t.episodes, t.class = append(t.episodes, e), append(t.class, class)
		t.day, t.chain = append(t.day, int32(t.dates)), append(t.chain, e.Chain)
		normalised = normalised[:len(normalised)+d]
		t.scale.Apply(normalised[len(normalised)-d:], raw[i*d:(i+1)*d])
	}
	n := len(t.episodes)
	t.score /= float64(n)
	for c, of := range t.prior {
		if t.scores[c] /= of; of == 0 {
			t.scores[c] = t.score
		}
		t.prior[c] /= float64(n)
	}
	if n > 0 {
		t.first, t.last = t.episodes[0].Date, t.episodes[n-1].Date
	}
	var err error
	if t.flat, err = NewFlat(d, normalised); err != nil {
		return nil, fmt.Errorf("%s, direction %+d: %w", g.Level, g.Direction, err)
	}
	return t, nil
}

// momentsBefore merges the dates of a group before a date.
func momentsBefore(x *Index, g *Group, asOf string) *setupindex.Moments {
	m := setupindex.NewMoments(int(x.Dimension))
	for i := range g.Dates {
		if g.Dates[i].Date < asOf {
			m.Merge(g.Dates[i].Moments())
		}
	}
	return m
}

// rules admit perDay neighbours of a day, of which no two overlap (G-14, 10 R-4).
func (t *training) rules(perDay int) Rules {
	return Rules{Day: t.day, PerDay: perDay, Chain: t.chain}
}

// trainingQueries is how many training episodes at most are asked for their own
// neighbours: evenly spaced over time, they tell the usual distance well enough.
const trainingQueries = 256

// usualDistances asks training episodes for their k nearest of other days, by
// the rules of a query, and returns the mean distance to these of each, sorted,
// for every k of ks, which ascend. Episodes without neighbours are left out.
func (t *training) usualDistances(ks []int, perDay int) ([][]float64, error) {
	n := len(t.episodes)
	asked := min(n, trainingQueries)
	rows := make([]int, asked)
	queries := make([]float32, 0, asked*t.flat.dim)
	for i := range rows {
		rows[i] = i * n / asked
		queries = append(queries, t.flat.row(rows[i])...)
	}
	rules := t.rules(perDay)
	rules.Skip = func(query, row int) bool { return t.day[rows[query]] == t.day[row] }
	found, err := t.flat.Search(queries, ks[len(ks)-1], rules)
	if err != nil {
		return nil, err
	}
	out := make([][]float64, len(ks))
	for i, k := range ks {
		for _, hits := range found {
			if len(hits) > 0 {
				out[i] = append(out[i], meanDistance(hits[:min(k, len(hits))]))
			}
		}
		slices.Sort(out[i])
	}
	return out, nil
}

func meanDistance(hits []Hit) float64 {
	sum := 0.0
	for _, h := range hits {
		sum += h.Distance
	}
	return sum / float64(len(hits))
}

// median of sorted values; NaN if there are none.
func median(sorted []float64) float64 {
	n := len(sorted)
	if n == 0 {
		return math.NaN()
	}
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// weights are exp(-D/h) of each hit; without a bandwidth above 0 all weigh the
// same.
func weights(hits []Hit, h float64) []float64 {
	w := make([]float64, len(hits))
	for i := range hits {
		if w[i] = 1; h > 0 {
			w[i] = math.Exp(-hits[i].Distance / h)
		}
	}
	return w
}

// forecast is what neighbours say of the outcome.
type forecast struct {
	p        []float64 // of each class, smoothed with alpha times the prior; they sum to 1
	score    float64   // expected
	weight   float64   // Σw
	weightSq float64   // Σw²
}

// foretell computes p(c) = (Σ w·1[y=c] + α·π_c)/(Σ w + α), spec 10 §5. Without
// neighbours it is the prior, and the mean score of the training set.
func (t *training) foretell(hits []Hit, w []float64, alpha float64) forecast {
	f := forecast{p: make([]float64, len(t.classes)), score: t.score}
	for c, prior := range t.prior {
		f.p[c] = alpha * prior
	}
	sum := 0.0
	for i, h := range hits {
		f.p[t.class[h.Row]] += w[i]
		f.weight += w[i]
		f.weightSq += w[i] * w[i]
		sum += w[i] * t.episodes[h.Row].Score
	}
	if f.weight > 0 {
		f.score = sum / f.weight
	}
	if total := f.weight + alpha; total > 0 {
		for c := range f.p {
			f.p[c] /= total
		}
	}
	return f
}
